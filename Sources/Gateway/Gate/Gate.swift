import Crypto
package import Settings
package import Stream
package import Wire

/// The one place that decides who may do what. Every protocol comes here, at every new publication
/// and subscription; an answer is never remembered for another one.
///
/// An immutable value: a reload makes a new one and hands it to the workers.
package struct Gate: Sendable {
    package enum Decision: Equatable, Sendable {
        /// Until nil: as long as the session lasts.
        case allow(Principal, until: Instant?)
        case deny(Refusal)

        var answer: Answer {
            switch self {
            case .allow(let principal, let until): .allowed(principal, until: until)
            case .deny(let refusal): .refused(refusal)
            }
        }
    }

    package var publishKey: Secret
    package var readKey: Secret
    package var adminToken: Secret
    package var read: ReadAccess
    package var loopback: LoopbackAccess
    /// Whose word about their clients is believed. With a proxy on this machine every peer may look
    /// local: then nobody is.
    package var proxies: [AddressRange]
    /// The origin that browsers see: what it serves may call us like what we serve ourselves.
    package var publicOrigin: String

    package init(
        publishKey: Secret, readKey: Secret = Secret(""), adminToken: Secret = Secret(""),
        read: ReadAccess = .private, loopback: LoopbackAccess = .open,
        proxies: [AddressRange] = [], publicOrigin: String = ""
    ) {
        self.publishKey = publishKey
        self.readKey = readKey
        self.adminToken = adminToken
        self.read = read
        self.loopback = loopback
        self.proxies = proxies
        self.publicOrigin = publicOrigin
    }

    /// For protocols that know no more of their peer than its address.
    package func decide(
        _ action: Action, name: String, _ credential: Credential, peer: Address
    ) -> Decision { decide(action, name: name, credential, GateRequest(peer: peer)) }

    package func decide(
        _ action: Action, name: String, _ credential: Credential, _ request: GateRequest
    ) -> Decision {
        if let principal = principal(of: credential) {
            return Self.may(principal, action)
                ? .allow(principal, until: nil)
                : .deny(Refusal(.forbidden, "this key does not allow to \(action.rawValue)"))
        }
        // A credential that is wrong is wrong, also where none would have been needed: a user who
        // mistypes a key learns of it here and not from the first stranger who publishes.
        guard credential.isEmpty else {
            return .deny(
                Refusal(.unauthenticated, "the key is not one that this gateway knows"))
        }
        switch keyless(action, request) {
        case nil: return .allow(.local, until: nil)
        case let reason?:
            let what = action == .api ? "the admin token" : "a key"
            let how = action == .api ? "" : ", user password or ?token="
            return .deny(
                Refusal(
                    .unauthenticated,
                    "\(what) is needed to \(action.rawValue) here: as bearer token\(how) "
                        + "(\(reason))"))
        }
    }

    /// Why this may not be done without a key; nil: it may.
    private func keyless(_ action: Action, _ request: GateRequest) -> String? {
        if action == .api { return "there is no way around it" }
        guard let whyNotLocal = whyNotLocal(request) else { return nil }
        return action == .read ? whyNotReading(request) : whyNotLocal
    }

    /// All four conditions of "a program on this machine", and a reason for each that fails.
    private func whyNotLocal(_ request: GateRequest) -> String? {
        if loopback == .key { return "auth.loopback is 'key'" }
        if request.peer.kind != .loopback { return "only this machine needs none" }
        if !proxies.isEmpty { return "behind http.trusted-proxies nobody is local" }
        if request.isForwarded { return "the request was passed on by a proxy" }
        if !request.namesThisMachine { return "only http://localhost needs none" }
        if !request.isSameOrigin { return "another origin asks" }
        return nil
    }

    private func whyNotReading(_ request: GateRequest) -> String? {
        switch read {
        case .open: return nil
        case .key: return "auth.read is 'key'"
        case .private: break
        }
        let isNear = [.loopback, .privateNetwork, .linkLocal].contains(request.peer.kind)
        // A proxy that speaks no HTTP, or that says nothing of its client.
        if proxies.contains(where: { $0.contains(request.peer) }) {
            return "a proxy asks, and does not say for whom"
        }
        if request.isOfUnknownPeer { return "a proxy that is not in http.trusted-proxies asks" }
        if !isNear { return "auth.read is 'private': only the local network needs none" }
        if let origin = request.origin, !publicOrigin.isEmpty, origin == publicOrigin {
            return nil
        }
        // Otherwise any page that is open in a browser here could show our streams to its author.
        if !request.isSameOrigin { return "another origin asks: set http.public or auth.read" }
        return request.namesLocalNetwork ? nil : "the host's name is not ours: set http.public"
    }

    private static let publisher = Principal.key("publish")
    private static let reader = Principal.key("read")
    private static let admin = Principal.key("admin")

    private func principal(of credential: Credential) -> Principal? {
        if matches(credential, publishKey) { return Self.publisher }
        if matches(credential, readKey) { return Self.reader }
        if matches(credential, adminToken) { return Self.admin }
        return nil
    }

    private func matches(_ credential: Credential, _ key: Secret) -> Bool {
        if let proof = credential.proof, proves(proof, key) { return true }
        return matches(credential.token, key) || matches(credential.password, key)
    }

    /// Digest: the key is known to who could compute this from it.
    private func proves(_ proof: DigestProof, _ key: Secret) -> Bool {
        guard !key.isEmpty, let algorithm = DigestAuth.Algorithm(proof.algorithm) else {
            return false
        }
        var auth = DigestAuth()
        auth.algorithm = algorithm
        (auth.user, auth.realm, auth.nonce) = (proof.user, proof.realm, proof.nonce)
        (auth.method, auth.uri) = (proof.method, proof.uri)
        if !proof.count.isEmpty {
            auth.protection = .init(count: proof.count, nonce: proof.clientNonce)
        }
        return Wire.ConstantTime.equal(
            auth.response(password: key.disclosed), proof.response.lowercased())
    }

    private static func may(_ principal: Principal, _ action: Action) -> Bool {
        switch principal {
        case admin: true
        case publisher: action != .api
        default: action == .read
        }
    }

    private func matches(_ word: String, _ key: Secret) -> Bool {
        guard !word.isEmpty, !key.isEmpty else { return false }
        return Wire.ConstantTime.equal(word, key.disclosed)
    }
}
