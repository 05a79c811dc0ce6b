package import Wire

/// An `rtsp://` address as people and devices write it. Path and query stay byte for byte as they
/// are: Dahua's `?channel=1&subtype=0` must come back so, and Digest signs the very text.
package struct RTSPURL: Equatable, Sendable {
    package var isEncrypted = false
    package var user = ""
    package var password = ""
    /// A name or an IP literal, IPv6 without brackets.
    package var host: String
    package var port: UInt16?
    /// With the query; begins with `/`, or is empty.
    package var path: String

    package static let bytesMaximum = 4096

    /// Repaired: the scheme doubled or missing, IPv6 without brackets. A user without `@` is none.
    package init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        guard rest.utf8.count <= Self.bytesMaximum else { return nil }
        var hasScheme = false
        while let scheme = Self.scheme(of: rest) {
            isEncrypted = isEncrypted || scheme.isEncrypted
            rest = rest.dropFirst(scheme.count)
            hasScheme = true
        }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<end]
        // Without a scheme it must look like an address, or it is a path.
        guard hasScheme || authority.contains(".") || authority.contains(":") else { return nil }
        path = String(rest[end...])
        if let at = authority.lastIndex(of: "@") {
            let parts = authority[..<at].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = Self.decoded(parts[0])
            password = parts.count > 1 ? Self.decoded(parts[1]) : ""
            authority = authority[authority.index(after: at)...]
        }
        host = ""
        guard readHost(authority), !host.isEmpty else { return nil }
    }

    /// As the configuration has it; its user and password stay there.
    package init(_ link: LinkURL) {
        isEncrypted = link.scheme == "rtsps"
        (host, port) = (link.host, link.port)
        path = link.path.isEmpty ? "" : "/\(link.path)"
    }

    private static func scheme(of text: Substring) -> (count: Int, isEncrypted: Bool)? {
        for (scheme, isEncrypted) in [("rtsp://", false), ("rtsps://", true), ("rtspu://", false)]
        where text.prefix(scheme.count).lowercased() == scheme {
            return (scheme.count, isEncrypted)
        }
        return nil
    }

    private mutating func readHost(_ authority: Substring) -> Bool {
        if authority.hasPrefix("["), let close = authority.firstIndex(of: "]") {
            host = String(authority[authority.index(after: authority.startIndex)..<close])
            let rest = authority[authority.index(after: close)...]
            port = rest.hasPrefix(":") ? UInt16(rest.dropFirst()) : nil
            return rest.isEmpty || port != nil
        }
        // `::ffff:192.168.1.123` without brackets, as some cameras write their own address.
        if authority.filter({ $0 == ":" }).count > 1 {
            if Address(ip: authority) != nil {
                host = String(authority)
                return true
            }
            guard let colon = authority.lastIndex(of: ":"), Address(ip: authority[..<colon]) != nil
            else { return false }
            host = String(authority[..<colon])
            port = UInt16(authority[authority.index(after: colon)...])
            return true
        }
        let parts = authority.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        host = parts.first.map { String($0) } ?? ""
        guard parts.count > 1, !parts[1].isEmpty else { return true }
        port = UInt16(parts[1])
        return port != nil
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count)
        return decoded.map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }

    /// `host:port` as it stands in a URL.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// What goes into a request line and into Digest: never with a user or password.
    package var text: String { "\(isEncrypted ? "rtsps" : "rtsp")://\(authority)\(path)" }

    /// Before the query.
    package var plainPath: Substring { path.prefix { $0 != "?" } }
    package var query: Substring { path[plainPath.endIndex...].dropFirst() }

    /// The same place with another path: what a device says of its own address is not to be
    /// believed behind NAT, and we stay on this connection anyway.
    func with(path: String) -> RTSPURL {
        var url = self
        url.path = path
        return url
    }
}

/// Where the tracks of a description are (RFC 2326 §C.1.1), and what devices make of that.
package struct RTSPBase: Equatable, Sendable {
    /// The address that was asked for, as the request said it.
    package let dialled: RTSPURL
    package let url: RTSPURL

    /// - Parameter session: `a=control` of the session level.
    package init(
        dialled: RTSPURL, contentBase: String?, contentLocation: String?, session: String? = nil
    ) {
        self.dialled = dialled
        var url = dialled
        for said in [contentBase, contentLocation] {
            guard let path = said.flatMap(Self.path) else { continue }
            url = dialled.with(path: path)
            break
        }
        if let session, session != "*", let path = Self.absolutePath(session) {
            url = dialled.with(path: path)
        }
        self.url = url
    }

    /// The path of a base address; nil: it says nothing.
    private static func path(_ text: String) -> String? {
        let text = RTSPTransport.trimmed(text)
        if text.hasPrefix("/") { return text }
        guard let url = RTSPURL(text), !url.path.isEmpty else { return nil }
        return url.path
    }

    private static func absolutePath(_ text: String) -> String? {
        guard text.contains("://") else { return nil }
        return RTSPURL(text)?.path
    }

    /// Where to SETUP a track.
    package func track(_ control: String?) -> RTSPURL {
        let control = RTSPTransport.trimmed(control ?? "")
        if control.isEmpty || control == "*" { return url }
        if let path = Self.absolutePath(control) { return dialled.with(path: path) }
        // A leading slash should mean the root of the server; cameras that write one mean "append",
        // behind the query too.
        let hasSlash = url.path.hasSuffix("/")
        let piece = control.hasPrefix("/") ? String(control.dropFirst()) : control
        return dialled.with(path: url.path + (hasSlash ? "" : "/") + piece)
    }
}
