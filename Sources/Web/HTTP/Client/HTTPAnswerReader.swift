package import Wire

/// What a server has answered.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// The connection may carry another request.
    package var keepsConnection: Bool

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// Reads the answers of a server from one connection, one after the other, wherever the reads cut
/// them (RFC 9112 §6.3). Bounded: answers we ask for are small.
package struct HTTPAnswerReader: Sendable {
    /// A session description has 64 KiB at most; a problem or a playlist less.
    static let bodyMaximum = 1024 * 1024

    private enum Body {
        case head
        case length(Int)
        case chunked(ChunkedBody)
        /// Neither length nor chunks: the end of the connection is the end of the body.
        case untilEnd
    }

    private var head = TextHead(rules: .http)
    private var bytes: [UInt8] = []
    private var state = Body.head
    private var answer = HTTPAnswer(
        status: 0, headers: HTTPHeaders(), body: [], keepsConnection: false)

    package init() {}

    /// Bytes came. - Returns: The answer, once it is complete.
    package mutating func receive(_ more: RawSpan) throws(ParseError) -> HTTPAnswer? {
        bytes.append(copying: more)
        while true {
            switch state {
            case .head:
                guard try readHead() else { return nil }
            case .length(let count):
                guard bytes.count >= count else { return nil }
                answer.body = Array(bytes[..<count])
                bytes.removeFirst(count)
                return finish()
            case .chunked(var chunks):
                let taken = try chunks.receive(
                    bytes, from: 0, limit: Self.bodyMaximum, into: &answer.body)
                bytes.removeFirst(taken)
                state = .chunked(chunks)
                return chunks.isDone ? finish() : nil
            case .untilEnd:
                guard bytes.count <= Self.bodyMaximum else {
                    throw .tooMuch("body", limit: Self.bodyMaximum)
                }
                return nil
            }
        }
    }

    /// The server has closed the connection. - Returns: The answer, if that is how it ends.
    package mutating func end() -> HTTPAnswer? {
        guard case .untilEnd = state else { return nil }
        answer.body = bytes
        bytes = []
        return finish()
    }

    private mutating func finish() -> HTTPAnswer {
        state = .head
        head.reset()
        return answer
    }

    /// - Returns: Whether there is one; those of 1xx are passed over.
    private mutating func readHead() throws(ParseError) -> Bool {
        let text = bytes
        guard try head.read(text.raw) else { return false }
        answer = try HTTPAnswer(head, of: text.raw)
        let status = answer.status
        let body = head.body
        bytes.removeFirst(head.count)
        if (100..<200).contains(status) {
            head.reset()
            return true
        }
        // These have no body, whatever their headers say.
        if status == 204 || status == 304 {
            state = .length(0)
            return true
        }
        switch body {
        case .length(let count):
            guard count <= Self.bodyMaximum else {
                throw .tooMuch("body", limit: Self.bodyMaximum)
            }
            state = .length(count)
        case .chunked: state = .chunked(ChunkedBody())
        case .untold:
            state = .untilEnd
            answer.keepsConnection = false
        }
        return true
    }

}

extension HTTPAnswer {
    /// A complete head, and no body yet.
    init(_ head: TextHead, of bytes: RawSpan) throws(ParseError) {
        let (status, isOld) = try Self.status(bytes, head.line)
        let headers = HTTPHeaders(head, of: bytes)
        let isLast = isOld || headers.contains("connection", token: "close")
        self.init(status: status, headers: headers, body: [], keepsConnection: !isLast)
    }

    /// `HTTP/1.1 201 Created`.
    private static func status(
        _ bytes: RawSpan, _ line: Range<Int>
    ) throws(ParseError) -> (Int, isOld: Bool) {
        let text = bytes.string(line)
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), words[1].utf8.count == 3,
            let status = Int(words[1]), status >= 100
        else { throw .invalid("status line", value: 0, at: line.lowerBound) }
        return (status, words[0] == "HTTP/1.0")
    }
}
