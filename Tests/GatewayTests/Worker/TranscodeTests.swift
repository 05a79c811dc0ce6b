import Gateway
import Stream
import Testing
import Transcode
import Wire

/// AAC is published, Opus is read: over real sockets, workers and threads of the transcoder.
struct TranscodeTests {
    private func crew(_ workers: Int = 1) throws -> Crew {
        try Crew(
            workers: workers, serving: ServedProtocol("sound") { SoundSession($0.peer) })
    }

    /// Frames as they come: a codec, channels, a time stamp, a size.
    private func hear(_ line: Line, _ count: Int) -> [[String]] {
        line.hear(count).map { $0.split(separator: " ").map(String.init) }
    }

    @Test(arguments: [0, 1])
    func aViewerHearsWhatWasPublishedInAnotherCodec(viewerAt: Int) throws {
        let crew = try crew(2)
        let publisher = try crew.connect(to: 0)
        #expect(publisher.ask("publish live/a") == "published")
        publisher.say("play 1")
        let viewer = try crew.connect(to: viewerAt)
        #expect(viewer.ask("read live/a opus") == "subscribed")
        var heard: [[String]] = []
        // Four frames at a time, as a network would bunch them.
        for _ in 0..<12 {
            publisher.say("play 4")
            heard += hear(viewer, 4)
        }
        #expect(heard.count == 48)
        #expect(heard.allSatisfy { $0.first == "opus" && $0.dropFirst().first == "2" })
        let ticks = heard.compactMap { Int($0[2]) }
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $1 - $0 == 960 })
        let first = try #require(ticks.first)
        #expect(first >= 0 && first < 5 * 1024, "on the publisher's timeline, from now")
        #expect(heard.allSatisfy { (Int($0[3]) ?? 0) > 20 }, "not silence")
        crew.stop()
    }

    /// One bridge for all viewers; who takes what is published gets it untouched.
    @Test func viewersOfBothCodecsAreServed() throws {
        let crew = try crew()
        let publisher = try crew.connect()
        #expect(publisher.ask("publish live/a") == "published")
        publisher.say("play 1")
        let opus = try (0..<3).map { _ in try crew.connect() }
        for viewer in opus { #expect(viewer.ask("read live/a opus") == "subscribed") }
        let aac = try crew.connect()
        #expect(aac.ask("read live/a aac") == "subscribed")
        publisher.say("play 10")
        let frames = opus.map { hear($0, 8) }
        #expect(frames[0] == frames[1] && frames[1] == frames[2])
        #expect(hear(aac, 5).allSatisfy { $0.first == "aac" })
        #expect(crew.transcoders.bridges == 1)
        crew.stop()
    }

    /// It takes another publisher's sound over, and viewers stay.
    @Test func aPublisherThatComesBackIsHeard() throws {
        let crew = try crew()
        let viewer = try crew.connect()
        do {
            let publisher = try crew.connect()
            #expect(publisher.ask("publish live/a") == "published")
            publisher.say("play 1")
            #expect(viewer.ask("read live/a opus") == "subscribed")
            publisher.say("play 10")
            #expect(hear(viewer, 8).count == 8)
        }
        let again = try crew.connect()
        var answer = again.ask("publish live/a")
        for _ in 0..<100 where answer != "published" { answer = again.ask("publish live/a") }
        again.say("play 12")
        #expect(hear(viewer, 10).allSatisfy { $0.first == "opus" })
        #expect(crew.transcoders.bridges == 1, "the former one is gone")
        crew.stop()
    }

    @Test func whatCannotBeConvertedIsSaidWithItsFix() throws {
        let crew = try crew()
        let publisher = try crew.connect()
        #expect(publisher.ask("publish-strange live/a") == "published")
        publisher.say("play 1")
        let viewer = try crew.connect()
        #expect(viewer.ask("read live/a opus") == "subscribed")
        publisher.say("play 1")
        let advice = viewer.hear() ?? ""
        #expect(advice.contains("object type") && advice.contains("publish AAC"), "\(advice)")
        crew.stop()
    }
}
