package import Stream

/// What a session is for, as the HTTP exchange that made it settled.
package enum RTCPurpose: Sendable {
    /// It claims the name once its peer has proved who it is.
    case publish(name: String, Credential, Principal)
    /// It reads; what it wants was worked out with the answer.
    case play(name: String, Credential, Subscription)
}
