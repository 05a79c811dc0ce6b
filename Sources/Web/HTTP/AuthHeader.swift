import Wire

/// What an `Authorization` header says, as clients really write it. It proves nothing: whoever
/// checks the credentials compares them in constant time.
package enum AuthHeader: Equatable, Sendable {
    case bearer(String)
    /// Basic, or `user:pass` inside Bearer, which the field uses where a program has one box only.
    case password(user: String, password: String)
    /// Something else, or malformed.
    case unknown

    /// Longer ones are no tokens but attacks: a JWT with many claims has 2 KiB.
    static let bytesMaximum = 8192

    package init?(_ header: String?) {
        guard let header, !header.isEmpty else { return nil }
        guard header.utf8.count <= Self.bytesMaximum else {
            self = .unknown
            return
        }
        let (scheme, rest) = Self.split(header[...])
        switch scheme.lowercased() {
        case "bearer": self = Self.bearer(rest)
        case "basic": self = Self.basic(rest)
        // Some players send the bare key. Whatever has a scheme has two words.
        case _ where rest.isEmpty && !header.contains(" "): self = Self.bearer(scheme)
        default: self = .unknown
        }
    }

    private static func bearer(_ rest: Substring) -> AuthHeader {
        var token = rest
        // People paste "Bearer xyz" into the box that adds the word itself.
        let (first, second) = split(token)
        if first.lowercased() == "bearer", !second.isEmpty { token = second }
        guard !token.isEmpty, !token.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            return .unknown
        }
        // A token of RFC 6750 has no colon.
        guard let colon = token.firstIndex(of: ":") else { return .bearer(String(token)) }
        return .password(
            user: String(token[..<colon]), password: String(token[token.index(after: colon)...]))
    }

    private static func basic(_ rest: Substring) -> AuthHeader {
        guard let bytes = Base64.decode(rest, strictly: .standard),
            let text = String(validating: bytes, as: UTF8.self),
            let colon = text.firstIndex(of: ":"), !text.utf8.contains(where: ASCII.isControl)
        else { return .unknown }
        return .password(
            user: String(text[..<colon]), password: String(text[text.index(after: colon)...]))
    }

    /// The first word and what follows the spaces behind it.
    private static func split(_ text: Substring) -> (Substring, Substring) {
        let word = text.prefix { $0 != " " }
        return (word, text[word.endIndex...].drop { $0 == " " })
    }
}
