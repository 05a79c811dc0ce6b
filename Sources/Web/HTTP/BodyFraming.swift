package import Wire

/// How pieces of an endless body stand on the wire: for media that goes to a thousand viewers, and
/// is written straight into each connection's outbox.
package enum BodyFraming: Equatable, Sendable {
    /// The end is the end of the connection.
    case plain
    /// RFC 9112 §7.1.
    case chunked
    /// A binary message each (RFC 6455 §5.2); never masked, for we are the server.
    case webSocket

    /// What stands before a piece of `count` bytes, which is to follow.
    package func open(_ count: Int, into out: inout Outbox) {
        switch self {
        case .plain: break
        case .chunked: Self.openChunk(count, into: &out)
        case .webSocket: Self.openMessage(.binary, count, into: &out)
        }
    }

    /// A message of text between those of bytes; where there are no messages nothing is said.
    package func say(_ text: [UInt8], into out: inout Outbox) {
        guard case .webSocket = self else { return }
        Self.openMessage(.text, text.count, into: &out)
        out.append(text)
    }

    /// What stands behind it.
    package func close(into out: inout Outbox) {
        guard case .chunked = self else { return }
        out.append(maximum: 2) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: 2))
            writer.write(UInt16(0x0d0a))
            return 2
        }
    }

    private static func openChunk(_ count: Int, into out: inout Outbox) {
        out.append(maximum: 18) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: 18))
            var shift = max(0, (Int.bitWidth - count.leadingZeroBitCount - 1) / 4 * 4)
            while shift >= 0 {
                writer.write(Hex.digit(UInt8(truncatingIfNeeded: count >> shift) & 15))
                shift -= 4
            }
            writer.write(UInt16(0x0d0a))
            return writer.offset
        }
    }

    private static func openMessage(
        _ kind: WebSocketFrame.Opcode, _ count: Int, into out: inout Outbox
    ) {
        out.append(maximum: 10) { window in
            var writer = ByteWriter(window._mutatingExtracting(first: 10))
            writer.write(0x80 | kind.rawValue)
            if count < 126 {
                writer.write(UInt8(count))
            } else if count <= 0xffff {
                writer.write(UInt8(126))
                writer.write(UInt16(count))
            } else {
                writer.write(UInt8(127))
                writer.write(UInt64(count))
            }
            return writer.offset
        }
    }
}
