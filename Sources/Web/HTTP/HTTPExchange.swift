package import Wire

/// The client's end of an HTTP/1.1 connection: one question after the other, each with its answer.
/// For hooks, key sets, HTTP-FLV sources, and WHIP and WHEP from tests and the bench.
///
/// It follows no redirect and opens no connection: where a URL may lead is decided elsewhere.
package struct HTTPExchange: Sendable {
    package struct Limits: Sendable {
        /// The answer's body; `Int.max` for a stream that is passed on as it comes.
        package var body: Int
        /// From the question to the end of the answer; `nil` for a stream.
        package var total: Interval?
        /// Between two pieces.
        package var silence: Interval

        package init(body: Int, total: Interval?, silence: Interval = .seconds(10)) {
            self.body = body
            self.total = total
            self.silence = silence
        }

        /// A hook that takes longer holds up a user who waits.
        package static let hook = Limits(body: 64 * 1024, total: .seconds(2))
        package static let stream = Limits(body: .max, total: nil)
    }

    package enum Event: Sendable {
        case response(status: Int, HTTPHeaders)
        /// The answer is complete. Its body, all of it or the rest of it, is in `Effects.body`.
        case end
        /// 101: the connection speaks another protocol now, beginning with these bytes.
        case upgraded(rest: [UInt8])
        /// No (complete) answer. The connection is of no more use.
        case failed(Problem)
    }

    /// Bytes to be sent, what happened, and the body's bytes, which the caller takes out when it
    /// likes: after each call for a stream, at the end for a document.
    package struct Effects: ~Copyable {
        package var outbox = Outbox()
        package var events: [Event] = []
        package var body: [UInt8] = []

        package init() {}
    }

    private enum Phase { case idle, head, body, untilClose, over }

    private let limits: Limits
    private var phase = Phase.idle
    private var head = TextHead(rules: .http)
    private var buffer: [UInt8] = []
    private var start = 0
    private var chunks = ChunkedBody()
    private var left = 0
    private var taken = 0
    private var method = HTTPMethod.get
    private var keepsAlive = true
    private var answerDeadline: Instant?
    private var silenceDeadline: Instant?

    package init(limits: Limits) { self.limits = limits }

    /// Whether another question may be asked on this connection.
    package var isReusable: Bool { phase == .idle }

    package var deadline: Instant? {
        guard phase != .idle, phase != .over, let silenceDeadline else { return nil }
        return min(silenceDeadline, answerDeadline ?? silenceDeadline)
    }

    /// - Parameters:
    ///   - host: With the port, unless it is the scheme's own.
    ///   - target: Path and query, encoded.
    package mutating func send(
        _ method: HTTPMethod, host: String, target: String, headers: HTTPHeaders = HTTPHeaders(),
        body: [UInt8]? = nil, at now: Instant, into effects: inout Effects
    ) {
        precondition(phase == .idle, "one question at a time")
        var text = Array("\(method.rawValue) ".utf8)
        LabelText(target, limit: .max).write(for: .header, into: &text)
        text += " HTTP/1.1\r\nHost: ".utf8
        LabelText(host, limit: .max).write(for: .header, into: &text)
        text += "\r\n".utf8
        headers.write(into: &text)
        if let body { text += "Content-Length: \(body.count)\r\n".utf8 }
        text += "\r\n".utf8
        effects.outbox.append(text.raw)
        if let body { effects.outbox.append(body.raw) }
        self.method = method
        phase = .head
        answerDeadline = limits.total.map { now + $0 }
        silenceDeadline = now + limits.silence
    }

    package mutating func receive(_ bytes: RawSpan, at now: Instant, into effects: inout Effects) {
        guard phase != .over, bytes.byteCount > 0 else { return }
        guard phase != .idle else {
            fail("bytes that nobody asked for", into: &effects)
            return
        }
        silenceDeadline = now + limits.silence
        buffer.append(copying: bytes)
        do throws(ParseError) {
            while try step(into: &effects) {}
        } catch {
            fail(error.description, into: &effects)
        }
        buffer.removeSubrange(0..<min(start, buffer.count))
        start = 0
    }

    /// The peer will send no more: the end of some answers, a failure for all others.
    package mutating func peerClosed(at now: Instant, into effects: inout Effects) {
        switch phase {
        case .untilClose:
            phase = .over
            effects.events.append(.end)
        case .head, .body: fail("the connection ended inside the answer", into: &effects)
        case .idle, .over: phase = .over
        }
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        guard let deadline, now >= deadline else { return }
        phase = .over
        effects.events.append(.failed(Problem(.noAnswer, "no complete answer in time")))
    }

    // MARK: Reading

    /// - Returns: Whether there may be more to do with the bytes that are here.
    private mutating func step(into effects: inout Effects) throws(ParseError) -> Bool {
        switch phase {
        case .head: return try readHead(into: &effects)
        case .body: return try readBody(into: &effects)
        case .untilClose:
            try count(buffer.count - start)
            effects.body.append(contentsOf: buffer[start...])
            start = buffer.count
            return false
        case .idle:
            guard start == buffer.count else {
                throw .invalid(
                    "bytes behind the answer", value: UInt64(buffer.count - start), at: 0)
            }
            return false
        case .over: return false
        }
    }

    private mutating func readHead(into effects: inout Effects) throws(ParseError) -> Bool {
        guard let status = try Self.read(&head, buffer, from: start) else { return false }
        let headers = HTTPHeaders(head, of: buffer, from: start)
        let length = head.body
        start += head.count
        head.reset()
        if status == 101 {
            phase = .over
            effects.events.append(.response(status: status, headers))
            effects.events.append(.upgraded(rest: Array(buffer[start...])))
            start = buffer.count
            return false
        }
        // 100 and 103 stand in front of the answer.
        if status < 200 { return true }
        keepsAlive = !headers.contains("Connection", token: "close")
        effects.events.append(.response(status: status, headers))
        taken = 0
        chunks = ChunkedBody()
        let hasBody = method != .head && status != 204 && status != 304
        switch length {
        case _ where !hasBody, .length(0): end(into: &effects)
        case .length(let count):
            guard count <= limits.body else { throw .tooMuch("body", limit: limits.body) }
            left = count
            phase = .body
        case .chunked:
            left = .max
            phase = .body
        case .untold: phase = .untilClose
        }
        return true
    }

    private static func read(
        _ head: inout TextHead, _ buffer: [UInt8], from start: Int
    ) throws(ParseError) -> Int? {
        let bytes = buffer.raw.extracting(start..<buffer.count)
        guard try head.read(bytes) else { return nil }
        let line = try head.statusLine(in: bytes)
        guard bytes.string(line.version).hasPrefix("HTTP/1.") else {
            throw .invalid("HTTP version", value: 0, at: 0)
        }
        return line.status
    }

    private mutating func readBody(into effects: inout Effects) throws(ParseError) -> Bool {
        guard start < buffer.count else { return false }
        if left == .max {
            start += try chunks.receive(
                buffer, from: start, limit: limits.body, into: &effects.body)
            guard chunks.isDone else { return false }
        } else {
            let count = min(left, buffer.count - start)
            effects.body.append(contentsOf: buffer[start..<start + count])
            start += count
            left -= count
            guard left == 0 else { return false }
        }
        end(into: &effects)
        return true
    }

    private mutating func count(_ bytes: Int) throws(ParseError) {
        guard bytes <= limits.body - taken else { throw .tooMuch("body", limit: limits.body) }
        taken += bytes
    }

    private mutating func end(into effects: inout Effects) {
        phase = keepsAlive ? .idle : .over
        effects.events.append(.end)
    }

    private mutating func fail(_ cause: String, into effects: inout Effects) {
        phase = .over
        effects.events.append(.failed(Problem(.badAnswer, cause)))
    }
}
