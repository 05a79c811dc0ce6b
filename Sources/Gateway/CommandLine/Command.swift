import Settings

/// What the user asked for on the command line.
package enum Command: Equatable, Sendable {
    case run(Options)
    /// The part of `run` that serves, started by the supervisor only.
    case serve(Options)
    case checkConfig(Options)
    case bench(BenchOptions)
    case printDefaults
    case version
    case help(Topic)
    case helpBench(BenchOptions.Kind)

    package enum Topic: String, CaseIterable, Sendable {
        case overview = "help"
        case run
        case checkConfig = "check-config"
        case bench
        case version
    }

    package struct Options: Equatable, Sendable {
        package var file: String?
        /// `NAME=VALUE`, in order.
        package var settings: [String] = []

        package init() {}

        /// The same again, for the child.
        var arguments: [String] {
            let file = file.map { ["--config", $0] } ?? []
            return file + settings.flatMap { ["--set", $0] }
        }
    }
}

/// Something on the command line that we do not understand, and what was probably meant.
package struct UsageError: Error, Equatable, CustomStringConvertible {
    package var description: String
}

extension Command {
    /// Not in the help: nobody but the supervisor has the sockets it expects.
    package static let serve = "serve"

    /// - Parameter arguments: Without the name of the program.
    package init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        let topic = try Self.topic(&rest)
        if topic == .bench {
            if rest.contains("--help") || rest.contains("-h") {
                let kind = rest.first.flatMap { BenchOptions.Kind(rawValue: $0) }
                self = kind.map { .helpBench($0) } ?? .help(.bench)
            } else {
                self = .bench(try BenchOptions(Array(rest)))
            }
            return
        }
        var words = CommandWords(topic: topic)
        while let word = rest.popFirst() { try words.take(word, &rest) }
        if words.wantsHelp {
            self = .help(topic ?? .overview)
        } else if words.wantsVersion {
            self = .version
        } else {
            switch topic ?? .run {
            case .overview: self = .help(words.helpOn ?? .overview)
            case .version, .bench: self = .version
            case .checkConfig:
                self = words.printsDefaults ? .printDefaults : .checkConfig(words.options)
            case .run:
                let isChild = arguments.first == Self.serve
                self = isChild ? .serve(words.options) : .run(words.options)
            }
        }
    }

    /// The command, if the first word is one. A first word that looks like a path is the
    /// configuration file, as users of other servers write it.
    private static func topic(_ rest: inout ArraySlice<String>) throws(UsageError) -> Topic? {
        guard let word = rest.first, !word.hasPrefix("-") else { return nil }
        if let topic = word == serve ? .run : Topic(rawValue: word) {
            rest.removeFirst()
            return topic
        }
        if word.contains("/") || word.contains(".") { return nil }
        let near = NearestName.find(word, in: Topic.allCases.map(\.rawValue))
        let hint = near.map { "did you mean '\($0)'?" } ?? "try 'gateway help'"
        throw UsageError(description: "no such command: \(word): \(hint)")
    }
}

/// The words behind the command, as far as they have been read.
private struct CommandWords {
    private static let flags = [
        "--config", "--set", "--no-supervise", "--demo", "--print-defaults", "--help", "--version",
    ]

    let topic: Command.Topic?
    var options = Command.Options()
    var wantsHelp = false
    var wantsVersion = false
    var printsDefaults = false
    var helpOn: Command.Topic?

    init(topic: Command.Topic?) { self.topic = topic }

    mutating func take(_ word: String, _ rest: inout ArraySlice<String>) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let hasValue = word.hasPrefix("--") && parts.count == 2
        let flag = hasValue ? String(parts[0]) : word
        var value = hasValue ? String(parts[1]) : nil
        if ["--config", "-c", "--set"].contains(flag), value == nil {
            guard let next = rest.popFirst() else {
                throw UsageError(description: "\(flag) needs a value: try 'gateway help run'")
            }
            value = next
        }
        switch (flag, value) {
        case ("--config", let path?), ("-c", let path?): try take(file: path)
        case ("--set", let setting?): options.settings.append(setting)
        case ("--help", nil), ("-h", nil): wantsHelp = true
        case ("--version", nil), ("-V", nil): wantsVersion = true
        case ("--no-supervise", nil) where topic != .checkConfig:
            options.settings.append("supervise=false")
        case ("--demo", nil) where topic != .checkConfig:
            options.settings.append("demo=true")
        case ("--print-defaults", nil) where topic == .checkConfig: printsDefaults = true
        case (_, nil) where !flag.hasPrefix("-"): try take(word: flag)
        default: throw unknown(flag)
        }
    }

    private mutating func take(word: String) throws(UsageError) {
        switch topic {
        case .overview where helpOn == nil && Command.Topic(rawValue: word) != nil:
            helpOn = Command.Topic(rawValue: word)
        case .overview, .version, .bench:
            throw UsageError(description: "unexpected word: \(word): try 'gateway help'")
        case .run, .checkConfig, nil: try take(file: word)
        }
    }

    private mutating func take(file: String) throws(UsageError) {
        if let other = options.file {
            throw UsageError(description: "two configuration files: \(other) and \(file)")
        }
        options.file = file
    }

    private func unknown(_ flag: String) -> UsageError {
        let near = NearestName.find(flag, in: Self.flags.filter { $0 != flag })
        let hint = near.map { "did you mean \($0)?" } ?? "try 'gateway help'"
        return UsageError(description: "no such option: \(flag): \(hint)")
    }
}
