package import Wire

/// Reads an answer whose body does not end: the head, and then media, with its chunks taken off.
package struct HTTPStreamReader: Sendable {
    private enum State { case head, plain, chunked(ChunkedBody) }

    private var head = TextHead(rules: .http)
    private var held: [UInt8] = []
    private var state = State.head

    package init() {}

    /// - Parameter body: What belongs to the body is appended.
    /// - Returns: The head, in the call that completes it.
    package mutating func receive(
        _ bytes: RawSpan, into body: inout [UInt8]
    ) throws(ParseError) -> HTTPAnswer? {
        guard case .head = state else {
            try take(bytes, into: &body)
            return nil
        }
        held.append(copying: bytes)
        let text = held
        guard try head.read(text.raw) else { return nil }
        let answer = try HTTPAnswer(head, of: text.raw)
        state = head.body == .chunked ? .chunked(ChunkedBody()) : .plain
        held = []
        try take(text.raw.extracting(head.count..<text.count), into: &body)
        return answer
    }

    private mutating func take(
        _ bytes: RawSpan, into body: inout [UInt8]
    ) throws(ParseError) {
        guard case .chunked(var chunks) = state else {
            body.append(copying: bytes)
            return
        }
        _ = try chunks.receive(bytes, limit: .max, into: &body)
        state = .chunked(chunks)
    }
}
