import Wire

/// Reads one AMF3 value: Flash clients and a few encoders switch to it inside of AMF0.
///
/// Strings, objects and traits may be named again by their number; the tables are of this value.
struct AMF3Reader: ~Escapable {
    private var reader: ByteReader
    private(set) var values: Int
    private var depth: Int
    private var strings: [String] = []
    private var objects: [AMFValue] = []
    private var traits: [Traits] = []

    private struct Traits {
        var names: [String]
        var isDynamic: Bool
    }

    private enum Marker {
        static let undefined: UInt8 = 0
        static let null: UInt8 = 1
        static let no: UInt8 = 2
        static let yes: UInt8 = 3
        static let integer: UInt8 = 4
        static let double: UInt8 = 5
        static let string: UInt8 = 6
        static let xmlDocument: UInt8 = 7
        static let date: UInt8 = 8
        static let array: UInt8 = 9
        static let object: UInt8 = 10
        static let xml: UInt8 = 11
        static let byteArray: UInt8 = 12
    }

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, depth: Int, values: Int) {
        reader = ByteReader(bytes)
        self.depth = depth
        self.values = values
    }

    var offset: Int { reader.offset }

    @_lifetime(self: copy self)
    mutating func read() throws(ParseError) -> AMFValue {
        guard depth < AMFLimits.depth else { throw .tooMuch("AMF depth", limit: AMFLimits.depth) }
        values += 1
        guard values <= AMFLimits.values else {
            throw .tooMuch("AMF values", limit: AMFLimits.values)
        }
        depth += 1
        defer { depth -= 1 }
        let at = reader.offset
        let marker = try reader.read(UInt8.self)
        switch marker {
        case Marker.undefined: return .undefined
        case Marker.null: return .null
        case Marker.no: return .boolean(false)
        case Marker.yes: return .boolean(true)
        case Marker.integer:
            // 29 bits with a sign.
            let bits = (Int32(try readUInt29()) << 3) >> 3
            return .number(Double(bits))
        case Marker.double: return .number(Double(bitPattern: try reader.read(UInt64.self)))
        case Marker.string: return .string(try readString())
        case Marker.date: return try readTime()
        case Marker.array: return try readArray()
        case Marker.object: return try readObject()
        case Marker.xmlDocument, Marker.xml, Marker.byteArray: return try readBytes()
        default: throw .invalid("AMF3 marker", value: UInt64(marker), at: at)
        }
    }

    /// Seven bits a byte, and eight in the fourth.
    @_lifetime(self: copy self)
    private mutating func readUInt29() throws(ParseError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<3 {
            let byte = try reader.read(UInt8.self)
            value = value << 7 | UInt32(byte & 0x7f)
            if byte & 0x80 == 0 { return value }
        }
        return value << 8 | UInt32(try reader.read(UInt8.self))
    }

    @_lifetime(self: copy self)
    private mutating func readString() throws(ParseError) -> String {
        let head = try readUInt29()
        guard head & 1 == 1 else { return try known(strings.count, head >> 1, { strings[$0] }) }
        let count = Int(head >> 1)
        let text = try reader.read(count: count).string(0..<count)
        if !text.isEmpty { strings.append(text) }
        return text
    }

    private func known<T>(
        _ count: Int, _ index: UInt32, _ take: (Int) -> T
    ) throws(ParseError) -> T {
        guard index < count else {
            throw .invalid("AMF3 reference", value: UInt64(index), at: reader.offset)
        }
        return take(Int(index))
    }

    /// An object that is named again; nil: it follows, and `head` says more about it.
    private func reference(_ head: UInt32) throws(ParseError) -> AMFValue? {
        head & 1 == 1 ? nil : try known(objects.count, head >> 1) { objects[$0] }
    }

    @_lifetime(self: copy self)
    private mutating func readTime() throws(ParseError) -> AMFValue {
        if let same = try reference(try readUInt29()) { return same }
        let value = AMFValue.date(
            milliseconds: Double(bitPattern: try reader.read(UInt64.self)))
        objects.append(value)
        return value
    }

    @_lifetime(self: copy self)
    private mutating func readBytes() throws(ParseError) -> AMFValue {
        let head = try readUInt29()
        if let same = try reference(head) { return same }
        try reader.skip(Int(head >> 1))
        objects.append(.other)
        return .other
    }

    @_lifetime(self: copy self)
    private mutating func readArray() throws(ParseError) -> AMFValue {
        let head = try readUInt29()
        if let same = try reference(head) { return same }
        let place = objects.count
        objects.append(.null)  // Until it is complete: an array may name itself.
        var fields: [AMFValue.Field] = []
        while true {
            let name = try readString()
            if name.isEmpty { break }
            fields.append(.init(name, try read()))
        }
        var list: [AMFValue] = []
        for _ in 0..<(head >> 1) { list.append(try read()) }
        let value = fields.isEmpty ? AMFValue.strictArray(list) : .ecmaArray(fields)
        objects[place] = value
        return value
    }

    @_lifetime(self: copy self)
    private mutating func readObject() throws(ParseError) -> AMFValue {
        let head = try readUInt29()
        if let same = try reference(head) { return same }
        let traits = try readTraits(head)
        let place = objects.count
        objects.append(.null)
        var fields: [AMFValue.Field] = []
        for name in traits.names { fields.append(.init(name, try read())) }
        while traits.isDynamic {
            let name = try readString()
            if name.isEmpty { break }
            fields.append(.init(name, try read()))
        }
        objects[place] = .object(fields)
        return .object(fields)
    }

    @_lifetime(self: copy self)
    private mutating func readTraits(_ head: UInt32) throws(ParseError) -> Traits {
        guard head & 2 == 2 else { return try known(traits.count, head >> 2) { traits[$0] } }
        guard head & 4 == 0 else {
            // Its class alone knows how it is written.
            throw .invalid("AMF3 externalizable object", value: UInt64(head), at: reader.offset)
        }
        _ = try readString()
        var names: [String] = []
        for _ in 0..<(head >> 4) { names.append(try readString()) }
        let read = Traits(names: names, isDynamic: head & 8 == 8)
        traits.append(read)
        return read
    }
}
