package import Wire

/// Takes messages out of a connection (RFC 3261 §18.3): framed by Content-Length, cut anywhere,
/// with empty lines between them that keep the connection open.
package struct SIPReader: Sendable {
    /// One message must be whole in this time after its first byte.
    package static let patience = Interval.seconds(30)

    private var head = TextHead(rules: .sip)
    private var began: Instant?

    package init() {}

    /// - Parameter start: Where to go on in `bytes`; moved behind what was read.
    /// - Returns: nil: more bytes are needed, behind those from `start` on.
    package mutating func next(
        _ bytes: RawSpan, from start: inout Int, at now: Instant
    ) throws(ParseError) -> SIPMessage? {
        if head.isUntouched {
            start += TextHead.blankPrefix(of: bytes.extracting(start..<bytes.byteCount))
        }
        let rest = bytes.extracting(start..<bytes.byteCount)
        guard rest.byteCount > 0 else {
            began = nil
            return nil
        }
        if began == nil { began = now }
        guard try head.read(rest) else { return nil }
        var length = 0
        if case .length(let said) = head.body { length = said }
        guard length <= SIPMessage.bodyMaximum else {
            throw .tooMuch("SIP body", limit: SIPMessage.bodyMaximum)
        }
        guard head.count + length <= rest.byteCount else { return nil }
        defer {
            head.reset()
            began = nil
        }
        let message = try SIPMessage(head, in: rest, body: head.count..<head.count + length)
        start += head.count + length
        return message
    }

    package var deadline: Instant { began.map { $0 + Self.patience } ?? .distantFuture }
}
