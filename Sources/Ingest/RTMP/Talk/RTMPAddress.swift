package import Stream
import Wire

/// What a peer wants, from the pieces in which it says so: the URL it connected to, the
/// application, and the name of the stream.
///
/// Encoders split a URL at different slashes, put the query into any of the three, add slashes, or
/// put everything into the name: so the path is joined again and all queries are read.
package struct RTMPAddress: Equatable, Sendable {
    /// `app/stream`, not checked yet.
    package var name: String
    package var credential = Credential()
    /// `vhost=`, or the host of the URL.
    package var host = ""
    /// The player asked for H.265 in the old way (`?codec=legacy`).
    package var wantsLegacyCodecs = false

    package init(tcURL: String, app: String, stream: String) {
        let (appPath, appQuery) = Self.split(app)
        let (streamPath, streamQuery) = Self.split(stream)
        let (urlPath, urlQuery) = Self.split(tcURL)
        let segments = (appPath + "/" + streamPath).split(separator: "/")
        name = segments.joined(separator: "/")
        readAuthority(urlPath)
        // The nearest to the stream counts.
        for query in [urlQuery, appQuery, streamQuery] { read(query) }
    }

    private static func split(_ text: String) -> (path: String, query: String) {
        guard let mark = text.firstIndex(of: "?") else { return (text, "") }
        return (String(text[..<mark]), String(text[text.index(after: mark)...]))
    }

    /// `rtmp://user:password@host:port/…`
    private mutating func readAuthority(_ url: String) {
        guard let scheme = url.firstRange(of: "://") else { return }
        var authority = url[scheme.upperBound...].prefix { $0 != "/" }
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(separator: ":", maxSplits: 1)
            credential.user = Self.decoded(parts.first ?? "")
            credential.password = Self.decoded(parts.count > 1 ? parts[1] : "")
            authority = authority[authority.index(after: at)...]
        }
        host = String(authority)
    }

    private mutating func read(_ query: String) {
        // Some tools append a second query with another question mark.
        for pair in query.split(whereSeparator: { $0 == "&" || $0 == "?" }) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            let value = Self.decoded(parts[1])
            switch parts[0] {
            case "token", "key": credential.token = value
            case "user", "username": credential.user = value
            case "pass", "password": credential.password = value
            case "vhost": host = value
            case "codec": wantsLegacyCodecs = value == "legacy"
            default: break
            }
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count)
        return decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}
