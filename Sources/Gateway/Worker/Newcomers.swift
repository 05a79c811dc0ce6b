package import Wire

/// How many connections of each network have not said anything sensible yet.
///
/// A flood of half-open connections costs its own network its places, and nobody else's: counted by
/// /24 of IPv4 and /56 of IPv6, which is what one customer has.
package struct Newcomers {
    private var counts: [UInt64: Int] = [:]
    private let maximum: Int

    package init(maximum: Int) { self.maximum = maximum }

    /// - Returns: Whether there was room; if so, `leave` must follow once.
    package mutating func enter(_ peer: Address) -> Bool {
        let count = counts[Self.network(peer), default: 0]
        guard count < maximum else { return false }
        counts[Self.network(peer)] = count + 1
        return true
    }

    package mutating func leave(_ peer: Address) {
        let network = Self.network(peer)
        guard let count = counts[network] else { return }
        counts[network] = count > 1 ? count - 1 : nil
    }

    package var networks: Int { counts.count }

    private static func network(_ peer: Address) -> UInt64 {
        // The upper bit keeps the two families apart: no IPv6 prefix in use has it with this tail.
        if let ipv4 = peer.ipv4 { return 1 << 63 | UInt64(ipv4 >> 8) }
        return peer.high >> 8
    }
}
