import Wire

/// The header of a frame (RFC 6455 §5.2).
struct WebSocketFrame: Equatable, Sendable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue & 8 != 0 }
    }

    /// Two bytes, eight of length, four of mask.
    static let headerMaximum = 14
    static let controlMaximum = 125

    var isFinal: Bool
    var opcode: Opcode
    var mask: UInt32
    var length: UInt64

    /// How long the header is that begins with these two bytes.
    static func headerLength(_ first: UInt8, _ second: UInt8) -> Int {
        let mask = second & 0x80 == 0 ? 0 : 4
        return switch second & 0x7f {
        case 126: 4 + mask
        case 127: 10 + mask
        default: 2 + mask
        }
    }

    /// A header from a client: masked, no reserved bit, lengths in their shortest form.
    init(_ header: RawSpan) throws(ParseError) {
        var reader = ByteReader(header)
        let first = try reader.read(UInt8.self)
        let second = try reader.read(UInt8.self)
        guard first & 0x70 == 0, let opcode = Opcode(rawValue: first & 0x0f) else {
            throw .invalid("WebSocket opcode", value: UInt64(first), at: 0)
        }
        guard second & 0x80 != 0 else {
            throw .invalid("unmasked WebSocket frame", value: UInt64(second), at: 1)
        }
        self.opcode = opcode
        isFinal = first & 0x80 != 0
        switch second & 0x7f {
        case 126: length = UInt64(try reader.read(UInt16.self))
        case 127: length = try reader.read(UInt64.self)
        case let short: length = UInt64(short)
        }
        mask = try reader.read(UInt32.self)
        let isShortest = second & 0x7f < 126 || length > (second & 0x7f == 126 ? 125 : 0xffff)
        guard isShortest, length < 1 << 63 else {
            throw .invalid("WebSocket length", value: length, at: 2)
        }
        guard !opcode.isControl || isFinal && length <= Self.controlMaximum else {
            throw .invalid("WebSocket control frame", value: length, at: 1)
        }
    }

    /// The header of a frame from the server: never masked.
    static func writeHeader(_ opcode: Opcode, length: Int, into bytes: inout [UInt8]) {
        bytes.append(0x80 | opcode.rawValue)
        let size = length < 126 ? 0 : length <= 0xffff ? 2 : 8
        bytes.append(size == 0 ? UInt8(length) : size == 2 ? 126 : 127)
        for index in 0..<size {
            bytes.append(
                UInt8(truncatingIfNeeded: UInt64(length) >> UInt64(8 * (size - 1 - index))))
        }
    }
}
