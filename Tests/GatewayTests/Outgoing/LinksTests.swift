import Glibc
import Settings
import Stream
import Testing
import Wire

@testable import Gateway

/// Streams that are fetched and brought, between two gateways and real publishers.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct LinksTests {
    private static func source(
        _ url: String, onDemand: Bool = false, always: [String] = ["live/b"]
    ) throws -> LinkPlan {
        let source = LinkPlan.Source(try LinkURL(url), isOnDemand: onDemand)
        return LinkPlan(
            source: { $0 == "live/b" ? source : nil }, always: onDemand ? [] : always)
    }

    /// Looks again until it is so, ten seconds long.
    private static func wait(_ seconds: Double = 10, until isSo: () -> Bool) -> Bool {
        for _ in 0..<Int(seconds * 20) {
            if isSo() { return true }
            usleep(50_000)
        }
        return isSo()
    }

    private static func codecs(_ crew: MediaCrew, _ path: String) -> ([String], String) {
        FFmpegTests.play("http://127.0.0.1:\(crew.httpPorts[0])/\(path)", seconds: 1)
    }

    @Test(arguments: ["rtmp", "http"])
    func aStreamIsFetchedFromElsewhere(_ scheme: String) throws {
        let there = try MediaCrew()
        let publisher = try FLVTests.publish(to: there)
        defer { publisher.stop() }
        let url =
            scheme == "rtmp"
            ? "rtmp://127.0.0.1:\(there.rtmpPorts[0])/live/a"
            : "http://127.0.0.1:\(there.httpPorts[0])/live/a.flv"
        let here = try MediaCrew(workers: 2, links: try Self.source(url))
        let (codecs, text) = Self.codecs(here, "live/b.flv")
        #expect(codecs == ["h264", "aac"], "\(text) \(here.links)")
        #expect(here.links.map(\.state) == [.running])
    }

    @Test func onDemandItIsFetchedWhileSomebodyWatches() throws {
        let there = try MediaCrew()
        let publisher = try FLVTests.publish(to: there)
        defer { publisher.stop() }
        let url = "rtmp://127.0.0.1:\(there.rtmpPorts[0])/live/a"
        let here = try MediaCrew(
            links: try Self.source(url, onDemand: true), onDemand: true)
        #expect(here.links.isEmpty, "nobody watches")
        let (codecs, text) = Self.codecs(here, "live/b.flv")
        #expect(codecs == ["h264", "aac"], "\(text)")
        #expect(Self.wait { here.links.isEmpty }, "and nobody watches any more: \(here.links)")
    }

    @Test func whoWaitsForADeadSourceIsToldWhy() throws {
        let links = try Self.source("rtmp://127.0.0.1:1/live/a", onDemand: true)
        let here = try MediaCrew(links: links, onDemand: true)
        let line = try Line(port: here.httpPorts[0])
        line.send(Array("GET /live/b.flv HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let said = line.hear() ?? "nothing"
        #expect(said.contains(" 502 ") || said.contains(" 504 "), "\(said)")
    }

    @Test func aSourceIsTriedAgainAndSaysWhatIsWrong() throws {
        let here = try MediaCrew(links: try Self.source("rtmp://127.0.0.1:1/live/a"))
        #expect(Self.wait { (here.links.first?.failures ?? 0) >= 3 }, "\(here.links)")
        let link = try #require(here.links.first)
        #expect(link.cause.contains("connect to 127.0.0.1:1"), "\(link.cause)")
        #expect(link.url == "rtmp://127.0.0.1:1/live/…")
    }

    @Test func aSourceThatComesBackIsFetchedAgain() throws {
        let there = try MediaCrew()
        let url = "rtmp://127.0.0.1:\(there.rtmpPorts[0])/live/a"
        let here = try MediaCrew(links: try Self.source(url))
        let first = try FLVTests.publish(to: there)
        #expect(Self.wait(15) { here.links.first?.state == .running }, "\(here.links)")
        first.stop()
        #expect(Self.wait(40) { here.links.first?.state != .running }, "\(here.links)")
        let second = try FLVTests.publish(to: there)
        defer { second.stop() }
        #expect(Self.wait(20) { here.links.first?.state == .running }, "\(here.links)")
    }

    @Test func aStreamIsBroughtElsewhereWhileItIsLive() throws {
        let there = try MediaCrew()
        let url = try LinkURL("rtmp://127.0.0.1:\(there.rtmpPorts[0])/live/c")
        let here = try MediaCrew(links: LinkPlan(pushes: { _ in [url] }))
        let publisher = try FLVTests.publish(to: here)
        defer { publisher.stop() }
        let (codecs, text) = Self.codecs(there, "live/c.flv")
        #expect(codecs == ["h264", "aac"], "\(text) \(here.links)")
        #expect(here.links.map(\.state) == [.running])
    }

    /// Wrong key there: the state says so, and it is tried again.
    @Test func aRefusedPushSaysWhy() throws {
        let there = try MediaCrew()
        let url = try LinkURL("rtmp://127.0.0.1:\(there.rtmpPorts[0])/live/c?token=wrong")
        let here = try MediaCrew(links: LinkPlan(pushes: { _ in [url] }))
        let publisher = try FLVTests.publish(to: here)
        defer { publisher.stop() }
        #expect(
            Self.wait { here.links.first?.cause.contains("NetStream.Publish.Denied") == true },
            "\(here.links)")
        #expect(here.links.first?.url.contains("wrong") == false)
    }

    @Test func anApplicationGetsTheStreamsNameBehindIt() throws {
        var config = Config()
        var path = PathConfig()
        path.forward = [
            try LinkURL("rtmp://h/app?token=x"), try LinkURL("rtmp://h/app/stream"),
        ]
        config.paths = [
            PathRule(pattern: try #require(PathPattern("live/*")), settings: path)
        ]
        let pushes = LinkPlan(config).pushes("live/cam1")
        #expect(pushes.map(\.path) == ["app/cam1?token=x", "app/stream"])
    }
}
