/// `scheme://[user[:password]@]host[:port][/path][?query]`: where a stream is fetched, or brought.
///
/// For logs and answers it says neither user nor password nor query, and of the path the first part
/// only: the rest is a key as often as it is a name.
public struct LinkURL: Hashable, Sendable {
    public let scheme: String
    /// Decoded; empty: none was given.
    public private(set) var user = ""
    public private(set) var password = ""
    public private(set) var host = ""
    /// Nil: what is usual for the scheme.
    public private(set) var port: UInt16?
    /// With the query and without the first slash, as it was written.
    public let path: String

    /// RFC 1035 allows 253 for the host; signed queries are long.
    private static let bytesMaximum = 4096

    public init(_ text: some StringProtocol) throws(ParseError) {
        let text = String(text)
        guard text.utf8.count <= Self.bytesMaximum else {
            throw .tooMuch("URL", limit: Self.bytesMaximum)
        }
        guard let mark = text.firstRange(of: "://") else {
            throw .invalid("URL without a scheme", value: UInt64(text.utf8.count), at: 0)
        }
        let isVisible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        guard isVisible else { throw .invalid("URL with a blank", value: 0, at: 0) }
        scheme = text[..<mark.lowerBound].lowercased()
        let rest = text[mark.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        path = String(rest[authority.endIndex...].drop { $0 == "/" })
        try readAuthority(authority)
    }

    private mutating func readAuthority(_ authority: Substring) throws(ParseError) {
        var place = authority
        // A password may hold the sign itself.
        if let at = place.lastIndex(of: "@") {
            let parts = place[..<at].split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            user = Self.decoded(parts[0])
            password = parts.count > 1 ? Self.decoded(parts[1]) : ""
            place = place[place.index(after: at)...]
        }
        // Behind the last colon, unless that is inside of an IPv6 address.
        if let colon = place.lastIndex(of: ":"), !place[colon...].contains("]") {
            guard let number = UInt16(place[place.index(after: colon)...]), number > 0 else {
                throw .invalid("URL port", value: 0, at: scheme.utf8.count + 3)
            }
            port = number
            place = place[..<colon]
        }
        host = String(place.filter { $0 != "[" && $0 != "]" })
        guard !host.isEmpty else {
            throw .invalid("URL without a host", value: 0, at: scheme.utf8.count + 3)
        }
    }

    private static func decoded(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        guard let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count) else {
            return String(text)
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// Host and port as they stand in a URL.
    public var place: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port.map { "\(name):\($0)" } ?? name
    }

    /// Without the query.
    public var segments: [Substring] {
        path.prefix { $0 != "?" }.split(separator: "/")
    }

    /// The same place, and another path there.
    public func with(path: String) -> LinkURL { LinkURL(self, path: path) }

    private init(_ other: LinkURL, path: String) {
        scheme = other.scheme
        user = other.user
        password = other.password
        host = other.host
        port = other.port
        self.path = path
    }
}

extension LinkURL: CustomStringConvertible, CustomReflectable {
    public var description: String {
        let parts = segments
        let first = parts.first.map { "/\($0)" } ?? ""
        return "\(scheme)://\(place)\(first)\(parts.count > 1 ? "/…" : "")"
    }

    /// Nothing else is shown by accident.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
