package import Wire

/// The two ends of a way that packets take: an address pair, and for ICE-TCP the connection.
package struct Route: Hashable, Sendable {
    package var remote: Address
    /// Ours, as the packet arrived at it: a peer drops answers from any other.
    package var local: Address
    /// Zero for UDP; else the number of an ICE-TCP connection within its worker.
    package var connection: UInt32

    package init(remote: Address, local: Address, connection: UInt32 = 0) {
        self.remote = remote
        self.local = local
        self.connection = connection
    }

    package var isTCP: Bool { connection != 0 }
}

/// A route on which the peer has proved that it knows our password, and what we know of it.
///
/// That proof does not tell where the peer is: a source address can be forged by who knows the
/// password. Until the path is validated, it gets no more than three times what came from it.
package struct Path: Sendable {
    package let route: Route
    /// Something came back that was only sent there.
    package internal(set) var isValidated: Bool
    package internal(set) var bytesIn = 0
    package internal(set) var bytesOutUnvalidated = 0
    package internal(set) var roundTrip: Interval?
    package internal(set) var lastHeard: Instant
    /// The last request had USE-CANDIDATE.
    package internal(set) var isNominated = false
    /// The PRIORITY of the last request; FFmpeg sends none.
    package internal(set) var priority: UInt32?
    /// Which credentials it was proved with: counts ICE restarts.
    package internal(set) var generation: UInt32

    init(route: Route, generation: UInt32, at now: Instant) {
        self.route = route
        self.generation = generation
        lastHeard = now
        // The three-way handshake of TCP is such an echo.
        isValidated = route.isTCP
    }

    /// A request that proved authentic came on it.
    mutating func note(_ message: STUNMessage, _ size: Int, _ generation: UInt32, at now: Instant) {
        bytesIn += size
        lastHeard = now
        self.generation = generation
        priority = message.priority
        isNominated = message.usesCandidate
    }

    /// How much more may be sent there now; only unvalidated paths are limited.
    var allowance: Int {
        isValidated ? .max : max(0, 3 * bytesIn - bytesOutUnvalidated)
    }
}
