import Foundation
import Glibc
import Testing

/// The built program, killed and told to stop in every way.
@Suite(.serialized) struct SupervisionTests {
    @Test func aKilledChildIsBackWithinASecondOnTheSameSockets() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            let first = try #require(gateway.children.first)
            let sockets = RunningGateway.sockets(of: first)
            // Two workers with http and webrtc-udp, and admin.
            #expect(sockets.count >= 5)
            let died = Date()
            kill(first, SIGKILL)
            let line = try gateway.line("serving, version", number: 2)
            #expect(Date().timeIntervalSince(died) < 1)
            #expect(line.contains("restarts=1"))
            let second = try #require(gateway.children.first)
            #expect(second != first && RunningGateway.sockets(of: second) == sockets)
            #expect(try gateway.line("code=child-died").contains("was killed by signal 9"))
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 1)
        }
    }

    @Test func fiveDeathsInAMinuteSlowItDownAndTheParentSaysSo() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            for death in 1...5 {
                let isThere = RunningGateway.until { !gateway.children.isEmpty }
                try #require(isThere)
                kill(gateway.children[0], SIGKILL)
                if death < 5 { _ = try gateway.line("serving, version", number: death + 1) }
            }
            _ = try gateway.line("code=backing-off")
            let answer = try HTTP.get("/readyz", port: gateway.port("admin"))
            #expect(answer.hasPrefix("HTTP/1.1 503 "))
            #expect(
                answer.hasSuffix("not serving: the server died 5 times and starts again soon\n"))
            #expect(gateway.children.isEmpty)
            gateway.send(SIGTERM)
            try gateway.endWell(deaths: 5)
        }
    }

    @Test func termDrainsAndASecondOneKills() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            gateway.send(SIGTERM)
            let (code, text) = try gateway.end()
            #expect(code == 0)
            #expect(
                text.contains("stopping, at most 5000 ms") && text.contains("INF gateway stopped"))

            let stuck = try RunningGateway.serving(folder)
            let child = try #require(stuck.children.first)
            kill(child, SIGSTOP)
            stuck.send(SIGTERM)
            // A pending signal is not counted: the second has to come after the first was seen.
            let isTold = RunningGateway.until { RunningGateway.isPending(SIGTERM, at: child) }
            #expect(isTold)
            stuck.send(SIGTERM)
            #expect(try stuck.end().code == 0)
            #expect(!RunningGateway.isAlive(child))
        }
    }

    @Test func aChildDoesNotOutliveItsParent() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            let child = try #require(gateway.children.first)
            gateway.send(SIGKILL)
            let isGone = RunningGateway.until { !RunningGateway.isAlive(child) }
            #expect(isGone)
        }
    }

    @Test func aChildThatIsToldToStopIsNotStartedAgain() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            kill(try #require(gateway.children.first), SIGTERM)
            try gateway.endWell()
        }
    }

    @Test func unsupervisedThereIsOneProcess() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise"])
            #expect(gateway.children.isEmpty)
            gateway.send(SIGINT)
            try gateway.endWell()
        }
    }

    @Test func whatCannotStartSaysWhyOnceAndIsNotTriedAgain() throws {
        try Folder.with { folder in
            let cases: [([String], Int32, String)] = [
                (["lauch"], 2, "error: no such command: lauch"),
                (["none.yml"], 2, "error: none.yml: open none.yml: No such file or directory"),
                (["--set", "workers=x"], 2, "error: --set: workers: \"x\" is not a number"),
                (["--set", "log.output=/proc/no/log"], 1, "error: log.output: open the log"),
                (["--set", "state.dir=/proc/no"], 1, "error: state.dir: make the directory"),
                (["check-config"], 0, "no file, only defaults: ok"),
                (["version"], 0, "gateway "),
                (["serve"], 1, "error: serve: only the supervisor starts this"),
            ]
            for (arguments, code, text) in cases {
                let ports = arguments[0].hasPrefix("--") ? RunningGateway.anyPorts : []
                let end = try RunningGateway(arguments + ports, in: folder).end()
                #expect(end.code == code)
                #expect(end.text.hasPrefix(text) && end.text.split(separator: "\n").count == 1)
            }
        }
    }

    @Test func aBusyPortIsAnErrorAtOnce() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            let port = try gateway.port("http")
            let second = try RunningGateway(
                RunningGateway.anyPorts + ["--set", "http.listen=127.0.0.1:\(port)"], in: folder)
            let (code, text) = try second.end()
            #expect(code == 1)
            #expect(
                text.hasPrefix("error: http.listen: bind TCP 127.0.0.1:\(port): Address already"))
            #expect(text.contains("another program has this port"))
            gateway.send(SIGTERM)
            _ = try gateway.end()
        }
    }
}

extension RunningGateway {
    /// Whether a stopped process has a signal waiting for it.
    static func isPending(_ signal: Int32, at pid: pid_t) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let masks = text.split(separator: "\n").filter { $0.hasPrefix("ShdPnd:") }
        guard let mask = masks.first?.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) })
        else { return false }
        return mask & 1 << UInt64(signal - 1) != 0
    }
}

/// One request over a plain socket.
enum HTTP {
    static func get(_ path: String, port: UInt16) throws -> String {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return "connect: \(errno)" }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)
        _ = unsafe write(number, request, request.count)
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe read(number, &piece, piece.count)
            guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
            answer += piece[..<count]
        }
    }
}
