package import Wire

/// Slows down who guesses keys: ten wrong ones a second from one address, then the next are not
/// even looked at. A key has 128 bits; this is for those that people chose.
package struct FailureLimit {
    package static let perSecond = 10
    /// Addresses remembered in a second: beyond this somebody has a whole network to guess from,
    /// and then only a good key helps.
    private static let addressesMaximum = 4096

    private var counts: [Address: Int] = [:]
    private var until = Instant.start

    package init() {}

    /// Whether this address has failed too often in this second.
    package mutating func isFull(_ peer: Address, at now: Instant) -> Bool {
        renew(at: now)
        return counts[Self.household(peer), default: 0] >= Self.perSecond
    }

    /// - Returns: Whether it is the first failure in this second, and worth a line.
    @discardableResult
    package mutating func note(_ peer: Address, at now: Instant) -> Bool {
        renew(at: now)
        let key = Self.household(peer)
        guard counts[key] != nil || counts.count < Self.addressesMaximum else { return false }
        counts[key, default: 0] += 1
        return counts[key] == 1
    }

    private mutating func renew(at now: Instant) {
        guard now >= until else { return }
        until = now + .seconds(1)
        counts.removeAll(keepingCapacity: true)
    }

    /// One host, or the /64 that one has in IPv6.
    private static func household(_ peer: Address) -> Address {
        peer.isIPv4 ? peer.with(port: 0) : Address(high: peer.high, low: 0, port: 0)
    }
}
