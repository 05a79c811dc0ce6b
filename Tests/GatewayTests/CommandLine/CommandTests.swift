import Gateway
import Testing

struct CommandTests {
    static func options(_ file: String?, _ settings: [String] = []) -> Command.Options {
        var options = Command.Options()
        options.file = file
        options.settings = settings
        return options
    }

    @Test(
        arguments: [
            ([], .run(options(nil))),
            (["run"], .run(options(nil))),
            (["my.yml"], .run(options("my.yml"))),
            (["etc/gateway"], .run(options("etc/gateway"))),
            (["run", "my"], .run(options("my"))),
            (["-c", "a.yml"], .run(options("a.yml"))),
            (["--config=a=b.yml"], .run(options("a=b.yml"))),
            (
                ["--set", "workers=2", "--set=log.level=debug"],
                .run(options(nil, ["workers=2", "log.level=debug"]))
            ),
            (["--no-supervise"], .run(options(nil, ["supervise=false"]))),
            (["check-config", "a.yml", "--set", "x=y"], .checkConfig(options("a.yml", ["x=y"]))),
            (["check-config", "--print-defaults"], .printDefaults),
            (["version"], .version), (["--version"], .version), (["-V"], .version),
            (["--help"], .help(.overview)), (["help"], .help(.overview)),
            (["help", "run"], .help(.run)), (["run", "-h"], .help(.run)),
            (["check-config", "--help"], .help(.checkConfig)),
            (["serve", "--config", "a.yml"], .serve(options("a.yml"))),
        ] as [([String], Command)])
    func understands(arguments: [String], command: Command) throws {
        #expect(try Command(arguments) == command)
    }

    @Test(
        arguments: [
            (["chek-config"], "no such command: chek-config: did you mean 'check-config'?"),
            (["launch"], "no such command: launch: try 'gateway help'"),
            (["--confg", "x"], "no such option: --confg: did you mean --config?"),
            (["-x"], "no such option: -x: try 'gateway help'"),
            (["--print-defaults"], "no such option: --print-defaults: try 'gateway help'"),
            (["--set"], "--set needs a value: try 'gateway help run'"),
            (["--no-supervise=1"], "no such option: --no-supervise: try 'gateway help'"),
            (["a.yml", "b.yml"], "two configuration files: a.yml and b.yml"),
            (["version", "now"], "unexpected word: now: try 'gateway help'"),
        ] as [([String], String)])
    func refuses(arguments: [String], message: String) {
        let error = #expect(throws: UsageError.self) { try Command(arguments) }
        #expect(error?.description == message)
    }

    @Test(arguments: Command.Topic.allCases)
    func helpFitsATerminal(topic: Command.Topic) {
        let lines = HelpText.text(topic).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 90 })
    }
}
