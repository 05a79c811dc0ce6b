import Foundation
import Glibc
import Synchronization
import Testing

/// The built program, asked to make room for a new version of itself.
@Suite(.serialized) struct UpgradeTests {
    @Test func aNewVersionTakesOverOnTheSameSocketsAndNobodyIsRefused() throws {
        try Folder.with { folder in
            let gateway = try Installed(in: folder).serving()
            let first = try #require(gateway.children.first)
            let sockets = RunningGateway.sockets(of: first)
            let visitor = Visitor(port: try gateway.port("http"))
            // What is started from here on is another program: it leaves a mark and goes on.
            let installed = Installed(in: folder)
            try installed.replace(
                "#!/bin/sh\necho \"$1\" >> marks\nexec \(installed.original) \"$@\"\n")
            gateway.send(SIGUSR2)
            let line = try gateway.line("upgraded: this is version")
            #expect(line.contains(" supervisor "))
            _ = try gateway.line("the old version has finished")
            let second = try #require(gateway.children.first)
            #expect(gateway.children.count == 1 && second != first)
            #expect(RunningGateway.isAlive(gateway.pid) && !RunningGateway.isAlive(first))
            // And those of visitors.
            #expect(RunningGateway.sockets(of: second).isSuperset(of: sockets))
            let marks = try String(
                contentsOf: folder.appending(path: "marks"), encoding: .utf8)
            #expect(marks == "serve\n--set\n", "the new child, then the new parent")
            let (answers, failures) = visitor.leave()
            #expect(answers > 10)
            #expect(failures == [])

            // The new supervisor does all that the old one did, this too.
            gateway.send(SIGUSR2)
            _ = try gateway.line("upgraded: this is version", number: 2)
            _ = try gateway.line("the old version has finished", number: 2)
            let third = try #require(gateway.children.first)
            kill(third, SIGKILL)
            _ = try gateway.line("restarts=1")
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 1)
        }
    }

    @Test(arguments: [
        ("not a program", "ended with code 127"), ("#!/bin/sh\nexit 3\n", "ended with code 3"),
        ("#!/bin/sh\nkill -SEGV $$\n", "was killed by signal 11"),
    ])
    func aNewVersionThatCannotStartChangesNothing(_ text: String, _ cause: String) throws {
        try Folder.with { folder in
            let gateway = try Installed(in: folder).serving()
            let child = try #require(gateway.children.first)
            try Installed(in: folder).replace(text)
            gateway.send(SIGUSR2)
            let line = try gateway.line("code=upgrade-failed")
            #expect(line.contains("of the new version \(cause); the old one goes on"))
            let answer = try HTTP.get("/readyz", port: gateway.port("admin"))
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && gateway.children == [child])
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }

    @Test func aNewVersionThatNeverServesIsGivenUp() throws {
        try Folder.with { folder in
            let gateway = try Installed(in: folder).serving()
            let child = try #require(gateway.children.first)
            try Installed(in: folder).replace("#!/bin/sh\nexec sleep 600\n")
            gateway.send(SIGUSR2)
            #expect(RunningGateway.until { gateway.children.count == 2 })
            gateway.send(SIGUSR2)
            _ = try gateway.line("no upgrade now: another one is going on")
            let line = try gateway.line("code=upgrade-failed")
            #expect(line.contains("does not serve after 10 s; the old one goes on"))
            #expect(RunningGateway.until { gateway.children == [child] })
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }

    @Test func aSupervisorThatCannotBeReplacedGoesOnWithTheNewChild() throws {
        try Folder.with { folder in
            let installed = Installed(in: folder)
            let gateway = try installed.serving()
            let first = try #require(gateway.children.first)
            let sockets = RunningGateway.sockets(of: first)
            let own = RunningGateway.sockets(of: gateway.pid)
            try installed.replace("#!/bin/sh\nrm installed\nexec \(installed.original) \"$@\"\n")
            gateway.send(SIGUSR2)
            let line = try gateway.line("code=upgrade-failed")
            #expect(line.contains("No such file or directory: the new version serves"))
            _ = try gateway.line("the old version has finished")
            let second = try #require(gateway.children.first)
            #expect(second != first && RunningGateway.sockets(of: second) == sockets)
            // It has tried to give its sockets away and has them all back.
            #expect(RunningGateway.sockets(of: gateway.pid) == own)
            try installed.replace("#!/bin/sh\nexec \(installed.original) \"$@\"\n")
            kill(second, SIGKILL)
            _ = try gateway.line("restarts=1")
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 1)
        }
    }

    @Test func aMistakeInTheFileDoesNotStopAnUpgradeOrARestart() throws {
        try Folder.with { folder in
            let file = folder.appending(path: "gateway.yml")
            try "config: { watch: no }\nlimits: { streams: 7 }\n".write(
                to: file, atomically: true, encoding: .utf8)
            let gateway = try Installed(in: folder).serving()
            try "config: { watch: no }\nlimits: { streams: many }\n".write(
                to: file, atomically: true, encoding: .utf8)
            kill(try #require(gateway.children.first), SIGKILL)
            let line = try gateway.line("going on with the last good configuration")
            #expect(line.contains(" gateway ") && line.contains("gateway.yml:2:20: limits.streams"))
            _ = try gateway.line("serving, version", number: 2)

            gateway.send(SIGUSR2)
            _ = try gateway.line("upgraded: this is version")
            // The new child says it, and the new parent.
            _ = try gateway.line("going on with the last good configuration", number: 3)

            // What a reload found good is kept as well.
            try "config: { watch: no }\nlimits: { streams: 9 }\n".write(
                to: file, atomically: true, encoding: .utf8)
            gateway.send(SIGHUP)
            #expect(try gateway.line("reloaded:").hasSuffix("reloaded: limits.streams"))
            _ = try gateway.line("the old version has finished")
            try FileManager.default.removeItem(at: file)
            kill(try #require(gateway.children.first), SIGKILL)
            _ = try gateway.line("serving, version", number: 4)
            try "config: { watch: no }\nlimits: { streams: 9 }\n".write(
                to: file, atomically: true, encoding: .utf8)
            gateway.send(SIGHUP)
            _ = try gateway.line("reloaded: nothing has changed")
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 2)
        }
    }
}

/// The built program under a name of its own, which a test may replace by something else.
private struct Installed {
    let path: URL
    let folder: URL
    var original: String { RunningGateway.executable.path }

    init(in folder: URL) {
        self.folder = folder
        path = folder.appending(path: "installed")
    }

    func serving() throws -> RunningGateway {
        try FileManager.default.createSymbolicLink(
            at: path, withDestinationURL: RunningGateway.executable)
        let gateway = try RunningGateway(RunningGateway.anyPorts, in: folder, executable: path)
        _ = try gateway.line("serving, version")
        return gateway
    }

    /// As package managers do: a new file in the place of the old one.
    func replace(_ text: String) throws {
        let draft = folder.appending(path: "draft")
        try text.write(to: draft, atomically: true, encoding: .utf8)
        try #require(unsafe chmod(draft.path, 0o755) == 0)
        try #require(unsafe rename(draft.path, path.path) == 0)
    }
}

/// Asks for something again and again, each time over a new connection.
private final class Visitor: Sendable {
    private struct Seen {
        var answers = 0
        var failures: [String] = []
        var shouldLeave = false
        var hasLeft = false
    }

    private let seen = Mutex(Seen())

    init(port: UInt16) {
        Thread.detachNewThread { [self] in
            while !seen.withLock({ $0.shouldLeave }) {
                let answer = (try? HTTP.get("/api/v1/info", port: port)) ?? "thrown"
                seen.withLock {
                    if answer.hasPrefix("HTTP/1.1 200 ") {
                        $0.answers += 1
                    } else {
                        $0.failures.append(answer)
                    }
                }
                usleep(1000)
            }
            seen.withLock { $0.hasLeft = true }
        }
    }

    func leave() -> (answers: Int, failures: [String]) {
        seen.withLock { $0.shouldLeave = true }
        _ = RunningGateway.until { seen.withLock { $0.hasLeft } }
        return seen.withLock { ($0.answers, $0.failures) }
    }
}
