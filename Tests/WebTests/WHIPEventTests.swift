import Testing
import WHIP
import Wire

struct WHIPEventTests {
    static let all = Set(WHIPEvent.allCases)

    static func text(_ events: [[UInt8]]) -> String {
        String(decoding: events.joined(), as: UTF8.self)
    }

    @Test func aPageIsToldWhatHasChanged() {
        var feed = WHIPEventFeed(Self.all, media: "1", as: .eventStream)
        let first = feed.tell(WHIPFacts(isActive: true, viewerCount: 1))
        #expect(
            Self.text(first)
                == "event: active\ndata: {}\n\nevent: viewercount\ndata: {\"viewercount\":1}\n\n")
        #expect(feed.tell(WHIPFacts(isActive: true, viewerCount: 1)).isEmpty)
        #expect(
            Self.text(feed.tell(WHIPFacts(isActive: false, viewerCount: 1)))
                == "event: inactive\ndata: {}\n\n")
        #expect(Self.text(feed.reconnect()) == "event: reconnect\ndata: {}\n\n")
    }

    @Test func aPageIsToldWhatItAskedFor() {
        var feed = WHIPEventFeed([.inactive], media: "1", as: .eventStream)
        #expect(feed.tell(WHIPFacts(isActive: true, viewerCount: 1)).isEmpty)
        #expect(!feed.tell(WHIPFacts(isActive: false, viewerCount: 2)).isEmpty)
        #expect(feed.reconnect().isEmpty)
    }

    @Test func layersHaveBothNamesAndTheirRateIsNoNews() {
        var feed = WHIPEventFeed([.layers], media: "1", as: .eventStream)
        var facts = WHIPFacts(isActive: true, viewerCount: 1)
        facts.layers = [.init(rid: "h", width: 640, height: 360, bitsPerSecond: 500_000)]
        #expect(
            Self.text(feed.tell(facts))
                == "event: layers\ndata: {\"1\":[{\"rid\":\"h\",\"encodingId\":\"h\","
                + "\"bitrate\":500000,\"width\":640,\"height\":360}]}\n\n")
        facts.layers[0].bitsPerSecond = 400_000
        #expect(feed.tell(facts).isEmpty)
        facts.layers = []
        #expect(Self.text(feed.tell(facts)) == "event: layers\ndata: {\"1\":[]}\n\n")
    }

    @Test func onTheChannelAnEventIsAMessage() {
        var feed = WHIPEventFeed(Self.all, media: "1", as: .message)
        let first = feed.tell(WHIPFacts(isActive: true, viewerCount: 1)).map { Self.text([$0]) }
        #expect(
            first == [
                "{\"event\":\"active\",\"data\":{}}",
                "{\"event\":\"viewercount\",\"data\":{\"viewercount\":1}}",
            ])
    }
}
