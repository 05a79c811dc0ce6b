import Foundation
import Testing

/// A program of this machine that a test runs against real workers.
final class Tool {
    private let process = Process()
    private let output = Pipe()

    static func path(_ name: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/"].map { $0 + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static let hasFFmpeg = path("ffmpeg") != nil && path("ffprobe") != nil

    init(_ name: String, _ arguments: [String]) throws {
        process.executableURL = URL(filePath: Self.path(name) ?? "/nonexistent/\(name)")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Splits at spaces: no argument of ours has one.
    convenience init(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        try self.init(words[0], Array(words.dropFirst()))
    }

    /// Everything it said. It is killed if it takes longer than a test should.
    func end(within seconds: Double = 30) -> (code: Int32, text: String) {
        let process = process
        let deadline = DispatchTime.now() + seconds
        DispatchQueue.global().asyncAfter(deadline: deadline) {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    func stop() { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    deinit { stop() }
}
