package import Stream
package import Wire

/// A protocol that listens for datagrams: `Protocols.swift` lists them. Its set of lines is made on
/// the worker's thread, and has one line, number 0, from the start on.
struct ServedLine: Sendable {
    var name: String
    var make: @Sendable (Worker) -> LineSet

    init(_ name: String, make: @escaping @Sendable (Worker) -> LineSet) {
        self.name = name
        self.make = make
    }
}

/// A protocol that is served: its name, and how a session of it is made. `Protocols.swift` lists
/// them; a test may list its own.
package struct ServedProtocol: Sendable {
    /// What a session is made with: all it may not ask for itself.
    package struct Seed: Sendable {
        package var peer: Address
        package var local: Address
        package var now: Instant
        /// Different for every session; for spreading and for names, not for keys.
        package var random: UInt64
        /// For nonces.
        package var secret: Entropy
        /// UTC less the monotonic clock, as it is now.
        package var wall: Interval
        package var worker: Int
        package var isEncrypted: Bool
    }

    package var name: String
    /// Called on the worker's thread: what it makes never leaves it.
    package var make: @Sendable (Seed) -> any ByteSession

    package init(_ name: String, make: @escaping @Sendable (Seed) -> any ByteSession) {
        self.name = name
        self.make = make
    }
}
