package import HTTP
package import Stream

/// Where a request may show a credential. The header counts before the URL: what a user typed into
/// a program is meant, what a link carried may be old.
extension Credential {
    /// - Parameter target: The URL whose query counts; older signalling has another in its body.
    package init(_ request: HTTPRequest, _ target: HTTPTarget? = nil) {
        self.init()
        let target = target ?? request.target
        switch AuthHeader(request.headers["Authorization"]) {
        case .bearer(let token): self.token = token
        case .password(let user, let password):
            self.user = user
            self.password = password
        // It is wrong, and not the same as none.
        case .unknown: user = "?"
        case nil:
            token = target.query("token") ?? target.query("key") ?? ""
            user = target.query("user") ?? ""
            password = target.query("pass") ?? ""
        }
    }
}
