import Foundation
import Glibc
import Synchronization
import Testing

/// The built program as a process of its own, with ports that the kernel chooses.
final class RunningGateway: Sendable {
    /// What it has said; the thread that listens holds this, and not the gateway, which would then
    /// never be ended by a test that fails.
    private final class Output: Sendable {
        struct Heard {
            var text = ""
            var isOver = false
        }

        let heard = Mutex(Heard())
    }

    private let output = Output()
    let pid: pid_t
    private let process: Process

    /// Longer than anything here takes on a busy machine: a test that fails waits so long once.
    static let patience: TimeInterval = 20

    static let executable = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "gateway")

    static let anyPorts = [
        "--set", "http.listen=127.0.0.1:0", "--set", "webrtc.listen=127.0.0.1:0", "--set",
        "admin.listen=127.0.0.1:0", "--set", "rtmp.listen=127.0.0.1:0", "--set",
        "rtsp.listen=127.0.0.1:0", "--set", "srt.listen=127.0.0.1:0", "--set", "workers=2",
    ]

    init(
        _ arguments: [String], in folder: URL, environment: [String: String] = [:],
        executable: URL = RunningGateway.executable
    ) throws {
        process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["STATE_DIRECTORY": folder.path + "/state"].merging(environment) {
            $1
        }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        pid = process.processIdentifier
        let reader = pipe.fileHandleForReading
        Thread.detachNewThread { [output] in
            while true {
                let data = reader.availableData
                output.heard.withLock { heard in
                    heard.text += String(decoding: data, as: UTF8.self)
                    heard.isOver = data.isEmpty
                }
                if data.isEmpty { return }
            }
        }
    }

    deinit { if process.isRunning { kill(pid, SIGKILL) } }

    static func serving(_ folder: URL, _ more: [String] = []) throws -> RunningGateway {
        let gateway = try RunningGateway(anyPorts + more, in: folder)
        _ = try gateway.line("serving, version")
        return gateway
    }

    var text: String { output.heard.withLock { $0.text } }

    struct Missing: Error {
        let wanted: String
        let text: String
    }

    /// The `number`th line with this text, as soon as it is there.
    func line(_ wanted: String, number: Int = 1) throws -> String {
        var found: [Substring] = []
        let isThere = Self.until {
            found = text.split(separator: "\n").filter { $0.contains(wanted) }
            return found.count >= number
        }
        guard isThere else { throw Missing(wanted: wanted, text: text) }
        return String(found[number - 1])
    }

    struct Died: Error {
        let times: Int
        let text: String
    }

    /// Everything it said, and its exit code.
    ///
    /// - Parameter deaths: How often the test has made the serving process die; no other test may
    ///   end with a process that was replaced.
    func end(deaths: Int = 0) throws -> (code: Int32, text: String) {
        guard Self.until({ !process.isRunning && output.heard.withLock { $0.isOver } }) else {
            throw Missing(wanted: "the end", text: text)
        }
        let times = text.components(separatedBy: "code=child-died").count - 1
        guard times == deaths else { throw Died(times: times, text: text) }
        return (process.terminationStatus, text)
    }

    /// The same, of one that must say 0; if not, what it said is shown.
    func endWell(
        deaths: Int = 0, at place: SourceLocation = #_sourceLocation
    ) throws {
        let end = try end(deaths: deaths)
        #expect(end.code == 0, "\(end.text.suffix(4000))", sourceLocation: place)
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// The processes that it has started.
    var children: [pid_t] {
        let path = "/proc/\(pid)/task/\(pid)/children"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        return text.split(separator: " ").compactMap { pid_t($0) }
    }

    func port(_ name: String) throws -> UInt16 {
        let line = try line("listening: \(name) ")
        return line.split(separator: ":").last.flatMap { UInt16($0) } ?? 0
    }

    /// Looks until it is so. The only waiting there is: a process tells nobody when it changes.
    static func until(_ isSo: () -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: patience)
        while Date() < end {
            if isSo() { return true }
            usleep(2000)
        }
        return isSo()
    }

    /// The sockets that a process holds, by their numbers in the kernel.
    static func sockets(of pid: pid_t) -> Set<String> {
        let folder = "/proc/\(pid)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = names.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        return Set(targets.filter { $0.hasPrefix("socket:") })
    }

    static func isAlive(_ pid: pid_t) -> Bool {
        let path = "/proc/\(pid)/stat"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
        return !text.contains(") Z ")
    }
}
