import Foundation
import System
import Testing
import Wire

struct LogWriterTests {
    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    static func lines(_ file: URL) -> [Substring] {
        ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    @Test func writesFromManyThreadsAndFlushes() throws {
        try Self.withFolder { folder in
            let file = folder.appending(path: "g.log")
            let target = LogOutput.Target.file(path: file.path, largest: 1 << 30, keep: 1)
            let writer = try LogWriter(level: .info, format: .text, target: target)
            let log = Log(writer.sink, "m")
            DispatchQueue.concurrentPerform(iterations: 4) { thread in
                for index in 0..<100 { log.info("line \(thread) \(index)") }
            }
            #expect(writer.flush(within: .seconds(10)))
            let lines = Self.lines(file)
            #expect(lines.count == 400)
            #expect(Set(lines.map { $0.dropFirst(25) }).count == 400)
        }
    }

    @Test func aFileThatWasMovedAwayIsBegunAgain() throws {
        try Self.withFolder { folder in
            let file = folder.appending(path: "g.log")
            let target = LogOutput.Target.file(path: file.path, largest: 1 << 30, keep: 1)
            let writer = try LogWriter(level: .info, format: .text, target: target)
            let log = Log(writer.sink, "m")
            log.info("before")
            writer.flush(within: .seconds(10))
            try FileManager.default.moveItem(at: file, to: folder.appending(path: "old.log"))
            writer.reopen()
            log.info("after")
            writer.flush(within: .seconds(10))
            #expect(Self.lines(file).map { $0.suffix(5) } == ["after"])
        }
    }

    @Test func aLargeFileIsRenamedAndOldOnesGo() throws {
        try Self.withFolder { folder in
            let file = folder.appending(path: "g.log")
            let target = LogOutput.Target.file(path: file.path, largest: 100, keep: 2)
            var output = try LogOutput(target)
            for index in 0..<5 {
                output.write(Array("\(index)\(String(repeating: "x", count: 70))\n".utf8))
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            #expect(names == ["g.log", "g.log.1", "g.log.2"])
            #expect(Self.lines(file).first?.first == "4")
            #expect(Self.lines(folder.appending(path: "g.log.1")).first?.first == "3")
            #expect(Self.lines(folder.appending(path: "g.log.2")).first?.first == "2")
        }
    }

    @Test func aPathThatCannotBeIsAnErrorAtOnce() {
        let target = LogOutput.Target.file(path: "/nowhere/at/all.log", largest: 1, keep: 1)
        let error = #expect(throws: SystemError.self) {
            _ = try LogWriter(level: .info, format: .text, target: target)
        }
        #expect(
            error?.description.hasPrefix("open the log /nowhere/at/all.log: No such file") == true)
    }
}
