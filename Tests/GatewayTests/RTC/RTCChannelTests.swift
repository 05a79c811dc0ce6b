import Browser
import ICE
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// Data channels through real workers, sockets and the one thread of SCTP.
@Suite(.serialized) struct RTCChannelTests {
    typealias Message = FakeChannels.Message

    /// A publisher with channels whose stream is ready.
    private static func publisher(
        _ crew: RTCCrew, via worker: Int = 0, isPassive: Bool = false
    ) throws -> (SocketBrowser, FakeChannels) {
        let browser = try crew.browser(
            .publish, "live/a", at: worker, via: [worker], isPassive: isPassive,
            hasChannel: true)
        let channels = FakeChannels(browser, crew, isClient: !isPassive)
        try #require(
            try browser.run(media: true) {
                crew.crew.hub.snapshots.contains { $0.name == "live/a" && $0.isReady }
            })
        return (browser, channels)
    }

    /// Until the condition holds, with both alive.
    private static func run(
        _ browsers: [SocketBrowser], for limit: Interval = .seconds(30), until isDone: () -> Bool
    ) throws -> Bool {
        let end = Clock.now + limit
        while !isDone(), Clock.now < end {
            for (index, browser) in browsers.enumerated() {
                try browser.run(.milliseconds(5), media: index == 0) { false }
            }
        }
        return isDone()
    }

    static let kinds = [
        DataChannelTerms(label: "echo"), DataChannelTerms(label: "echo", ordered: false),
        DataChannelTerms(label: "echo", ordered: false, reliability: .retransmits(0)),
        DataChannelTerms(label: "echo", reliability: .lifetime(milliseconds: 500)),
    ]

    /// Words, bytes, nothing at all, and as much as a message may be, on channels of every kind.
    @Test(arguments: [false, true]) func anEchoGivesBackWhatItGets(isPassive: Bool) async throws {
        try await OneEngine.shared.alone {
            let crew = try RTCCrew(hasChannels: true)
            defer { crew.stop() }
            let (browser, channels) = try Self.publisher(crew, isPassive: isPassive)
            let streams = Self.kinds.compactMap { channels.open($0) }
            #expect(try Self.run([browser]) { channels.opened.count == streams.count })
            let large = (0..<DataChannels.messageMaximum).map { UInt8(truncatingIfNeeded: $0) }
            for stream in streams {
                let said = [
                    Message(stream: stream, isText: true, bytes: Array("héllo".utf8)),
                    Message(stream: stream, isText: false, bytes: [0, 1, 2, 255]),
                    Message(stream: stream, isText: true, bytes: []),
                    Message(stream: stream, isText: false, bytes: []),
                    Message(stream: stream, isText: false, bytes: large),
                ]
                let before = channels.received.count
                for message in said {
                    channels.send(message.bytes, isText: message.isText, on: stream)
                    let number = before + 1
                    #expect(
                        try Self.run([browser]) { channels.received.count >= number })
                }
                #expect(try Self.run([browser]) { channels.received.count == before + 5 })
                let isSame = Array(channels.received.dropFirst(before)) == said
                #expect(isSame)
            }
            channels.close(streams[0])
            #expect(try Self.run([browser]) { channels.closed.contains(streams[0]) })
            let counters = try crew.counters()
            #expect(counters.channelAssociations == 1 && counters.channelLost == 0)
            #expect(counters.channelMessagesIn == 20 && counters.channelMessagesOut == 20)
        }
    }

    /// At every combination of two workers; what viewers say goes to nobody.
    @Test(arguments: [[0, 0], [0, 1], [1, 0]])
    func whatAPublisherSaysReachesItsViewers(workers: [Int]) async throws {
        try await OneEngine.shared.alone {
            let crew = try RTCCrew(workers: 2, hasChannels: true)
            defer { crew.stop() }
            let (publisher, voice) = try Self.publisher(crew, via: workers[0])
            let viewers = try (0..<2).map { _ in
                try crew.browser(
                    .play, "live/a", at: workers[1], via: [workers[1]], hasChannel: true)
            }
            let ears = viewers.map { FakeChannels($0, crew) }
            let all = [publisher] + viewers
            let stream = try #require(voice.open(DataChannelTerms(label: "chat")))
            let own = ears.compactMap { $0.open(DataChannelTerms(label: "chat")) }
            #expect(
                try Self.run(all) {
                    !voice.opened.isEmpty && ears.allSatisfy { !$0.opened.isEmpty }
                        && viewers.allSatisfy { $0.fake.numbers.count > 5 }
                })
            for (ear, stream) in zip(ears, own) { ear.send([66], on: stream) }
            let large = [UInt8](repeating: 7, count: 200_000)
            voice.send(Array("hello".utf8), isText: true, on: stream)
            voice.send(large, on: stream)
            #expect(try Self.run(all) { ears.allSatisfy { $0.received.count == 2 } })
            for (ear, stream) in zip(ears, own) {
                let said = [
                    Message(stream: stream, isText: true, bytes: Array("hello".utf8)),
                    Message(stream: stream, isText: false, bytes: large),
                ]
                let isSame = ear.received == said
                #expect(isSame)
            }
            #expect(voice.received.isEmpty)
            publisher.fake.hangUp(at: Clock.now)
            #expect(try Self.run(all) { crew.directory.counts.sessions <= 2 })
        }
    }

    /// What happens around a session is said on its channel for control, and wishes are answered.
    @Test func aPageSpeaksWithTheGateway() async throws {
        try await OneEngine.shared.alone {
            let crew = try RTCCrew(hasChannels: true)
            defer { crew.stop() }
            let (browser, channels) = try Self.publisher(crew)
            let stream = try #require(channels.open(DataChannelTerms(label: "control")))
            #expect(try Self.run([browser]) { channels.said.count >= 2 })
            #expect(
                channels.said == [
                    #"{"event":"active","data":{}}"#,
                    #"{"event":"viewercount","data":{"viewercount":0}}"#,
                ])
            channels.send(Array(#"{"id":1,"layer":{}}"#.utf8), isText: true, on: stream)
            #expect(try Self.run([browser]) { channels.said.contains { $0.contains(#""id":1"#) } })
            channels.send(Array("nonsense".utf8), isText: true, on: stream)
            #expect(
                try Self.run([browser]) {
                    channels.said.contains { $0.contains(#""event":"problem""#) }
                })
            let viewer = try crew.browser(.play, "live/a", hasChannel: true)
            #expect(
                try Self.run([browser, viewer]) {
                    channels.said.contains(#"{"event":"viewercount","data":{"viewercount":1}}"#)
                })
        }
    }

    /// More than its allowance goes nowhere, is counted, and hurts nothing.
    @Test func aPublisherThatSaysTooMuchIsHeldBack() async throws {
        try await OneEngine.shared.alone {
            let crew = try RTCCrew(hasChannels: true)
            defer { crew.stop() }
            let (browser, channels) = try Self.publisher(crew)
            let stream = try #require(channels.open(DataChannelTerms(label: "chat")))
            #expect(try Self.run([browser]) { !channels.opened.isEmpty })
            for _ in 0..<300 { channels.send([1], on: stream) }
            #expect(
                try Self.run([browser]) {
                    (try? crew.counters().channelMessagesIn) ?? 0 >= 300
                })
            browser.fake.hangUp(at: Clock.now)
            #expect(try Self.run([browser]) { (try? crew.counters().rtcLeft) == 1 })
            let counters = try crew.counters()
            #expect(counters.channelDropped > 100 && counters.channelDropped <= 250)
        }
    }

    /// No thread, no m-line: a gateway of one kind or the other says so in its answer.
    @Test func anAnswerWithoutChannelsRefusesTheirLine() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        guard case .accepted(let answer) = try crew.open(.publish, "live/a", hasChannel: true)
        else {
            Issue.record("refused")
            return
        }
        #expect(String(decoding: answer.sdp, as: UTF8.self).contains("m=application 0 "))
    }
}
