import Foundation
import Glibc
import System
import Testing
import Wire

/// A gateway that nobody calls by SRT pays nothing for it.
@Suite(.serialized) struct SRTSleepTests {
    private static func threads(of process: pid_t) -> [String] {
        let tasks = "/proc/\(process)/task"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return names.compactMap {
            try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)
        }
    }

    @Test func libsrtBeginsWithTheFirstDatagram() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder)
            let child = try #require(gateway.children.first)
            let before = Self.threads(of: child)
            #expect(before.contains("srt\n"), "it sleeps in a thread of its own")
            #expect(!before.contains { $0.hasPrefix("SRT:") }, "\(before)")
            let socket = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
            let target = try Address(ipv4: 0x7f00_0001, port: gateway.port("srt"))
            #expect(
                RunningGateway.until {
                    socket.send([1, 2, 3].raw, to: target)
                    return Self.threads(of: child).contains { $0.hasPrefix("SRT:") }
                })
            gateway.send(SIGTERM)
            try gateway.endWell()
        }
    }
}
