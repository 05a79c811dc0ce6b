package import Stream
package import System
package import Wire

/// A protocol that is served: its name, and how a session of it is made. `Protocols.swift` lists
/// them; a test may list its own.
package struct Service: Sendable {
    /// What a session is made with: all it may not ask for itself.
    package struct Seed: Sendable {
        package var peer: Address
        package var local: Address
        package var now: Instant
        /// Different for every session; for spreading and for names, not for keys.
        package var random: UInt64
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

/// What a worker is started with: its number, its sockets, and what it shares with the others.
package struct WorkerPlan: Sendable {
    package struct Listener: Sendable {
        /// Index into `services`.
        package var service: Int
        /// Certificates as PEM, if it is to be encrypted.
        package var tls: TLSMaterial?
        package var socket: Parcel<Descriptor>

        package init(service: Int, tls: TLSMaterial? = nil, socket: consuming Descriptor) {
            self.service = service
            self.tls = tls
            self.socket = Parcel(socket)
        }
    }

    package var index: Int
    package var services: [Service]
    package var listeners: [Listener]
    package var datagramSockets: [Parcel<Descriptor>]
    package var limits = WorkerLimits()
    package var gate: Gate
    /// What the configuration says about a stream.
    package var rules: @Sendable (String) -> StreamRules = { _ in StreamRules() }
    package var seed: UInt64

    package init(
        index: Int, services: [Service], listeners: [Listener] = [],
        datagramSockets: [Parcel<Descriptor>] = [], gate: Gate, seed: UInt64
    ) {
        self.index = index
        self.services = services
        self.listeners = listeners
        self.datagramSockets = datagramSockets
        self.gate = gate
        self.seed = seed
    }
}

/// Bounds on what a worker takes on (numbers.md of the design; `docs/config.md` for those that can
/// be set).
package struct WorkerLimits: Sendable {
    /// A connection that has not finished its first request after this is closed.
    package var silence = Interval.seconds(10)
    /// Connections from one /24 or /56 that have not finished their first request.
    package var newcomersPerNetwork = 256
    package var connections = 60_000
    package var streams = 2_000
    /// Histories of all streams of this worker together.
    package var mediaMemory = 512 << 20

    package init() {}
}
