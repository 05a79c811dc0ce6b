package import Wire

/// Where we may connect to, by who gave the address: the configuration, the admin API, or a peer.
///
/// Names are resolved once and each address is judged just before it is connected to, so a name
/// that answers differently the second time gains nothing.
package struct OutboundRule: Sendable {
    private let kinds: Set<AddressClass>
    private let only: Address?

    /// The operator's own files: also this host (a camera proxy beside us).
    package static let config = OutboundRule(
        kinds: [.publicNetwork, .privateNetwork, .loopback, .linkLocal], only: nil)
    /// The admin API: cameras live in private networks, but a stolen session must not reach the
    /// services of this host.
    package static let admin = OutboundRule(kinds: [.publicNetwork, .privateNetwork], only: nil)

    /// What a device or peer named: nothing but the peer itself, whatever port.
    package static func peer(_ address: Address) -> OutboundRule {
        OutboundRule(kinds: [.publicNetwork, .privateNetwork], only: address)
    }

    package func allows(_ address: Address) -> Bool {
        if let only, only.with(port: 0) != address.with(port: 0) { return false }
        return kinds.contains(address.kind)
    }
}
