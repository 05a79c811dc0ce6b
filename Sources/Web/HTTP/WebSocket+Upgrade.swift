package import Wire

/// The handshake of RFC 6455 §4.2: from an HTTP request to a 101, or to the reason why not.
extension WebSocket {
    /// Whether the request wants to become a WebSocket at all.
    package static func isWanted(by request: HTTPRequest) -> Bool {
        request.headers.contains("Upgrade", token: "websocket")
    }

    /// The answer that upgrades. The caller has checked who asks, and the origin: browsers let any
    /// page open a WebSocket to anybody.
    package static func upgrade(_ request: HTTPRequest) throws(Problem) -> HTTPResponse {
        guard isWanted(by: request), request.headers.contains("Connection", token: "upgrade") else {
            throw Problem(.upgradeRequired, "no Upgrade: websocket")
        }
        guard request.method == .get, !request.isHTTP10 else {
            throw Problem(.badRequest, "a WebSocket begins with GET and HTTP/1.1")
        }
        guard request.headers["Sec-WebSocket-Version"] == "13" else {
            throw Problem(.upgradeRequired, "the WebSocket version is not 13")
        }
        let keys = request.headers.values("Sec-WebSocket-Key")
        guard let key = keys.first, keys.count == 1,
            Base64.decode(key, strictly: .standard)?.count == 16
        else { throw Problem(.badRequest, "Sec-WebSocket-Key is not 16 bytes of Base64") }
        var response = HTTPResponse(status: 101, body: .upgrade)
        response.headers.add("Upgrade", "websocket")
        response.headers.add("Sec-WebSocket-Accept", accept(key))
        return response
    }

    static func accept(_ key: String) -> String {
        let digest = SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        return Base64.encode(digest.raw)
    }
}
