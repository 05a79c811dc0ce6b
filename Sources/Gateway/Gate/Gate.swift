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
    package var read: ReadAccess
    package var loopback: LoopbackAccess
    /// A proxy on this machine makes every peer look local: then nobody is.
    package var hasProxies: Bool

    package init(
        publishKey: Secret, readKey: Secret = Secret(""), read: ReadAccess = .private,
        loopback: LoopbackAccess = .open, hasProxies: Bool = false
    ) {
        self.publishKey = publishKey
        self.readKey = readKey
        self.read = read
        self.loopback = loopback
        self.hasProxies = hasProxies
    }

    package func decide(
        _ action: Action, name: String, _ credential: Credential, peer: Address
    ) -> Decision {
        if let principal = principal(of: credential) {
            return Self.may(principal, action)
                ? .allow(principal, until: nil)
                : .deny(Refusal(.forbidden, "this key may read but not \(action.rawValue)"))
        }
        // A credential that is wrong is wrong, also where none would have been needed: a user who
        // mistypes a key learns of it here and not from the first stranger who publishes.
        guard credential.isEmpty else {
            return .deny(Refusal(.forbidden, "the key is not one that this gateway knows"))
        }
        if isLocal(peer) { return .allow(.local, until: nil) }
        if action == .read, mayReadWithoutKey(peer) { return .allow(.local, until: nil) }
        return .deny(
            Refusal(
                .unauthenticated,
                "a key is needed to \(action.rawValue) here: as bearer token, user password or "
                    + "?token="))
    }

    private static let publisher = Principal.key("publish")
    private static let reader = Principal.key("read")

    private func principal(of credential: Credential) -> Principal? {
        let words = [credential.token, credential.password]
        if words.contains(where: { matches($0, publishKey) }) { return Self.publisher }
        if words.contains(where: { matches($0, readKey) }) { return Self.reader }
        return nil
    }

    private static func may(_ principal: Principal, _ action: Action) -> Bool {
        principal == publisher ? action != .api : action == .read
    }

    private func matches(_ word: String, _ key: Secret) -> Bool {
        guard !word.isEmpty, !key.isEmpty else { return false }
        return ConstantTime.equal(word, key.disclosed)
    }

    private func isLocal(_ peer: Address) -> Bool {
        loopback == .open && !hasProxies && peer.kind == .loopback
    }

    private func mayReadWithoutKey(_ peer: Address) -> Bool {
        switch read {
        case .open: true
        case .private: [.loopback, .privateNetwork, .linkLocal].contains(peer.kind) && !hasProxies
        case .key: false
        }
    }
}
