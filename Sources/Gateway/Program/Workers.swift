import Crypto
import Glibc
import HLS
import HTTP
import RTP
package import Settings
package import Stream
import Synchronization
import System
import WHIP
import Wire

/// All workers, as the main thread sees them: started together, told together, waited for together.
final class Workers: Service {
    private let neighbours: Neighbours
    private let hub = Hub()
    private let material: CertificateStore
    private let running: RunningCount
    private let load: LoadGuard
    /// nil: WebRTC is switched off.
    private let rtc: RTCShared?
    private let srt: SRTOffice
    private let log: Log

    /// How many workers have not ended yet; the only thing they write that main reads.
    final class RunningCount: Sendable {
        private let count = Atomic<Int>(0)
        func begin() { count.add(1, ordering: .relaxed) }
        func end() { count.subtract(1, ordering: .releasing) }
        var value: Int { count.load(ordering: .acquiring) }
    }

    static func start(_ surroundings: Surroundings) throws(StartError) -> [any Service] {
        [try Workers(surroundings)]
    }

    private init(_ surroundings: Surroundings) throws(StartError) {
        let sockets = surroundings.sockets
        log = surroundings.log.module("workers")
        running = RunningCount()
        material = CertificateStore(surroundings.state)
        let config = surroundings.settings.config
        let tls = try material.load(config)
        let front = try FrontPlan(config)
        let demos = config.demo ? try DemoFiles.load() : []
        rtc = try RTCShared(config, sockets, surroundings.log)
        load = LoadGuard(LoadGuard.Limits(config))
        if front.site.isEmpty {
            log.warning("the page's files were not found: set http.pages to their folder")
        }
        // Sockets that came from a parent or systemd decide how many there are.
        let count = max(
            1, sockets.count(ListenerSpec.http), sockets.count(ListenerSpec.webrtcUDP))
        do throws(SystemError) {
            neighbours = try Neighbours(count: count)
            let neighbours = neighbours
            srt = try Self.openSRT(surroundings, neighbours, hub)
            let resolver = Resolver(pool: try WorkPool("dns", threads: 2))
            var rtcPlan = rtc?.plan(config)
            rtcPlan?.resolver = resolver
            rtcPlan?.channels = try SCTPOffice { neighbours.post(.channels($1), to: $0) }
            // A hundred streams keep one thread busy: half as many threads as there are workers.
            let transcoders = try TranscodePool(threads: (count + 1) / 2, for: neighbours)
            let wall = WallClock()
            for index in 0..<count {
                var plan = Self.plan(index, of: count, surroundings, wall, tls)
                plan.version = Program.version
                plan.front = front
                if index == 0 { plan.demos = demos }
                plan.rtc = rtcPlan
                plan.transcoders = transcoders
                plan.resolver = resolver
                plan.srt = srt
                plan.load = load
                try spawn(plan)
            }
        } catch {
            throw .system("workers", error, code: "cannot-start")
        }
    }

    private static func plan(
        _ index: Int, of count: Int, _ surroundings: Surroundings, _ wall: WallClock,
        _ tls: TLSMaterial?
    ) -> WorkerPlan {
        let config = surroundings.settings.config
        var listeners: [WorkerPlan.Listener] = []
        for (number, entry) in Protocols.all.enumerated() {
            guard let listener = surroundings.sockets.takeTCP(entry.listener, worker: index)
            else { continue }
            listeners.append(
                .init(
                    served: number, tls: entry.isEncrypted ? tls : nil,
                    socket: listener.takeDescriptor()))
        }
        var datagrams: [Parcel<Descriptor>] = []
        if let socket = surroundings.sockets.takeUDP(ListenerSpec.webrtcUDP, worker: index) {
            datagrams.append(Parcel(socket.takeDescriptor()))
        }
        var dice = SystemRandomNumberGenerator()
        var plan = WorkerPlan(
            index: index, protocols: Protocols.all.map(\.served), listeners: listeners,
            datagramSockets: datagrams, gate: Gate(surroundings.settings), wall: wall,
            seed: dice.next())
        for entry in Protocols.lines {
            guard let socket = surroundings.sockets.takeUDP(entry.listener, worker: index)
            else { continue }
            plan.lines.append(.init(entry.served, socket: socket.takeDescriptor()))
        }
        plan.rules = { config.rules(for: $0) }
        plan.gb = GBPlan(surroundings.settings)
        plan.links = LinkPlan(config)
        plan.linePorts = config.rtsp.transports.contains(.udp) ? config.rtsp.ports : nil
        plan.limits = WorkerLimits(config, workers: count)
        plan.restarts = surroundings.restarts
        return plan
    }

    private func spawn(_ plan: WorkerPlan) throws(SystemError) {
        let (neighbours, hub, running) = (neighbours, hub, running)
        let log = log.module("worker")
        running.begin()
        _ = try Thread("worker-\(plan.index)") {
            defer { running.end() }
            do throws(WorkerStartError) {
                try Worker(plan, neighbours, hub, log).run()
            } catch {
                log.error(code: "cannot-start", "worker \(plan.index): \(error)")
                // Half a gateway is worse than a restart: the parent brings up a whole one.
                exit(Program.ExitCode.failed.rawValue)
            }
        }
    }

    // MARK: Service

    func apply(_ settings: LiveSettings) {
        do throws(StartError) {
            let tls = try material.load(settings.config)
            neighbours.postToAll(
                .settings(
                    WorkerSettings(
                        gate: Gate(settings), front: try FrontPlan(settings.config),
                        rules: { settings.config.rules(for: $0) },
                        links: LinkPlan(settings.config), tls: tls,
                        rtc: rtc?.settings(settings.config))))
            rtc?.directory.set(RTCLimits(settings.config))
            srt.set(SRTSettings(settings))
            load.set(LoadGuard.Limits(settings.config))
        } catch {
            log.error(code: "cannot-reload", "everything stays as it was: \(error.lines)")
        }
    }

    func drain() {
        srt.drain()
        neighbours.postToAll(.stop(after: .seconds(60)))
    }

    /// The library of SRT ends last: its threads must not outlive what they use.
    var isDrained: Bool {
        guard running.value == 0 else { return false }
        srt.end()
        return srt.isOver
    }

    func isHealthy() -> Bool { neighbours.areReading() }
}

extension Gate {
    init(_ settings: LiveSettings) {
        self.init(
            publishKey: settings.keys.publish, readKey: settings.keys.read ?? Secret(""),
            adminToken: settings.keys.admin,
            read: settings.config.auth.read, loopback: settings.config.auth.loopback,
            proxies: settings.config.http.trustedProxies,
            publicOrigin: settings.config.http.publicOrigin)
    }
}

extension FrontPlan {
    init(_ config: Config) throws(StartError) {
        let servers = config.webrtc.iceServers.map {
            ICEServer(url: $0.url, username: $0.user, credential: $0.password)
        }
        self.init(
            site: try PageFiles.load(config.http.pages), links: WHIPLinks(iceServers: servers))
        hls = HLSRules(
            segment: config.hls.segment, part: config.hls.part > .zero ? config.hls.part : nil,
            listed: config.hls.segments)
        demo = config.demo ? DemoFiles.names : []
        ports = [("http", config.http.listen), ("rtmp", config.rtmp.listen)].compactMap {
            name, address in address.map { (name, $0.port) }
        }
    }
}

extension WorkerLimits {
    init(_ config: Config, workers: Int) {
        self.init()
        connections = max(1, config.limits.sessions / workers)
        newcomersPerNetwork = config.limits.newConnectionsPerSource
        mediaMemory = config.media.memory.bytes(ofRAM: ProcessFigures.ramBytes) / workers
    }
}

extension LoadGuard.Limits {
    init(_ config: Config) {
        self.init()
        bitsPerSecond = config.limits.bandwidth * 1_000_000
        busyPercent = config.limits.cpu
    }
}

extension MemoryBound {
    func bytes(ofRAM ram: Int) -> Int {
        switch self {
        case .percent(let percent): ram / 100 * percent
        case .bytes(let bytes): bytes
        }
    }
}

extension Config {
    /// What the configuration says about a stream, as the stream knows it.
    package func rules(for name: String) -> StreamRules {
        let path = path(name)
        var rules = StreamRules()
        rules.grace = path.publisherGrace
        rules.convertsSound = path.audio == .auto
        rules.isOnDemand =
            path.onDemand && path.source != nil
            || gb28181.enabled && path.source == nil && GBPlan.camera(name) != nil
        rules.bFrames =
            switch path.bFrames {
            case .drop: .drop
            case .keep: .keep
            case .refuse: .refuse
            }
        rules.onLoss =
            switch path.onLoss {
            case .continue: .proceed
            case .waitKey: .waitKey
            }
        return rules
    }
}
