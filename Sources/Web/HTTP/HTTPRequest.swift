import Wire

/// A request, whatever framing it came in.
package struct HTTPRequest: Sendable {
    /// Names a request of one connection, so that the answer may come later.
    package struct ID: Hashable, Sendable {
        package var number: UInt64
        package init(number: UInt64) { self.number = number }
    }

    package var id: ID
    package var method: HTTPMethod
    package var target: HTTPTarget
    package var headers: HTTPHeaders
    /// Empty in an offer: the body has not been taken yet.
    package var body: [UInt8] = []
    /// The peer speaks HTTP/1.0: no chunks, and the connection closes unless it asks otherwise.
    package var isHTTP10 = false

    package init(
        id: ID, method: HTTPMethod, target: HTTPTarget, headers: HTTPHeaders = HTTPHeaders()
    ) {
        self.id = id
        self.method = method
        self.target = target
        self.headers = headers
    }

    /// Whether the sender wants the connection kept (RFC 9112 §9.3).
    var keepsAlive: Bool {
        if headers.contains("Connection", token: "close") { return false }
        return !isHTTP10 || headers.contains("Connection", token: "keep-alive")
    }

    /// The media type alone, in lower case: `application/sdp` for `Application/SDP; charset=utf-8`.
    package var mediaType: String? {
        headers["Content-Type"].map { MediaType.essence(of: $0) }
    }
}
