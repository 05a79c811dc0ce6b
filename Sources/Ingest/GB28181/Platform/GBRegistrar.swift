import Crypto
import Wire

/// Who may register (RFC 3261 §22, RFC 2617, RFC 7616): challenges that need no memory, each good
/// for one device at one address, one time and five minutes; and sources that guess are not heard
/// for a while.
struct GBRegistrar: Sendable {
    enum Verdict: Equatable, Sendable {
        /// With the time of the nonce that proved it.
        case accepted(nonceTime: UInt64)
        case challenge(isStale: Bool)
        case forbidden
    }

    static let nonceLife: UInt64 = 300_000
    /// A camera with a wrong password tries every few seconds for ever.
    static let failuresMaximum = 5
    static let lockTime = Interval.seconds(30)
    private static let sourcesMaximum = 4096

    private let secret: String
    private var failures: [Address: (count: Int, last: Instant)] = [:]

    init(_ secret: Entropy) { self.secret = "nonce:\(secret.high):\(secret.low)" }

    func challenge(
        _ id: String, realm: String, isStale: Bool, for peer: Address, at now: Instant
    ) -> String {
        let nonce = nonce(id, Self.time(now), peer)
        let stale = isStale ? ", stale=true" : ""
        // Dahua does not answer a challenge that names no algorithm, and some old devices compute
        // the wrong form when they see a qop.
        return "Digest realm=\"\(realm)\", nonce=\"\(nonce)\", algorithm=MD5" + stale
    }

    private static func time(_ now: Instant) -> UInt64 {
        UInt64(max(0, now.nanoseconds)) / 1_000_000
    }

    private func nonce(_ id: String, _ time: UInt64, _ peer: Address) -> String {
        let text = String(time, radix: 16)
        let stamp = String(repeating: "0", count: max(0, 12 - text.count)) + text
        return stamp + Digest.sha256.hex("\(secret):\(stamp):\(id):\(peer.ip)").prefix(32)
    }

    func isLocked(_ peer: Address, at now: Instant) -> Bool {
        guard let known = failures[peer.with(port: 0)] else { return false }
        return known.count >= Self.failuresMaximum && now - known.last < Self.lockTime
    }

    private mutating func noteFailure(_ peer: Address, at now: Instant) {
        let key = peer.with(port: 0)
        if failures.count >= Self.sourcesMaximum, failures[key] == nil {
            failures = failures.filter { now - $0.value.last < Self.lockTime }
            if failures.count >= Self.sourcesMaximum { failures = [:] }
        }
        var known = failures[key] ?? (0, now)
        if now - known.last >= Self.lockTime { known.count = 0 }
        failures[key] = (known.count + 1, now)
    }

    /// - Parameter lastNonce: The time of the nonce that the device has used up.
    mutating func judge(
        _ message: SIPMessage, of id: String, _ settings: GBSettings, lastNonce: UInt64,
        from peer: Address, at now: Instant
    ) -> Verdict {
        guard !settings.password.isEmpty else { return .accepted(nonceTime: lastNonce) }
        guard let header = message["Authorization"] else { return .challenge(isStale: false) }
        guard let fields = AuthFields(header), fields.scheme == "digest",
            fields["realm"] == settings.domain, fields["username"] == id,
            let response = fields["response"]?.lowercased(),
            let proof = Self.proof(fields, message.method)
        else { return .forbidden }
        // Only who has heard a challenge counts as guessing: in another's name nobody can.
        guard let time = time(ofNonce: proof.nonce, id, peer) else {
            return .challenge(isStale: true)
        }
        guard ConstantTime.equal(proof.response(password: settings.password), response) else {
            noteFailure(peer, at: now)
            return .forbidden
        }
        let age = Self.time(now) &- time
        guard age <= Self.nonceLife, time > lastNonce else { return .challenge(isStale: true) }
        failures[peer.with(port: 0)] = nil
        return .accepted(nonceTime: time)
    }

    /// nil: not one of ours, or another device's, or sent to another place.
    private func time(ofNonce text: String, _ id: String, _ peer: Address) -> UInt64? {
        guard let time = UInt64(text.prefix(12), radix: 16),
            ConstantTime.equal(nonce(id, time, peer), text)
        else { return nil }
        return time
    }

    private static func proof(_ fields: AuthFields, _ method: String) -> DigestAuth? {
        guard let nonce = fields["nonce"], let uri = fields["uri"] else { return nil }
        var proof = DigestAuth()
        if let text = fields["algorithm"] {
            guard let algorithm = DigestAuth.Algorithm(text) else { return nil }
            proof.algorithm = algorithm
        }
        proof.user = fields["username"] ?? ""
        proof.realm = fields["realm"] ?? ""
        proof.nonce = nonce
        proof.method = method
        // The address in it may differ from the request's (Hikvision): it is what was signed.
        proof.uri = uri
        if fields["qop"] != nil {
            proof.protection = DigestAuth.Protection(
                count: fields["nc"] ?? "", nonce: fields["cnonce"] ?? "")
        }
        return proof
    }
}
