import Glibc
import Settings
import System
import Wire

/// The process that serves, seen from its main thread: it starts the services, then waits for
/// signals and changes of the configuration until it is told to stop.
final class ServingProcess {
    /// How often a process that stops looks whether everybody is gone.
    private static let drainTurn = Interval.milliseconds(20)

    private let source: ConfigSource
    private let state: StateDirectory
    private let writer: LogWriter
    let log: Log
    /// For the process after this one: it shall not stop because of a mistake in the file.
    private let lastGood: Keepsake
    private let parent: ParentLink
    private let signals: Signals
    private var poller: Poller
    private var config: Config
    private var stamp: FileStamp?
    private var services: [any Service] = []
    private var dice = SystemRandomNumberGenerator()

    /// - Parameter signals: Made before any thread, and so before the log's.
    init(
        _ config: Config, _ source: ConfigSource, state: StateDirectory,
        lastGood: consuming Keepsake, parent: consuming ParentLink
    ) throws(StartError) {
        // A key press in the terminal reaches parent and child; the parent tells us.
        if parent.isThere { _ = signal(SIGINT, SIG_IGN) }
        let stops = parent.isThere ? [SIGTERM] : [SIGTERM, SIGINT]
        do throws(SystemError) {
            signals = try Signals(stops + [SIGHUP, SIGUSR1, SIGUSR2])
            poller = try Poller()
            _ = try poller.add(signals.descriptor, .read, tag: 0)
        } catch {
            throw .system("gateway", error, code: "cannot-start")
        }
        self.parent = parent
        self.lastGood = lastGood
        self.config = config
        self.source = source
        self.state = state
        stamp = source.stamp
        writer = try config.log.openWriter()
        log = Log(writer.sink, "gateway")
    }

    /// Serves until a signal says stop.
    func run(
        _ sockets: ListeningSockets, _ announcement: Announcement?, restarts: Int,
        start: StartServices
    ) throws(StartError) -> CInt {
        defer { writer.flush() }
        announcement?.write(to: log)
        let keys = try AccessKeys(config, in: state, dice: &dice)
        services = try start(
            Surroundings(
                settings: LiveSettings(config: config, keys: keys), sockets: sockets,
                state: state, log: log, restarts: restarts))
        parent.tell(.ready)
        log.info("serving, version \(Program.version)", ["restarts": "\(restarts)"])
        try serve()
        try drain()
        log.info("stopped")
        return Program.ExitCode.stopped.rawValue
    }

    // MARK: While it serves

    private func serve() throws(StartError) {
        while true {
            try wait(parent.beat)
            while let signal = signals.next() {
                switch signal {
                case SIGHUP: reload()
                case SIGUSR1: writer.reopen()
                case SIGUSR2: refuseUpgrade()
                default: return
                }
            }
            if config.file.watch, source.stamp != stamp { reload() }
            // Every one is asked: asking is what makes it answer until the next time.
            if services.filter({ !$0.isHealthy() }).isEmpty { parent.tell(.alive) }
        }
    }

    /// Meant for the parent; who wakes all processes of this name wakes us, too.
    private func refuseUpgrade() {
        if !parent.isThere {
            log.warning("no upgrade: one process alone cannot hand anything over")
        }
    }

    private func wait(_ timeout: Interval) throws(StartError) {
        do throws(SystemError) {
            try poller.wait(timeout)
            while poller.next() != nil {}
        } catch {
            throw .system("gateway", error, code: "cannot-wait")
        }
    }

    /// All or nothing: a mistake in the file leaves everything as it is.
    private func reload() {
        stamp = source.stamp
        defer { parent.tell(.ready) }
        do throws(StartError) {
            let loaded = try source.load()
            let (next, changes) = config.reloaded(to: loaded.config)
            let notes = try Preparation.check(next)
            let keys = try AccessKeys(next, in: state, dice: &dice)
            for note in notes { log.warning(note) }
            config = next
            lastGood.write(loaded.text)
            writer.sink.set(level: next.log.minimum)
            for service in services {
                service.apply(LiveSettings(config: next, keys: keys))
            }
            report(changes)
        } catch {
            for line in error.lines.split(separator: "\n") {
                log.error(code: "bad-config", "reload refused, nothing has changed: \(line)")
            }
        }
    }

    private func report(_ changes: ConfigChanges) {
        if changes.isEmpty { return log.info("reloaded: nothing has changed") }
        let names = changes.reloaded.joined(separator: ", ")
        log.info("reloaded: \(names.isEmpty ? "nothing" : names)")
        if !changes.needRestart.isEmpty {
            let names = changes.needRestart.joined(separator: ", ")
            log.warning("these need a restart and stay as they were: \(names)")
        }
    }

    // MARK: At the end

    private func drain() throws(StartError) {
        let drain = config.shutdown.drain
        log.info("stopping, at most \(drain.milliseconds) ms for what is going on")
        let deadline = Clock.now + drain
        for service in services { service.drain() }
        while !services.allSatisfy({ $0.isDrained }), Clock.now < deadline {
            try wait(Self.drainTurn)
            // The second time it is meant: now.
            while let signal = signals.next() {
                if signal == SIGTERM || signal == SIGINT { return }
            }
        }
    }
}
