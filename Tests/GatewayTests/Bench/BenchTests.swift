import Foundation
import ICE
import Testing
import Wire

@testable import Gateway

/// The bench against the built program: real sockets, ICE, DTLS and SRTP on both sides.
@Suite(.serialized) struct BenchTests {
    private func bench(
        _ stream: String, at gateway: RunningGateway, _ more: [String]
    ) throws -> BenchTally {
        let url = "http://127.0.0.1:\(try gateway.port("http"))/whep/\(stream)"
        let options = try BenchOptions(["whep", "--url", url, "--seconds", "1"] + more)
        var bench = try WHEPBench.open(options)
        return try bench.run()
    }

    @Test func viewersJoinPlayAndLeave() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise", "--demo"])
            let words = ["--viewers", "6", "--rounds", "2", "--pid", "\(gateway.pid)"]
            let tally = try bench("live/demo-h264", at: gateway, words)
            #expect(tally.failures == [:])
            #expect(tally.asked == 12 && tally.joins == 12 && tally.unanswered == 0)
            #expect(tally.joinTimes.count == 12 && tally.firstPackets.count == 12)
            // Twelve viewers of 20 pictures and 50 pieces of sound a second, on a busy machine.
            #expect(tally.counts.packets > 400 && tally.counts.frames > 100)
            #expect(tally.counts.opened >= tally.counts.packets)
            #expect(tally.counts.forged == 0 && tally.counts.strays == 0)
            #expect(tally.counts.lost == 0)
            #expect((tally.serverPercent ?? 0) > 0)
            // The demo has no clock of its own: the gateway says when it read each picture.
            #expect(tally.delay?.source == .capture)
            #expect(Self.isEmpty(gateway))
            gateway.send(SIGTERM)
            #expect(try gateway.end().code == 0)
        }
    }

    @Test func whoDoesNotDecryptCountsTheSame() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise", "--demo"])
            let words = ["--viewers", "6", "--check", "1/3", "--ramp", "50/s"]
            let tally = try bench("live/demo", at: gateway, words)
            #expect(tally.failures == [:] && tally.joins == 6)
            #expect(tally.counts.lost == 0 && tally.counts.forged == 0)
            let share = Double(tally.counts.opened) / Double(tally.counts.packets)
            #expect((0.2...0.45).contains(share), "two of six viewers open packets")
        }
    }

    @Test func aRefusalNamesTheSettingThatLiftsIt() throws {
        try Folder.with { folder in
            let setting = "limits.pending-sessions-per-source"
            let gateway = try RunningGateway.serving(
                folder, ["--no-supervise", "--demo", "--set", "\(setting)=1"])
            let tally = try bench("live/demo", at: gateway, ["--viewers", "20"])
            #expect(tally.failed > 0 && tally.joins > 0)
            let cause = try #require(tally.failures.keys.first)
            #expect(cause.hasPrefix("HTTP 429: too-many-sessions: 1 sessions from 127.0.0.1"))
            #expect(cause.hasSuffix("--set \(setting)=NUMBER, or lower --ramp)"))
        }
    }

    @Test func aStreamThatIsNotThereIsSaidSo() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise"])
            let tally = try bench("live/nobody", at: gateway, [])
            #expect(tally.joins == 0)
            #expect(tally.failures.keys.first?.contains("publish to this stream first") == true)
        }
    }

    @Test func aServerThatIsNotThereIsSaidSo() throws {
        let options = try BenchOptions(["whep", "--url", "http://127.0.0.1:1/whep/a/b"])
        do throws(StartError) {
            _ = try WHEPBench.open(options)
            Issue.record("port 1 answers")
        } catch { #expect(error.lines.contains("nothing listens there")) }
    }

    /// Gone at the server, too: the DELETE has done it.
    private static func isEmpty(_ gateway: RunningGateway) -> Bool {
        RunningGateway.until {
            guard let port = try? gateway.port("admin"),
                let text = try? HTTP.get("/metrics", port: port)
            else { return false }
            let lines = text.split(separator: "\r\n").last?.split(separator: "\n") ?? []
            let sessions = lines.filter { $0.hasPrefix("gateway_webrtc_sessions{") }
            return !sessions.isEmpty && sessions.allSatisfy { $0.hasSuffix(" 0") }
        }
    }
}
