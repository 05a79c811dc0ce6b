import Crypto
package import Stream
import Wire

/// Our side of authentication: what we ask for, and what came back as a credential for the gate.
///
/// MD5 and Basic only: FFmpeg takes the first challenge it sees and fails at SHA-256.
struct RTSPDoor: Sendable {
    static let realm = "gateway"
    /// A player that asks its user shows one wrong password after the other; a program that guesses
    /// shows hundreds.
    static let failureMaximum = 6

    /// One per connection.
    let nonce: String
    private(set) var failures = 0

    /// - Parameter secret: Whoever could guess the next nonce could collect answers to it.
    init(_ secret: Entropy) {
        nonce = Digest.sha256.hex("\(secret.high):\(secret.low)")
    }

    var challenges: [String] {
        [
            "Digest realm=\"\(Self.realm)\", nonce=\"\(nonce)\"",
            "Basic realm=\"\(Self.realm)\"",
        ]
    }

    /// - Returns: Whether the peer has guessed often enough.
    mutating func refuse(_ credential: Credential) -> Bool {
        // Every client asks without a password first.
        if credential.isEmpty { return false }
        failures += 1
        return failures >= Self.failureMaximum
    }

    /// What a request shows: the header counts before the URL, as in HTTP.
    func credential(_ request: RTSPMessage, method: String, url: RTSPAddress) -> Credential {
        guard let header = request["Authorization"] else { return url.credential }
        var credential = Credential()
        guard let fields = AuthFields(header) else {
            credential.user = "?"
            return credential
        }
        switch fields.scheme {
        case "digest": credential.proof = proof(fields, method)
        case "basic":
            let text = Base64.decode(fields.word).flatMap {
                String(validating: $0, as: UTF8.self)
            }
            let parts = text?.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            credential.user = parts.map { String($0[0]) } ?? "?"
            credential.password = parts.map { $0.count > 1 ? String($0[1]) : "" } ?? ""
        case "bearer": credential.token = fields.word
        default: break
        }
        // It is wrong, and not the same as none.
        if credential.isEmpty { credential.user = "?" }
        return credential
    }

    /// nil: not an answer to what we asked. The address in it is not compared with the request's:
    /// Bosch signs the path, VLC and HappyTime the base address; it is only what was signed.
    private func proof(_ fields: AuthFields, _ method: String) -> DigestProof? {
        guard fields["nonce"] == nonce, fields["realm"] == Self.realm,
            fields["algorithm"].map({ $0.uppercased() == "MD5" }) ?? true
        else { return nil }
        var proof = DigestProof()
        proof.algorithm = "MD5"
        (proof.realm, proof.nonce, proof.method) = (Self.realm, nonce, method)
        proof.user = fields["username"] ?? ""
        proof.uri = fields["uri"] ?? ""
        proof.response = fields["response"] ?? ""
        if fields["qop"] != nil {
            proof.count = fields["nc"] ?? ""
            proof.clientNonce = fields["cnonce"] ?? ""
        }
        return proof
    }
}

/// What a request names: the stream, perhaps a track of it, and a credential in the query.
package struct RTSPAddress: Equatable, Sendable {
    /// `live/cam1`, not checked yet.
    package var name: String
    /// What follows `trackID=` or `streamid=`, wherever it stands: behind the path (GStreamer) or
    /// behind the query (FFmpeg).
    package var track: Int?
    /// The URL without its track: what a Content-Base is made of.
    package var base: String
    package var credential = Credential()

    package init?(_ text: String) {
        guard text.utf8.count <= RTSPURL.bytesMaximum else { return nil }
        var text = text
        track = Self.takeTrack(&text)
        base = text
        while base.hasSuffix("/") { base.removeLast() }
        let url = RTSPURL(text)
        // Some name the path alone.
        guard let path = url?.path ?? (text.hasPrefix("/") ? text : nil) else { return nil }
        let parts = path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        name = parts[0].split(separator: "/").joined(separator: "/")
        if let url {
            (credential.user, credential.password) = (url.user, url.password)
            base = url.text
            while base.hasSuffix("/") { base.removeLast() }
        }
        if parts.count > 1 { read(parts[1]) }
    }

    /// Removes `/trackID=1` from an address.
    private static func takeTrack(_ text: inout String) -> Int? {
        for word in ["/trackID=", "/streamid="] {
            guard let range = text.ranges(of: word).last else { continue }
            let digits = text[range.upperBound...].prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits), number < 256 else { continue }
            text.removeSubrange(range.lowerBound..<digits.endIndex)
            return number
        }
        return nil
    }

    private mutating func read(_ query: Substring) {
        for pair in query.split(whereSeparator: { $0 == "&" || $0 == "?" }) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            var value = String(parts[1])
            while value.hasSuffix("/") { value.removeLast() }
            let bytes = Array(value.utf8)
            if let decoded = try? PercentCoding.decode(bytes.raw, 0..<bytes.count) {
                value = String(decoding: decoded, as: UTF8.self)
            }
            switch parts[0] {
            case "token", "key": credential.token = value
            case "user", "username": credential.user = value
            case "pass", "password": credential.password = value
            default: break
            }
        }
    }
}
