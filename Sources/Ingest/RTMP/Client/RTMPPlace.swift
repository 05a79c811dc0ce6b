package import Wire

/// A stream at another server, in the pieces in which it is asked for there.
package struct RTMPPlace: Equatable, Sendable {
    /// The first part of the path.
    package var app: String
    /// The rest, with its query: a key is often there.
    package var stream: String
    /// What the server is told that we have connected to.
    package var tcURL: String

    /// - Throws: The URL names no stream.
    package init(_ url: LinkURL) throws(ParseError) {
        let app = url.path.prefix { $0 != "/" && $0 != "?" }
        let stream = url.path[app.endIndex...].drop { $0 == "/" }
        guard !app.isEmpty, !stream.isEmpty else {
            throw .invalid("RTMP URL without app and stream", value: 0, at: 0)
        }
        self.app = String(app)
        self.stream = String(stream)
        var authority = url.place
        if !url.user.isEmpty {
            let user = PercentCoding.encode(url.user)
            authority = "\(user):\(PercentCoding.encode(url.password))@\(authority)"
        }
        tcURL = "\(url.scheme)://\(authority)/\(app)"
    }
}
