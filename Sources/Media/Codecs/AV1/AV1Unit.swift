package import Wire

/// One open bitstream unit of AV1 (§5.3): what its header says and where its payload lies.
package struct AV1Unit: Equatable, Sendable {
    package enum Role: UInt8, Sendable {
        case sequenceHeader = 1
        case temporalDelimiter = 2
        case frameHeader = 3
        case tileGroup = 4
        case metadata = 5
        case frame = 6
        case redundantFrameHeader = 7
        case tileList = 8
        case padding = 15
        case reserved = 0
    }

    package var type: UInt8
    package var hasSize: Bool
    package var temporal: UInt8 = 0
    package var spatial: UInt8 = 0
    /// The layer byte, if there is one.
    package var layers: UInt8?
    /// Offsets into the bytes walked.
    package var payload: Range<Int>

    package var role: Role { Role(rawValue: type) ?? .reserved }

    /// Left out of our frames: delimiters by the formats' rules, tile lists because no decoder in
    /// reach shows them, padding because it is padding.
    package var isDropped: Bool {
        switch role {
        case .temporalDelimiter, .tileList, .padding, .reserved: true
        default: false
        }
    }
}

/// Walks the units of a temporal unit in the low-overhead format (§5.2). Gives ranges, not copies.
///
/// A unit without a size reaches to the end: correct only for the last one (§5.3.1).
package struct AV1Units: ~Escapable {
    private var reader: ByteReader

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { reader = ByteReader(bytes) }

    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> AV1Unit? {
        guard reader.remaining > 0 else { return nil }
        let at = reader.offset
        let first = try reader.read(UInt8.self)
        guard first & 0x80 == 0 else { throw .invalid("OBU forbidden bit", value: 1, at: at) }
        var unit = AV1Unit(
            type: first >> 3 & 15, hasSize: first & 2 != 0, payload: 0..<0)
        if first & 4 != 0 {
            let layer = try reader.read(UInt8.self)
            unit.temporal = layer >> 5
            unit.spatial = layer >> 3 & 3
            unit.layers = layer
        }
        let count = unit.hasSize ? try LEB128.read(&reader) : reader.remaining
        let start = reader.offset
        try reader.skip(count)
        unit.payload = start..<start + count
        return unit
    }
}

/// The variable-length numbers of AV1 (§4.10.5): seven bits a byte, the least first.
package enum LEB128 {
    /// At most eight bytes and at most 32 bits of value, by the standard.
    package static func read(_ reader: inout ByteReader) throws(ParseError) -> Int {
        let at = reader.offset
        var value: UInt64 = 0
        for index in 0..<8 {
            let byte = try reader.read(UInt8.self)
            value |= UInt64(byte & 0x7f) << UInt64(7 * index)
            if byte & 0x80 == 0 {
                guard value <= UInt64(UInt32.max) else {
                    throw .invalid("leb128", value: value, at: at)
                }
                return Int(value)
            }
        }
        throw .invalid("leb128", value: value, at: at)
    }

    /// - Returns: How many bytes it takes.
    package static func count(of value: Int) -> Int {
        var rest = UInt64(value) >> 7
        var count = 1
        while rest > 0 {
            rest >>= 7
            count += 1
        }
        return count
    }

    /// The byte at `index` of the shortest form of `value`.
    package static func byte(_ index: Int, of value: Int) -> UInt8 {
        let rest = UInt64(value) >> UInt64(7 * index)
        return UInt8(rest & 0x7f) | (rest > 0x7f ? 0x80 : 0)
    }
}
