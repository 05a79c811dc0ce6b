import Glibc
import Settings
import System
import Wire

/// The program from its arguments to its exit code.
package struct Program {
    package static let version = "0.1.0"

    /// What a script can rely on.
    package enum ExitCode: CInt, Sendable {
        case stopped = 0
        case failed = 1
        case usage = 2
    }

    private let environment: [String: String]
    private let start: StartServices

    /// - Parameter start: Starts everything that serves, in the process that does.
    package init(environment: [String: String], start: @escaping StartServices) {
        self.environment = environment
        self.start = start
    }

    /// - Parameter arguments: Without the name of the program.
    package func run(_ arguments: [String]) -> CInt {
        do throws(UsageError) {
            let command = try Command(arguments)
            do throws(StartError) {
                return try run(command, arguments)
            } catch {
                Console.error(error.lines)
                return error.exitCode.rawValue
            }
        } catch {
            Console.error("\(error)")
            return ExitCode.usage.rawValue
        }
    }

    private func run(_ command: Command, _ words: [String]) throws(StartError) -> CInt {
        switch command {
        case .version: Console.write("gateway \(Self.version)\n")
        case .help(let topic): Console.write(HelpText.text(topic))
        case .helpBench(let kind): Console.write(HelpText.text(kind))
        case .printDefaults: Console.write(ConfigSample.file)
        case .checkConfig(let options): try check(options)
        case .bench(let options): return try Bench.run(options)
        case .run(let options): return try start(options, words)
        case .serve(let options): return try serve(options)
        }
        return ExitCode.stopped.rawValue
    }

    private func check(_ options: Command.Options) throws(StartError) {
        let source = ConfigSource(options: options, environment: environment)
        let loaded = try source.load()
        for note in loaded.notes + (try Preparation.check(loaded.config)) {
            Console.write("note: \(note)\n")
        }
        Console.write("\(source.path ?? "no file, only defaults"): ok\n")
    }

    /// The name under which the last good configuration is inherited.
    static let lastGood = "config"

    private static func takeLastGood(_ given: inout Inherit) throws(StartError) -> Keepsake {
        if let descriptor = given.take(lastGood) { return Keepsake(adopting: descriptor) }
        do throws(SystemError) {
            return try Keepsake(lastGood)
        } catch {
            throw .system("gateway", error, code: "cannot-start")
        }
    }

    /// Everything that can be wrong is found here, before anything serves, and told in one line.
    ///
    /// - Parameter words: The command line, for a new version of us.
    private func start(
        _ options: Command.Options, _ words: [String]
    ) throws(StartError) -> CInt {
        ignoreBrokenPipes()
        let succession = Succession.fromEnvironment()
        var given = Inherit.fromEnvironment()
        let source = ConfigSource(options: options, environment: environment)
        let lastGood = try Self.takeLastGood(&given)
        let (loaded, mistake) = try source.load(orFrom: lastGood)
        let config = loaded.config
        let notes =
            loaded.notes + (try Preparation.check(config)) + (mistake?.goingOn ?? [])
        let state = try StateDirectory.open(config, environment: environment)
        var dice = SystemRandomNumberGenerator()
        let keys = try AccessKeys(config, in: state, dice: &dice)
        let specs = ListenerSpec.all(config, workers: config.workerCount)
        let sockets = try ListeningSockets.open(specs, adopting: &given)
        // A path that cannot be written is found now, not by the child.
        let announcement = Announcement(notes: notes, keys: keys, addresses: sockets.addresses)
        guard config.supervise || succession != nil else {
            let process = try ServingProcess(
                config, source, state: state, lastGood: lastGood, parent: .none)
            return try process.run(sockets, announcement, restarts: 0, start: start)
        }
        let launch = Supervisor.Launch(
            executable: Self.installed, serve: [Command.serve] + options.arguments, run: words,
            heartbeat: HeartbeatPlan(environment))
        let supervisor = try Supervisor(
            config, launch, sockets, lastGood: lastGood, restarts: succession?.restarts ?? 0)
        guard let succession, let link = given.take(ParentLink.parentsEnd) else {
            return try supervisor.run(announcement)
        }
        return try supervisor.run(after: succession, PipeEnd(adopting: link), notes: notes)
    }

    /// The child: what it needs has been checked, opened and made by its parent.
    private func serve(_ options: Command.Options) throws(StartError) -> CInt {
        ignoreBrokenPipes()
        var given = Inherit.fromEnvironment()
        guard let descriptor = given.take(ParentLink.name) else {
            throw .failed(
                setting: Command.serve, cause: "only the supervisor starts this: use 'gateway run'",
                code: "no-parent")
        }
        let source = ConfigSource(options: options, environment: environment)
        let lastGood = try Self.takeLastGood(&given)
        let (loaded, mistake) = try source.load(orFrom: lastGood)
        let config = loaded.config
        let state = try StateDirectory.open(config, environment: environment)
        let process = try ServingProcess(
            config, source, state: state, lastGood: lastGood,
            parent: ParentLink(descriptor, beat: HeartbeatPlan.interval(environment)))
        for line in mistake?.goingOn ?? [] { process.log.warning(line) }
        let specs = ListenerSpec.all(config, workers: config.workerCount)
        let sockets = try ListeningSockets.open(specs, adopting: &given)
        let restarts = environment["GATEWAY_RESTARTS"].flatMap { Int($0) } ?? 0
        return try process.run(sockets, nil, restarts: restarts, start: start)
    }

    /// A peer that is gone is an error of that write, not the end of the program.
    private func ignoreBrokenPipes() { _ = signal(SIGPIPE, SIG_IGN) }

    /// What the next child is, and a new version of us: the path that was asked for, because a new
    /// program may have come to lie there.
    private static var installed: String {
        guard let path = CommandLine.arguments.first, path.contains("/"),
            unsafe access(path, X_OK) == 0
        else { return executable }
        return path
    }

    /// Ourselves, by a path that `ps` can show.
    static var executable: String {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink("/proc/self/exe", &bytes, bytes.count)
        guard count > 0 else { return "/proc/self/exe" }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// What the user should see once, when everything is open and before anything serves.
struct Announcement {
    let notes: [String]
    let keys: AccessKeys
    let addresses: [(name: String, address: Address)]

    func write(to log: Log) {
        for note in notes { log.warning(note) }
        for (setting, key, file) in keys.fresh {
            log.info("\(setting) is \(key.disclosed), shown this once and kept in \(file)")
        }
        for (name, address) in addresses { log.info("listening: \(name) \(address)") }
        if let page = addresses.first(where: { $0.name == ListenerSpec.http }) {
            log.info("open http://localhost:\(page.address.port)/ in a browser")
        }
    }
}
