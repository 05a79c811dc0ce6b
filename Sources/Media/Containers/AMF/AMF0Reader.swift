package import Wire

/// Reads AMF0 values, one after the other, from bytes it borrows.
///
/// It forgives what encoders get wrong and nobody is hurt by: the count of an ECMA array means
/// nothing, its end mark may be missing at the end of the message, text need not be UTF-8.
package struct AMF0Reader: ~Escapable {
    private var reader: ByteReader
    private var values = 0

    private enum Marker {
        static let number: UInt8 = 0
        static let boolean: UInt8 = 1
        static let string: UInt8 = 2
        static let object: UInt8 = 3
        static let movieClip: UInt8 = 4
        static let null: UInt8 = 5
        static let undefined: UInt8 = 6
        static let reference: UInt8 = 7
        static let ecmaArray: UInt8 = 8
        static let objectEnd: UInt8 = 9
        static let strictArray: UInt8 = 10
        static let date: UInt8 = 11
        static let longString: UInt8 = 12
        static let unsupported: UInt8 = 13
        static let xml: UInt8 = 15
        static let typedObject: UInt8 = 16
        static let amf3: UInt8 = 17
    }

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { reader = ByteReader(bytes) }

    package var offset: Int { reader.offset }
    package var isAtEnd: Bool { reader.remaining == 0 }

    /// The next value; nil at the end.
    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> AMFValue? {
        isAtEnd ? nil : try read(depth: 0)
    }

    /// All that is left. A broken value ends the list: what came before it still counts.
    @_lifetime(self: copy self)
    package mutating func rest() -> [AMFValue] {
        var list: [AMFValue] = []
        while let value = try? next() { list.append(value) }
        return list
    }

    @_lifetime(self: copy self)
    private mutating func read(depth: Int) throws(ParseError) -> AMFValue {
        guard depth < AMFLimits.depth else { throw .tooMuch("AMF depth", limit: AMFLimits.depth) }
        values += 1
        guard values <= AMFLimits.values else {
            throw .tooMuch("AMF values", limit: AMFLimits.values)
        }
        let at = reader.offset
        let marker = try reader.read(UInt8.self)
        switch marker {
        case Marker.number: return .number(try readNumber())
        case Marker.boolean: return .boolean(try reader.read(UInt8.self) != 0)
        case Marker.string: return .string(try readText(Int(try reader.read(UInt16.self))))
        case Marker.longString: return .string(try readText(Int(try reader.read(UInt32.self))))
        case Marker.null: return .null
        case Marker.undefined, Marker.unsupported, Marker.movieClip: return .undefined
        case Marker.reference:
            try reader.skip(2)
            return .undefined
        case Marker.xml:
            try reader.skip(Int(try reader.read(UInt32.self)))
            return .other
        case Marker.date:
            let milliseconds = try readNumber()
            try reader.skip(2)  // The time zone, which the specification says to ignore.
            return .date(milliseconds: milliseconds)
        case Marker.object: return .object(try readFields(depth))
        case Marker.typedObject:
            try reader.skip(Int(try reader.read(UInt16.self)))
            return .object(try readFields(depth))
        case Marker.ecmaArray:
            try reader.skip(4)
            return .ecmaArray(try readFields(depth))
        case Marker.strictArray: return .strictArray(try readList(depth))
        case Marker.amf3: return try readAMF3(depth)
        default: throw .invalid("AMF0 marker", value: UInt64(marker), at: at)
        }
    }

    @_lifetime(self: copy self)
    private mutating func readNumber() throws(ParseError) -> Double {
        Double(bitPattern: try reader.read(UInt64.self))
    }

    @_lifetime(self: copy self)
    private mutating func readText(_ count: Int) throws(ParseError) -> String {
        let text = try reader.read(count: count)
        return text.string(0..<count)
    }

    /// Names and values up to an empty name with the end mark, or to the end of the message.
    @_lifetime(self: copy self)
    private mutating func readFields(_ depth: Int) throws(ParseError) -> [AMFValue.Field] {
        var fields: [AMFValue.Field] = []
        while reader.remaining > 0 {
            let name = try readText(Int(try reader.read(UInt16.self)))
            if name.isEmpty, reader.remaining == 0 { break }
            if name.isEmpty, try reader.peek() == Marker.objectEnd {
                try reader.skip(1)
                break
            }
            fields.append(.init(name, try read(depth: depth + 1)))
        }
        return fields
    }

    @_lifetime(self: copy self)
    private mutating func readList(_ depth: Int) throws(ParseError) -> [AMFValue] {
        let count = try reader.read(UInt32.self)
        var list: [AMFValue] = []
        for _ in 0..<count {
            if reader.remaining == 0 { break }
            list.append(try read(depth: depth + 1))
        }
        return list
    }

    /// One value in the other format.
    @_lifetime(self: copy self)
    private mutating func readAMF3(_ depth: Int) throws(ParseError) -> AMFValue {
        var other = AMF3Reader(reader.rest, depth: depth, values: values)
        let value = try other.read()
        values = other.values
        try reader.skip(other.offset)
        return value
    }
}
