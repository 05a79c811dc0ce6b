/// What a peer showed to be let in, in the forms that protocols have. Nobody but the gate looks
/// inside, and it has no description: a log line cannot print it by accident.
package struct Credential: Equatable, Sendable, CustomStringConvertible, CustomReflectable {
    package var user = ""
    package var password = ""
    /// Bearer token, `?token=`, stream key: one word.
    package var token = ""
    /// That a password is known, without it: RTSP's and SIP's Digest.
    package var proof: DigestProof?

    package init() {}

    package var isEmpty: Bool {
        user.isEmpty && password.isEmpty && token.isEmpty && proof == nil
    }
    package var description: String { isEmpty ? "(none)" : "(credential)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// An answer to a Digest challenge (RFC 7616). Whoever made the challenge has checked that the
/// nonce is its own; the password is the gate's to know.
package struct DigestProof: Equatable, Sendable {
    package var algorithm = ""
    package var user = ""
    package var realm = ""
    package var nonce = ""
    package var method = ""
    package var uri = ""
    /// With `qop=auth`; both empty without.
    package var count = ""
    package var clientNonce = ""
    package var response = ""

    package init() {}
}
