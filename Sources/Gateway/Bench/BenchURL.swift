import Wire

/// Where a bench asks: `http://host:port/path?query`.
package struct BenchURL: Equatable, Sendable {
    package var host: String
    package var port: UInt16
    /// Path and query, as they are written.
    package var target: String
    private let usualPort: UInt16

    package var origin: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == usualPort ? name : "\(name):\(port)"
    }

    package init(_ text: String, scheme: String = "http", port: UInt16 = 80) throws(UsageError) {
        let lead = scheme + "://"
        guard text.hasPrefix(lead) else {
            let hint =
                text.hasPrefix("https://")
                ? "TLS would be measured, too: use the plain listener" : "it begins with \(lead)"
            throw UsageError(description: "--url \(text): \(hint)")
        }
        let rest = text.dropFirst(lead.count)
        let slash = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<slash]
        if let at = authority.lastIndex(of: "@") { authority = authority[rest.index(after: at)...] }
        target = slash == rest.endIndex ? "/" : String(rest[slash...])
        if target.hasPrefix("?") { target = "/" + target }
        self.port = port
        usualPort = port
        var name = authority
        let closing = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), closing.map({ $0 < colon }) ?? true {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0
            else {
                throw UsageError(description: "--url \(text): the port is no number")
            }
            self.port = number
            name = authority[..<colon]
        }
        host = String(name.hasPrefix("[") ? name.dropFirst().dropLast() : name)
        guard !host.isEmpty else { throw UsageError(description: "--url \(text): no host") }
    }

    /// What a `Location` header means, as far as it lies on the same server.
    package func resolve(_ location: String) -> String? {
        if location.hasPrefix("/") { return location }
        if location.hasPrefix("http://") || location.hasPrefix("https://") {
            let rest = location.drop { $0 != ":" }.dropFirst(3)
            guard let slash = rest.firstIndex(of: "/") else { return nil }
            return String(rest[slash...])
        }
        guard !location.isEmpty else { return nil }
        let path = target.prefix { $0 != "?" }
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? "/"
        return folder + location
    }
}
