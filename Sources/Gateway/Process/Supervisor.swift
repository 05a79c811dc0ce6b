import Glibc
import Settings
import System
import Wire

/// The parent: it holds the sockets, starts the child that serves, and starts it again when it
/// dies. It does nothing else, so that nothing else can bring it down.
///
///     starting ──▶ running ──▶ dead ──▶ starting
///                     │          └────▶ backing off (answers 503) ──▶ starting
///                  stopping ──▶ over
final class Supervisor {
    /// What a child that stops may need beyond `shutdown.drain` before it is killed.
    private static let stopGrace = Interval.seconds(5)

    private enum Tag: Int { case signals, child, admin }

    private let config: Config
    private let launch: Launch
    private let listeners: ListeningSockets
    private let log: Log
    private let signals: Signals
    private var poller: Poller
    private var standIn: StandIn
    private var policy = RestartPolicy()
    private var child: ChildProcess?
    private var link: PipeEnd?
    private var wasReady = false
    /// When the next child starts.
    private var nextStart: Instant?
    /// Set once we stop: then the child is killed.
    private var killAt: Instant?

    /// How the child is started.
    struct Launch: Sendable {
        var executable: String
        var arguments: [String]

        init(executable: String, arguments: [String]) {
            self.executable = executable
            self.arguments = arguments
        }
    }

    init(
        _ config: Config, _ launch: Launch, _ listeners: ListeningSockets
    ) throws(StartError) {
        self.config = config
        self.launch = launch
        self.listeners = listeners
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
        while true {
            let now = Clock.now
            if let start = nextStart, start <= now { try startChild() }
            if let killAt, killAt <= now { child?.send(signal: SIGKILL) }
            do throws(SystemError) {
                try poller.wait(timeout(now))
                if let code = try turn() { return code }
            } catch {
                throw .system("supervise", error, code: "cannot-supervise")
            }
        }
    }

    private func timeout(_ now: Instant) -> Interval? {
        let next = [nextStart, killAt].compactMap { $0 }.min().map { $0 - now }
        // While nobody else speaks to systemd we do.
        return policy.isBackingOff ? min(next ?? .seconds(1), .seconds(1)) : next
    }

    private func turn() throws(SystemError) -> CInt? {
        while let event = poller.next() {
            switch Tag(rawValue: event.tag) {
            case .signals, nil: break
            case .child: hearChild()
            case .admin: standIn.answer(policy.restarts)
            }
        }
        while let signal = signals.next() {
            if let code = take(signal) { return code }
        }
        if policy.isBackingOff { notify("WATCHDOG=1") }
        guard let exit = try child?.exit() else { return nil }
        child = nil
        hearChild()
        link = nil
        return afterDeath(exit)
    }

    // MARK: Signals

    /// - Returns: The exit code when there is nothing left to wait for.
    private func take(_ signal: CInt) -> CInt? {
        switch signal {
        case SIGCHLD: return nil
        case SIGHUP:
            let microseconds = Clock.now.nanoseconds / 1000
            notify("RELOADING=1\nMONOTONIC_USEC=\(microseconds)")
            child?.send(signal: SIGHUP)
            return nil
        case SIGUSR1:
            child?.send(signal: SIGUSR1)
            return nil
        default:
            guard let child else { return Program.ExitCode.stopped.rawValue }
            if killAt == nil {
                notify("STOPPING=1")
                killAt = Clock.now + config.shutdown.drain + Self.stopGrace
                child.send(signal: SIGTERM)
            } else {
                child.send(signal: SIGKILL)
            }
            return nil
        }
    }

    // MARK: The child

    private func startChild() throws(StartError) {
        nextStart = nil
        if policy.isBackingOff { standIn.stop(&poller) }
        policy.started()
        wasReady = false
        do throws(SystemError) {
            let pipe = try Pipe()
            var bequest = listeners.bequest()
            standIn.bequeath(&bequest)
            bequest.add(ParentLink.name, pipe.writer.descriptor)
            child = try ChildProcess(
                launch.executable, launch.arguments,
                environment: ["GATEWAY_RESTARTS": "\(policy.restarts)"], bequest: bequest)
            let reader = pipe.takeReader()
            _ = try poller.add(reader.descriptor, .read, tag: Tag.child.rawValue)
            link = consume reader
        } catch {
            throw .system("supervise", error, code: "cannot-start-child")
        }
    }

    private func hearChild() {
        guard let bytes = link?.read() else {
            // Its end is closed: the poller would wake us for ever.
            link = nil
            return
        }
        for byte in bytes {
            switch ParentLink.Message(rawValue: byte) {
            case .ready:
                wasReady = true
                notify("READY=1\nSTATUS=serving")
            case .alive: notify("WATCHDOG=1")
            case nil: break
            }
        }
    }

    /// - Returns: The exit code of the program, if it is over.
    private func afterDeath(_ exit: ChildProcess.Exit) -> CInt? {
        if killAt != nil {
            if case .code(let code) = exit { return code }
            return Program.ExitCode.stopped.rawValue
        }
        // It was told to stop, or it cannot begin and has said why: a restart would not help.
        if case .code(let code) = exit, code == 0 || !wasReady { return code }
        let next = policy.died(at: Clock.now)
        nextStart = next
        let cause =
            switch exit {
            case .code(let code): "ended with code \(code)"
            case .signal(let signal): "was killed by signal \(signal)"
            }
        log.error(
            code: "child-died", "the serving process \(cause); restart \(policy.restarts)",
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
