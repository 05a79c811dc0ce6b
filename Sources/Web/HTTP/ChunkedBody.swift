package import Wire

/// Takes the chunks of a body apart (RFC 9112 §7.1), wherever the reads cut them.
///
/// Strict on purpose: each line ends in CRLF, sizes are plain hexadecimal, and extensions and
/// trailers, which nobody needs, are bounded and thrown away.
package struct ChunkedBody: Sendable {
    /// Digits of a size: 60 bits, so that no arithmetic on it can overflow.
    static let digitsMaximum = 15
    static let extensionMaximum = 256
    static let trailersMaximum = 4096

    private enum State {
        case size, extensions, sizeEnd, data, dataReturn, dataEnd
        case trailerStart, trailer, trailerEnd, end, done
    }

    private var state = State.size
    private var digits = 0
    private var size = 0
    /// Bytes of extensions of this chunk, or of all trailers.
    private var skipped = 0
    private var total = 0
    /// How far the body has been read with its framing: an error names the same place however the
    /// bytes arrived.
    private var position = 0

    package init() {}

    package var isDone: Bool { state == .done }

    /// - Parameter limit: For the whole body, without its framing.
    /// - Returns: How many bytes were taken: all of them, unless the body ended.
    package mutating func receive(
        _ bytes: RawSpan, limit: Int, into body: inout [UInt8]
    ) throws(ParseError) -> Int {
        var offset = 0
        while offset < bytes.byteCount, state != .done {
            if state == .data {
                let count = min(size, bytes.byteCount - offset)
                body.append(copying: bytes.extracting(offset..<offset + count))
                offset += count
                position += count
                size -= count
                if size == 0 { state = .dataReturn }
            } else {
                try take(bytes.byte(at: offset), at: position, limit: limit)
                offset += 1
                position += 1
            }
        }
        return offset
    }

    mutating func receive(
        _ buffer: [UInt8], from start: Int, limit: Int, into body: inout [UInt8]
    ) throws(ParseError) -> Int {
        try receive(buffer.raw.extracting(start..<buffer.count), limit: limit, into: &body)
    }

    private mutating func take(_ byte: UInt8, at offset: Int, limit: Int) throws(ParseError) {
        switch state {
        case .size: try takeSize(byte, at: offset, limit: limit)
        case .extensions: try skip(byte, at: offset, limit: Self.extensionMaximum, then: .sizeEnd)
        case .sizeEnd:
            try expect(ASCII.lineFeed, byte, at: offset)
            state = size == 0 ? .trailerStart : .data
            skipped = 0
        case .dataReturn:
            try expect(ASCII.carriageReturn, byte, at: offset)
            state = .dataEnd
        case .dataEnd:
            try expect(ASCII.lineFeed, byte, at: offset)
            state = .size
            digits = 0
            skipped = 0
        case .trailerStart where byte == ASCII.carriageReturn: state = .end
        case .trailerStart, .trailer:
            state = .trailer
            try skip(byte, at: offset, limit: Self.trailersMaximum, then: .trailerEnd)
        case .trailerEnd:
            try expect(ASCII.lineFeed, byte, at: offset)
            state = .trailerStart
        case .end:
            try expect(ASCII.lineFeed, byte, at: offset)
            state = .done
        case .data, .done: break
        }
    }

    private mutating func takeSize(_ byte: UInt8, at offset: Int, limit: Int) throws(ParseError) {
        if let digit = Hex.value(byte) {
            guard digits < Self.digitsMaximum else {
                throw .invalid("chunk size", value: UInt64(byte), at: offset)
            }
            size = (digits == 0 ? 0 : size << 4) | Int(digit)
            digits += 1
            return
        }
        guard digits > 0 else { throw .invalid("chunk size", value: UInt64(byte), at: offset) }
        guard size <= limit - total else { throw .tooMuch("body", limit: limit) }
        total += size
        switch byte {
        case ASCII.carriageReturn: state = .sizeEnd
        case 0x3b, ASCII.space, ASCII.tab: state = .extensions
        default: throw .invalid("chunk size", value: UInt64(byte), at: offset)
        }
    }

    private mutating func skip(
        _ byte: UInt8, at offset: Int, limit: Int, then next: State
    ) throws(ParseError) {
        if byte == ASCII.carriageReturn {
            state = next
            return
        }
        guard !ASCII.isControl(byte) || byte == ASCII.tab else {
            throw .invalid("chunk line", value: UInt64(byte), at: offset)
        }
        skipped += 1
        guard skipped <= limit else { throw .tooMuch("chunk line", limit: limit) }
    }

    private func expect(_ wanted: UInt8, _ byte: UInt8, at offset: Int) throws(ParseError) {
        guard byte == wanted else { throw .invalid("chunk", value: UInt64(byte), at: offset) }
    }
}
