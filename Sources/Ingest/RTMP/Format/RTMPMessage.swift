package import Wire

/// The kinds of messages (RTMP 1.0 §5.4, §6, §7.1).
package enum RTMPKind: UInt8, Sendable {
    case setChunkSize = 1, abort, acknowledgement, userControl, windowSize, peerBandwidth
    case audio = 8, video
    case dataAMF3 = 15, sharedObjectAMF3, commandAMF3
    case dataAMF0 = 18, sharedObjectAMF0, commandAMF0
    case aggregate = 22
}

/// What stands before a message's bytes.
package struct RTMPMessageHeader: Equatable, Sendable {
    /// Nil: a kind that nobody knows, to be left out.
    package var kind: RTMPKind?
    package var stream: UInt32
    /// Milliseconds, with 32 bits.
    package var stamp: UInt32
    package var count: Int
}

/// Walks the messages inside an aggregate (§7.1.6). Their times are those of the aggregate, plus
/// how far each lies behind the first.
package struct RTMPAggregate: ~Escapable {
    private var reader: ByteReader
    private let stamp: UInt32
    private var first: UInt32?

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, stamp: UInt32) {
        reader = ByteReader(bytes)
        self.stamp = stamp
    }

    /// The next message and where its bytes are.
    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> (RTMPMessageHeader, Range<Int>)? {
        guard reader.remaining > 0 else { return nil }
        let kind = RTMPKind(rawValue: try reader.read(UInt8.self))
        let count = Int(try reader.readUInt24())
        let low = try reader.readUInt24()
        let own = UInt32(try reader.read(UInt8.self)) << 24 | low
        let stream = try reader.readUInt24()
        let start = reader.offset
        try reader.skip(count)
        // The last one may lack the length that follows each.
        try reader.skip(min(4, reader.remaining))
        let base = first ?? own
        first = base
        return (
            RTMPMessageHeader(
                kind: kind, stream: stream, stamp: stamp &+ (own &- base), count: count),
            start..<start + count
        )
    }
}

/// What a user control message says (§7.1.7), as far as anybody uses it.
package enum RTMPUserControl: Equatable, Sendable {
    case streamBegin(UInt32)
    case streamEnd(UInt32)
    case bufferLength(stream: UInt32, milliseconds: UInt32)
    case ping(UInt32)
    case pong(UInt32)
    case other(UInt16)

    package init(_ body: RawSpan) throws(ParseError) {
        var reader = ByteReader(body)
        let event = try reader.read(UInt16.self)
        switch event {
        case 0: self = .streamBegin(try reader.read(UInt32.self))
        case 1: self = .streamEnd(try reader.read(UInt32.self))
        case 3:
            let stream = try reader.read(UInt32.self)
            self = .bufferLength(stream: stream, milliseconds: try reader.read(UInt32.self))
        case 6: self = .ping(try reader.read(UInt32.self))
        case 7: self = .pong(try reader.read(UInt32.self))
        default: self = .other(event)
        }
    }

    var bytes: [UInt8] {
        let (event, value): (UInt8, UInt32)
        switch self {
        case .streamBegin(let stream): (event, value) = (0, stream)
        case .streamEnd(let stream): (event, value) = (1, stream)
        case .bufferLength(let stream, let milliseconds):
            return [0, 3] + RTMPNumber.bytes(stream) + RTMPNumber.bytes(milliseconds)
        case .ping(let time): (event, value) = (6, time)
        case .pong(let time): (event, value) = (7, time)
        case .other: preconditionFailure("only what is known is sent")
        }
        return [0, event] + RTMPNumber.bytes(value)
    }
}

enum RTMPNumber {
    static func bytes(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }
}
