import Wire

/// A request line and its headers as HTTP/1 writes them, with the rules that make one message of
/// them and not two.
extension HTTPRequest {
    static func read(
        _ head: inout TextHead, _ buffer: [UInt8], from start: Int, id: ID
    ) throws(Problem) -> HTTPRequest? {
        try read(&head, buffer.raw.extracting(start..<buffer.count), id: id)
    }

    /// - Returns: `nil` while bytes are missing. Afterwards `head` describes the request.
    static func read(
        _ head: inout TextHead, _ bytes: RawSpan, id: ID
    ) throws(Problem) -> HTTPRequest? {
        do throws(ParseError) {
            guard try head.read(bytes) else { return nil }
        } catch {
            throw problem(error)
        }
        let line: TextHead.RequestLine
        do throws(ParseError) {
            line = try head.requestLine(in: bytes)
        } catch {
            throw problem(error)
        }
        let isHTTP10 = try isHTTP10(bytes, line.version)
        guard let method = HTTPMethod(rawValue: bytes.string(line.method)) else {
            throw Problem(.methodUnknown, bytes.string(line.method))
        }
        let target: HTTPTarget
        do throws(ParseError) {
            target = try HTTPTarget(bytes, line.target)
        } catch .tooMuch("target", let limit) {
            throw Problem(.targetTooLong, "more than \(limit) bytes")
        } catch {
            throw Problem(.badPath, error.description)
        }
        var request = HTTPRequest(
            id: id, method: method, target: target, headers: HTTPHeaders(head, of: bytes))
        request.isHTTP10 = isHTTP10
        try request.check(head.body)
        return request
    }

    private static func isHTTP10(_ bytes: RawSpan, _ version: Range<Int>) throws(Problem) -> Bool {
        switch bytes.string(version) {
        case "HTTP/1.1": return false
        case "HTTP/1.0": return true
        case let other where other.hasPrefix("HTTP/"): throw Problem(.versionUnknown, other)
        case let other: throw Problem(.badRequest, "not HTTP: \(other)")
        }
    }

    private func check(_ body: TextHead.Body) throws(Problem) {
        // RFC 9112 §3.2: without exactly one Host nobody knows which site is meant.
        let hosts = headers.count(of: "Host")
        guard hosts == 1 || hosts == 0 && isHTTP10 else {
            throw Problem(.badRequest, "\(hosts) Host headers")
        }
        // RFC 9112 §6.1: a proxy of that age would not have understood the framing.
        guard body != .chunked || !isHTTP10 else {
            throw Problem(.badRequest, "chunks in HTTP/1.0")
        }
        if let expected = headers["Expect"], expected.lowercased() != "100-continue" {
            throw Problem(.expectationUnknown, expected)
        }
    }

    /// The peer waits for our word before it sends the body.
    var waitsForContinue: Bool { !isHTTP10 && headers.contains("Expect") }

    static func problem(_ error: ParseError) -> Problem {
        switch error {
        case .tooMuch("first line", _): Problem(.targetTooLong, error.description)
        case .tooMuch("body", _): Problem(.bodyTooLarge, error.description)
        case .tooMuch: Problem(.headTooLarge, error.description)
        case .invalid("Transfer-Encoding", _, _): Problem(.encodingUnknown, error.description)
        case .invalid, .truncated: Problem(.badRequest, error.description)
        }
    }
}
