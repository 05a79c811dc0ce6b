import Wire

/// Pages of other origins may call what carries media and its signalling: players are embedded
/// anywhere, and what they may do is decided by credentials. The control interface never says this.
extension HTTPResponse {
    /// Without the second header a page gets the session's URL as `null`.
    package func allowingAnyOrigin() -> HTTPResponse {
        var response = self
        response.headers.add("Access-Control-Allow-Origin", "*")
        response.headers.add(
            "Access-Control-Expose-Headers",
            "Location, ETag, Link, Accept-Patch, Accept-Post, Retry-After, WWW-Authenticate, "
                + "Content-Length")
        return response
    }

    /// The answer to `OPTIONS`, a browser's question included. It needs no credentials: browsers
    /// never send any with it.
    package static func options(
        _ request: HTTPRequest, allow methods: String
    ) -> HTTPResponse {
        var response = HTTPResponse(status: 204).allowingAnyOrigin()
        response.headers.add("Allow", methods)
        response.headers.add("Access-Control-Allow-Methods", methods)
        // `*` would not cover Authorization.
        response.headers.add(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, If-Match, If-None-Match, Range")
        response.headers.add("Access-Control-Max-Age", 86_400)
        // Chromium asks before a public page may reach a private address; the gate decides then.
        if request.headers["Access-Control-Request-Private-Network"] == "true" {
            response.headers.add("Access-Control-Allow-Private-Network", "true")
        }
        return response
    }
}
