package import Crypto
package import Stream
package import System
package import Wire

/// What a worker is started with: its number, its sockets, and what it shares with the others.
package struct WorkerPlan: Sendable {
    package struct Listener: Sendable {
        /// Index into `protocols`.
        package var served: Int
        /// Certificates as PEM, if it is to be encrypted.
        package var tls: TLSMaterial?
        package var socket: Parcel<Descriptor>

        package init(served: Int, tls: TLSMaterial? = nil, socket: consuming Descriptor) {
            self.served = served
            self.tls = tls
            self.socket = Parcel(socket)
        }
    }

    /// A protocol that is served by datagrams.
    struct Line: Sendable {
        var served: ServedLine
        var socket: Parcel<Descriptor>

        init(_ served: ServedLine, socket: consuming Descriptor) {
            self.served = served
            self.socket = Parcel(socket)
        }
    }

    package var index: Int
    package var protocols: [ServedProtocol]
    package var listeners: [Listener]
    package var datagramSockets: [Parcel<Descriptor>]
    /// Sockets beside them that protocols listen on.
    var lines: [Line] = []
    /// nil: no WebRTC.
    package var rtc: RTCPlan?
    /// nil: no sound is converted.
    package var transcoders: TranscodePool?
    package var limits = WorkerLimits()
    /// All workers have one.
    package var load = LoadGuard()
    package var gate: Gate
    /// One for all workers.
    package var wall: WallClock
    package var front = FrontPlan()
    /// Looks up names for connections that we make; nil: none are made.
    package var resolver: Resolver?
    package var links = LinkPlan()
    /// nil: no cameras of GB28181.
    package var gb: GBPlan?
    /// Where sessions get UDP ports from, and the setting that says so.
    package var linePorts = PortRange(30_500, 31_499)
    package var linePortsSetting = "rtsp.ports"
    /// nil: nobody calls by SRT, and nobody is called.
    package var srt: SRTOffice?
    package var linkProtocols = Protocols.links
    /// Whom we believe to be who we connect to with TLS.
    package var linkTrust = TLSContext.Trust.directory("/etc/ssl/certs")
    /// Loops that this worker publishes.
    package var demos: [DemoPlan] = []
    /// What the configuration says about a stream.
    package var rules: @Sendable (String) -> StreamRules = { _ in StreamRules() }
    package var seed: UInt64
    /// How often the serving process has been replaced.
    package var restarts = 0
    package var version = ""

    package init(
        index: Int, protocols: [ServedProtocol], listeners: [Listener] = [],
        datagramSockets: [Parcel<Descriptor>] = [], gate: Gate, wall: WallClock, seed: UInt64
    ) {
        self.index = index
        self.protocols = protocols
        self.listeners = listeners
        self.datagramSockets = datagramSockets
        self.gate = gate
        self.wall = wall
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
    /// UDP ports beside that of WebRTC, of sessions and protocols together: a camera with pictures
    /// and sound has four.
    package var lines = 8_192
    /// Histories of all streams of this worker together.
    package var mediaMemory = 512 << 20

    package init() {}
}

/// What a reload brings: it holds from the next question and the next connection on.
package struct WorkerSettings: Sendable {
    package var gate: Gate
    package var front: FrontPlan
    package var rules: @Sendable (String) -> StreamRules
    package var links: LinkPlan
    package var tls: TLSMaterial?
    package var rtc: RTCSettings?

    package init(
        gate: Gate, front: FrontPlan = FrontPlan(),
        rules: @escaping @Sendable (String) -> StreamRules, links: LinkPlan = LinkPlan(),
        tls: TLSMaterial? = nil, rtc: RTCSettings? = nil
    ) {
        self.gate = gate
        self.front = front
        self.rules = rules
        self.links = links
        self.tls = tls
        self.rtc = rtc
    }
}
