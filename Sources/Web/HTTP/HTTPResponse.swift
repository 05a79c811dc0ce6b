package import Wire

/// An answer, whatever framing carries it. Lengths, `Date` and `Connection` are the connection's.
package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A part of bytes that several connections send: never copied.
        case chunk(Chunk, Range<Int>)
        /// Follows piece by piece: `send` and `finish`. Chunked for HTTP/1.1, else until the end.
        case stream
        /// Follows piece by piece, its end being the end of the connection: for players that do not
        /// understand chunks.
        case streamUntilClose
        /// 101: the connection speaks another protocol from here on.
        case upgrade
    }

    package var status: Int
    package var headers = HTTPHeaders()
    package var body: Body = .none

    package init(status: Int, body: Body = .none) {
        self.status = status
        self.body = body
    }

    package init(status: Int = 200, type: String, _ bytes: [UInt8]) {
        self.init(status: status, body: .bytes(bytes))
        headers.add("Content-Type", type)
    }

    package init(status: Int = 200, type: String, _ chunk: Chunk) {
        self.init(status: status, body: .chunk(chunk, 0..<chunk.count))
        headers.add("Content-Type", type)
    }

    package init(_ problem: Problem) {
        var json = JSONWriter()
        problem.write(into: &json)
        self.init(status: problem.code.status, type: "application/problem+json", json.bytes)
        headers.add("Cache-Control", "no-store")
        if let after = problem.retryAfter {
            headers.add("Retry-After", Int(max(1, (after.milliseconds + 999) / 1000)))
        }
        if problem.code == .unauthorized {
            headers.add("WWW-Authenticate", "Bearer realm=\"gateway\"")
        }
    }

    /// All of it, or the part that is asked for.
    ///
    /// - Parameter tag: Of what changes: a range of what has changed meanwhile would be a piece of
    ///   something else.
    package static func ranged(
        _ chunk: Chunk, type: String, _ range: ByteRange, _ request: HTTPRequest,
        tag: EntityTag? = nil
    ) -> HTTPResponse {
        let condition = request.headers["If-Range"]
        let isSame = condition == nil || condition == tag?.description
        switch range {
        case .part(let part) where isSame:
            return HTTPResponse(status: 206, body: .chunk(chunk, part))
                .adding("Content-Type", type)
                .adding("Content-Range", ByteRange.contentRange(part, of: chunk.count))
        case .unsatisfiable where isSame:
            return HTTPResponse(
                Problem(.rangeNotSatisfiable, request.headers["Range"] ?? "")
            )
            .adding("Content-Range", "bytes */\(chunk.count)")
        case .whole, .part, .unsatisfiable: return HTTPResponse(type: type, chunk)
        }
    }

    package func adding(_ name: String, _ value: some StringProtocol) -> HTTPResponse {
        var response = self
        response.headers.add(name, value)
        return response
    }

    /// 1xx, 204 and 304 have no body, whatever their headers say (RFC 9112 §6.3).
    var mayHaveBody: Bool { status >= 200 && status != 204 && status != 304 }

    /// Read by people only; a status without a name here is sent with an empty one.
    static func reason(_ status: Int) -> String {
        switch status {
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 204: "No Content"
        case 206: "Partial Content"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 416: "Range Not Satisfiable"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 428: "Precondition Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
