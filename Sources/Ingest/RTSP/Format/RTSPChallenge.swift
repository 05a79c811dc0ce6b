package import Crypto
package import Wire

/// What a server wants to see (RFC 2326 §14, RFC 7616): the best of its `WWW-Authenticate` lines
/// that we can answer.
package struct RTSPChallenge: Equatable, Sendable {
    package enum Scheme: Equatable, Sendable {
        case basic
        case digest(DigestAuth.Algorithm)
    }

    package var scheme: Scheme
    package var realm = ""
    package var nonce = ""
    /// Echoed if it was given.
    var opaque: String?
    var algorithmText: String?
    var wantsProtection = false
    /// The nonce is too old; user and password are not said to be wrong.
    package var isStale = false

    /// Digest counts before Basic, in the order of the server; what we do not know is skipped.
    package init?(_ headers: [String]) {
        let known = headers.prefix(8).compactMap { AuthFields($0) }.compactMap(Self.read)
        guard let best = known.first(where: { $0.scheme != .basic }) ?? known.first else {
            return nil
        }
        self = best
    }

    private init(_ scheme: Scheme) { self.scheme = scheme }

    private static func read(_ fields: AuthFields) -> RTSPChallenge? {
        switch fields.scheme {
        case "basic":
            var challenge = RTSPChallenge(.basic)
            challenge.realm = fields["realm"] ?? ""
            return challenge
        case "digest":
            let text = fields["algorithm"]
            guard let algorithm = text.map({ DigestAuth.Algorithm($0) }) ?? .md5,
                let nonce = fields["nonce"]
            else { return nil }
            var challenge = RTSPChallenge(.digest(algorithm))
            challenge.realm = fields["realm"] ?? ""
            challenge.nonce = nonce
            challenge.algorithmText = text
            challenge.opaque = fields["opaque"]
            challenge.isStale = fields["stale"]?.lowercased() == "true"
            let words = fields["qop"]?.split(separator: ",").map { RTSPTransport.trimmed($0) }
            challenge.wantsProtection = words?.contains { $0.lowercased() == "auth" } ?? false
            return challenge
        default: return nil
        }
    }

    /// The `Authorization` header for one request.
    ///
    /// - Parameter uri: The very text of the request line.
    /// - Parameter dice: For the client's own nonce.
    package func authorization(
        user: String, password: String, method: String, uri: String, dice: inout SplitMix64
    ) -> String {
        guard case .digest(let algorithm) = scheme else {
            return "Basic " + Base64.encode(Array("\(user):\(password)".utf8).raw)
        }
        var auth = DigestAuth()
        auth.algorithm = algorithm
        (auth.user, auth.realm, auth.nonce) = (user, realm, nonce)
        (auth.method, auth.uri) = (method, uri)
        if wantsProtection {
            auth.protection = .init(count: "00000001", nonce: String(dice.next(), radix: 16))
        }
        var text = "Digest username=\"\(Self.quoted(user))\", realm=\"\(Self.quoted(realm))\""
        text += ", nonce=\"\(Self.quoted(nonce))\", uri=\"\(uri)\""
        text += ", response=\"\(auth.response(password: password))\""
        if let opaque { text += ", opaque=\"\(Self.quoted(opaque))\"" }
        if let algorithmText { text += ", algorithm=\"\(Self.quoted(algorithmText))\"" }
        if let protection = auth.protection {
            text += ", qop=auth, nc=\(protection.count), cnonce=\"\(protection.nonce)\""
        }
        return text
    }

    private static func quoted(_ text: String) -> String {
        String(text.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] })
    }
}
