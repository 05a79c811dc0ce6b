import Foundation
import ICE
import System
import Testing
import Wire

@testable import Gateway

/// The bench against the built program: real sockets, ICE, DTLS and SRTP on both sides.
@Suite(.serialized) struct BenchTests {
    private func bench(
        _ stream: String, at gateway: RunningGateway, _ more: [String], isThere: Bool = true
    ) throws -> BenchTally {
        let url = "http://127.0.0.1:\(try gateway.port("http"))/whep/\(stream)"
        let options = try BenchOptions(["whep", "--url", url, "--seconds", "1"] + more)
        // The demo begins a moment after the gateway serves: until then all are sent away.
        for _ in 0..<50 {
            var bench = try WHEPBench.open(options)
            let tally = try bench.run()
            if !isThere || !tally.failures.keys.contains(where: { $0.contains("not-live") }) {
                return tally
            }
        }
        throw SystemError(doing: "wait for the demo", code: ETIMEDOUT)
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
            try gateway.endWell()
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

    @Test func viewersOfFLVReadTags() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise", "--demo"])
            let url = "http://127.0.0.1:\(try gateway.port("http"))/live/demo-h264.flv"
            let options = try BenchOptions(
                ["flv", "--url", url, "--seconds", "1", "--viewers", "4"])
            var bench = try FLVBench.open(options)
            let tally = try bench.run()
            #expect(tally.failures == [:] && tally.joins == 4)
            #expect(tally.counts.frames > 40 && tally.counts.packets >= tally.counts.frames)
            let nobody = try BenchOptions(
                ["flv", "--url", url.replacing("demo-h264", with: "nobody")])
            var other = try FLVBench.open(nobody)
            #expect(try other.run().failed == 1)
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

    /// Whoever watches goes on watching; who comes is told why not, and when to come back.
    @Test func beyondItsBandwidthTheGatewaySendsNewViewersAway() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(
                folder, ["--no-supervise", "--demo", "--set", "limits.bandwidth=1"])
            let words = ["--viewers", "24", "--ramp", "6/s"]
            let tally = try bench("live/demo-h264", at: gateway, words)
            #expect(tally.joins >= 3 && tally.failed > 0)
            #expect(tally.counts.lost == 0)
            let cause = try #require(tally.failures.keys.first)
            #expect(cause.hasPrefix("HTTP 503: overloaded: "))
            #expect(cause.contains("see limits.bandwidth"))
            let metrics = try HTTP.get("/metrics", port: gateway.port("admin"))
            #expect(metrics.contains("gateway_overload_refused_total \(tally.failed)\n"))
        }
    }

    @Test func aPublishersPicturesSayWhenTheyLeft() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise"])
            let url = "rtmp://127.0.0.1:\(try gateway.port("rtmp"))/live/a"
            let options = try BenchOptions([
                "rtmp", "--url", url, "--seconds", "12", "--kbps", "500", "--gop", "15",
            ])
            let published = Locked<RTMPBench.Tally?>(nil)
            let publisher = try System.Thread("publisher") {
                do {
                    var bench = try RTMPBench.open(options)
                    let tally = try bench.run()
                    published.withLock { $0 = tally }
                } catch { Issue.record(error) }
            }
            let port = try gateway.port("http")
            let isLive = RunningGateway.until {
                guard let line = try? Line(port: port),
                    let list = try? Fetched("GET", "/api/v1/streams", on: line)
                else { return false }
                let items = list.json("items") as? [[String: Any]] ?? []
                return items.contains { $0["ready"] as? Bool == true }
            }
            #expect(isLive)
            let tally = try bench("live/a", at: gateway, ["--viewers", "2", "--seconds", "2"])
            publisher.join()
            #expect(tally.failures == [:] && tally.joins == 2 && tally.counts.lost == 0)
            #expect(tally.delay?.source == .stamp)
            #expect((tally.delay?.lengths.count ?? 0) > 60)
            #expect(tally.delay?.lengths.negative == 0)
            let sent = try #require(published.withLock { $0 })
            #expect(sent.frames == 360)
            #expect((600_000..<900_000).contains(sent.bytes))
        }
    }

    @Test func aStreamThatIsNotThereIsSaidSo() throws {
        try Folder.with { folder in
            let gateway = try RunningGateway.serving(folder, ["--no-supervise"])
            let tally = try bench("live/nobody", at: gateway, [], isThere: false)
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
