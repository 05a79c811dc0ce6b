import Settings
import Stream
import Testing
import Wire

@testable import Gateway

/// Streams that are fetched and brought by SRT, between two gateways.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct SRTLinksTests {
    private static func source(_ url: String) throws -> LinkPlan {
        let source = LinkPlan.Source(try LinkURL(url), isOnDemand: false)
        return LinkPlan(source: { $0 == "live/b" ? source : nil }, always: ["live/b"])
    }

    @Test func aStreamIsFetched() throws {
        let there = try SRTCrew(passphrase: "correct-horse")
        let publisher = try SRTTests.publish(
            there.url("publish:live/a", "&passphrase=correct-horse"))
        defer { publisher.stop() }
        let url = there.url("read:live/a", "&passphrase=correct-horse")
        let here = try SRTCrew(links: try Self.source(url))
        let (codecs, text) = here.play("live/b.flv")
        #expect(codecs == ["h264", "aac"], "\(text) \(here.links)")
        #expect(here.links.map(\.state) == [.running])
    }

    @Test func aStreamIsBrought() throws {
        let there = try SRTCrew()
        let url = try LinkURL("srt://127.0.0.1:\(there.port)/live/c")
        let here = try SRTCrew(links: LinkPlan(pushes: { _ in [url] }))
        let publisher = try SRTTests.publish(here.url("publish:live/a"))
        defer { publisher.stop() }
        let (codecs, text) = there.play("live/c.flv")
        #expect(codecs == ["h264", "aac"], "\(text) \(here.links)")
        #expect(here.links.map(\.state) == [.running])
    }

    @Test(arguments: [
        ("srt://127.0.0.1:PORT?streamid=read:../a", "1400"),
        ("srt://127.0.0.1:PORT?streamid=read:live/a&passphrase=correct-horse", "assword"),
        ("srt://127.0.0.1:PORT?streamid=read:live/a&latency=200000", "milliseconds"),
        ("srt://127.0.0.1:1?streamid=read:live/a", "time"),
    ])
    func aCallThatFailsSaysWhy(_ text: String, _ words: String) throws {
        let there = try SRTCrew()
        let url = text.replacing("PORT", with: "\(there.port)")
        let here = try SRTCrew(links: try Self.source(url))
        let isSaid = SRTTests.wait(15) { here.links.first?.cause.contains(words) == true }
        #expect(isSaid, "\(here.links)")
        #expect(here.links.first?.url.contains("horse") == false)
    }

    @Test func aURLWithAnIDIsTakenAsItIs() throws {
        var config = Config()
        var path = PathConfig()
        path.forward = [
            try LinkURL("srt://h:9000?streamid=publish:x/y"), try LinkURL("srt://h:9000/app"),
        ]
        config.paths = [PathRule(pattern: try #require(PathPattern("live/*")), settings: path)]
        let pushes = LinkPlan(config).pushes("live/cam1")
        #expect(pushes.map(\.path) == ["?streamid=publish:x/y", "app/cam1"])
    }
}
