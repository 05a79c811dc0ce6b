import Glibc
import Settings
import System
import Wire

/// The parent: it holds the sockets, starts the child that serves, and starts it again when it
/// dies or hangs. It does nothing else, so that nothing else can bring it down.
///
///     starting ──▶ running ──▶ dead ──▶ starting
///                     │          └────▶ backing off (answers 503) ──▶ starting
///                  stopping ──▶ over
///
/// A new version is started beside the old one (`Supervisor+Upgrade`).
final class Supervisor {
    /// What a child that stops may need beyond `shutdown.drain` before it is killed.
    private static let stopGrace = Interval.seconds(5)
    /// Woken so much later than asked for, we were stopped or the machine was.
    private static let lateness = Interval.seconds(1)

    private enum Tag: Int { case signals, child, admin }

    let config: Config
    let launch: Launch
    let listeners: ListeningSockets
    let lastGood: Keepsake
    let log: Log
    private let signals: Signals
    private var poller: Poller
    var standIn: StandIn
    var policy: RestartPolicy
    /// The one that serves.
    var current: ServingChild?
    /// A new version that does not serve yet.
    var successor: ServingChild?
    /// The old version, until it has finished what was going on.
    var predecessor: ServingChild?
    /// Whether a child has ever served: then what a later one cannot begin may mend itself.
    private var hasServed = false
    private var isStopping = false
    /// When the next child starts.
    var nextStart: Instant?

    /// How the child is started.
    struct Launch: Sendable {
        var executable: String
        /// Of the child.
        var serve: [String]
        /// Ours, for a new version of us.
        var run: [String]
        var heartbeat: HeartbeatPlan
    }

    init(
        _ config: Config, _ launch: Launch, _ listeners: ListeningSockets,
        lastGood: consuming Keepsake, restarts: Int
    ) throws(StartError) {
        self.config = config
        self.launch = launch
        self.listeners = listeners
        self.lastGood = lastGood
        policy = RestartPolicy(restarts: restarts)
        let sink = LogSink.direct(
            level: config.log.minimum, format: config.log.lineFormat, target: config.log.target)
        log = Log(sink, "supervisor")
        standIn = StandIn(listeners.takeTCP(ListenerSpec.admin, worker: 0))
        do throws(SystemError) {
            signals = try Signals()
            poller = try Poller()
            _ = try poller.add(signals.descriptor, .read, tag: Tag.signals.rawValue)
        } catch {
            throw .system("supervise", error, code: "cannot-start")
        }
    }

    /// - Returns: The exit code of the program.
    func run(_ announcement: Announcement) throws(StartError) -> CInt {
        announcement.write(to: log)
        nextStart = Clock.now
        return try supervise()
    }

    /// Goes on where the supervisor of the version before us has left off.
    func run(
        after succession: Succession, _ link: consuming PipeEnd, notes: [String]
    ) throws(StartError) -> CInt {
        for note in notes { log.warning(note) }
        let now = Clock.now
        do throws(SystemError) {
            _ = try poller.add(link.descriptor, .read, tag: Tag.child.rawValue)
        } catch {
            throw .system("supervise", error, code: "cannot-supervise")
        }
        current = ServingChild(
            serving: ChildProcess(adopting: succession.serving), link,
            patience: launch.heartbeat.patience, at: now)
        if succession.leaving > 0 {
            predecessor = ServingChild(
                leaving: ChildProcess(adopting: succession.leaving), until: lastMoment(now))
        }
        hasServed = true
        log.info("upgraded: this is version \(Program.version), on the same sockets")
        return try supervise()
    }

    private func supervise() throws(StartError) -> CInt {
        while true {
            if let start = nextStart, start <= Clock.now, !isStopping {
                nextStart = nil
                current = try startChild()
            }
            do throws(SystemError) {
                if let code = try turn() { return code }
            } catch {
                throw .system("supervise", error, code: "cannot-supervise")
            }
        }
    }

    /// When whoever is told to end now is killed.
    func lastMoment(_ now: Instant) -> Instant { now + config.shutdown.drain + Self.stopGrace }

    private var children: [ServingChild] { [current, successor, predecessor].compactMap { $0 } }

    private func turn() throws(SystemError) -> CInt? {
        // Whoever died before we looked for the first time rings no bell any more.
        if let code = try bury() { return code }
        try wait()
        while let event = poller.next() {
            if event.tag == Tag.admin.rawValue { standIn.answer(policy.restarts) }
        }
        while let signal = signals.next() {
            if let code = take(signal) { return code }
        }
        hear()
        killWhoIsOverdue()
        if policy.isBackingOff { notify("WATCHDOG=1") }
        return nil
    }

    private func wait() throws(SystemError) {
        let now = Clock.now
        let next = ([nextStart] + children.map { $0.deadline }).compactMap { $0 }.min()
        var timeout = next.flatMap { $0 == .distantFuture ? nil : max(.zero, $0 - now) }
        // While nobody else speaks to systemd we do.
        if policy.isBackingOff { timeout = min(timeout ?? .seconds(1), .seconds(1)) }
        try poller.wait(timeout)
        guard let timeout else { return }
        let woken = Clock.now
        if woken - now - timeout > Self.lateness {
            for child in children { child.excuse(at: woken) }
        }
    }

    // MARK: Signals

    /// - Returns: The exit code when there is nothing left to wait for.
    private func take(_ signal: CInt) -> CInt? {
        switch signal {
        case SIGCHLD: break
        case SIGHUP:
            let microseconds = Clock.now.nanoseconds / 1000
            notify("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
            current?.process.send(signal: SIGHUP)
        case SIGUSR1: for child in children { child.process.send(signal: SIGUSR1) }
        case SIGUSR2: if !isStopping { beginUpgrade() }
        default: return stop()
        }
        return nil
    }

    private func stop() -> CInt? {
        successor?.kill()
        guard let current else { return Program.ExitCode.stopped.rawValue }
        if isStopping {
            for child in children { child.kill() }
        } else {
            isStopping = true
            notify("STOPPING=1")
            current.leave(until: lastMoment(Clock.now))
        }
        return nil
    }

    // MARK: The children

    func startChild() throws(StartError) -> ServingChild {
        if policy.isBackingOff { standIn.stop(&poller) }
        policy.started()
        do throws(SystemError) {
            let pipe = try Pipe()
            var bequest = listeners.bequest()
            standIn.bequeath(&bequest)
            bequest.add(Program.lastGood, lastGood)
            bequest.add(ParentLink.name, pipe.writer)
            let process = try ChildProcess(
                launch.executable, launch.serve,
                environment: [
                    "GATEWAY_RESTARTS": "\(policy.restarts)",
                    HeartbeatPlan.variable: "\(launch.heartbeat.interval.milliseconds)",
                ], bequest: bequest)
            let reader = pipe.takeReader()
            _ = try poller.add(reader.descriptor, .read, tag: Tag.child.rawValue)
            return ServingChild(
                process, reader, patience: launch.heartbeat.patience, at: Clock.now)
        } catch {
            throw .system("supervise", error, code: "cannot-start-child")
        }
    }

    private func hear() {
        let now = Clock.now
        _ = predecessor?.hear(at: now)
        for message in current?.hear(at: now) ?? [] { pass(message) }
        guard let new = successor else { return }
        let messages = new.hear(at: now)
        guard messages.contains(.ready) else { return }
        for message in messages { pass(message) }
        hasServed = true
        handOver(to: new)
    }

    private func pass(_ message: ParentLink.Message) {
        switch message {
        case .ready:
            hasServed = true
            notify("READY=1\nSTATUS=serving")
        case .alive: notify("WATCHDOG=1")
        }
    }

    private func killWhoIsOverdue() {
        let now = Clock.now
        for child in children where child.deadline <= now {
            if child === successor {
                let seconds = ServingChild.startPatience.milliseconds / 1000
                log.error(
                    code: "upgrade-failed",
                    "the new version does not serve after \(seconds) s; the old one goes on")
            } else if !child.isLeaving {
                let wanted = child.isReady ? "been alive" : "served"
                log.error(
                    code: "child-hung",
                    "the serving process hangs, it has not \(wanted) in time, and is killed")
                // We are alive, and do what the watchdog is for.
                notify("WATCHDOG=1")
            }
            child.kill()
        }
    }

    /// - Returns: The exit code of the program, if it is over.
    private func bury() throws(SystemError) -> CInt? {
        if try predecessor?.process.exit() != nil {
            predecessor = nil
            log.info("the old version has finished")
        }
        if let exit = try successor?.process.exit() {
            successor = nil
            failUpgrade(exit)
        }
        guard let exit = try current?.process.exit() else { return nil }
        // Its last words.
        for message in current?.hear(at: Clock.now) ?? [] { pass(message) }
        current = nil
        return afterDeath(exit)
    }

    private func afterDeath(_ exit: ChildProcess.Exit) -> CInt? {
        if isStopping {
            if case .code(let code) = exit { return code }
            return Program.ExitCode.stopped.rawValue
        }
        // It was told to stop, or it cannot begin and has said why: a restart would not help.
        if case .code(let code) = exit, code == 0 || !hasServed { return code }
        let next = policy.died(at: Clock.now)
        // A new version that is about to serve is the next child.
        nextStart = successor == nil ? next : nil
        log.error(
            code: "child-died", "the serving process \(exit); restart \(policy.restarts)",
            ["in_ms": "\((next - Clock.now).milliseconds)"])
        if policy.isBackingOff {
            log.error(
                code: "backing-off", "\(RestartPolicy.deaths) deaths in a minute: slowing down")
            notify("STATUS=restarting slowly: it died too often")
            standIn.start(&poller, tag: Tag.admin.rawValue)
        }
        return nil
    }

    private func notify(_ text: String) {
        do throws(SystemError) {
            try ServiceNotice.send(text)
        } catch {
            log.warning("\(error)", every: .seconds(60))
        }
    }
}

extension ChildProcess.Exit: CustomStringConvertible {
    /// What is said after its name.
    public var description: String {
        switch self {
        case .code(let code): "ended with code \(code)"
        case .signal(let signal): "was killed by signal \(signal)"
        }
    }
}
