import Browser
import ICE
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// WHIP from an offer to packets in a stream: real sockets, real workers.
@Suite(.serialized) struct RTCPublishTests {
    @Test func anOfferBecomesPacketsInAStream() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        try Self.publish(crew, "live/a", readAt: 0)
        #expect(try crew.counters().rtcConnected == 1)
        #expect(try crew.counters().rtcForwarded == 0)
    }

    @Test func aClientThatWaitsForOurHandshakeGetsOne() throws {
        let crew = try RTCCrew()
        defer { crew.stop() }
        try Self.publish(crew, "live/a", readAt: 0, isPassive: true)
    }

    /// The offer at one worker, the packets at the other, the reader and so the home at the first.
    @Test func anyWorkerAnswersAndAnyWorkerReceives() throws {
        for (offered, received, read) in [(0, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 1)] {
            let crew = try RTCCrew(workers: 2)
            defer { crew.stop() }
            try Self.publish(crew, "live/a", offerAt: offered, via: [received], readAt: read)
            #expect(try crew.counters().rtcForwarded == 0)
        }
    }

    /// The first record of the handshake comes to both at once, as when the network doubles it on
    /// the way to two addresses: one builds the session, the other sends on what it gets.
    @Test func twoWorkersClaimASessionAtOnce() throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        let rounds = 40
        for round in 0..<rounds {
            let browser = try crew.browser(.publish, "live/a\(round)", via: [round % 2])
            let check = try browser.request()
            for port in crew.ports { browser.send(check, to: port) }
            browser.copiedTo = [crew.ports[1 - round % 2]]
            try #require(try browser.run { browser.isConnected }, "round \(round)")
            #expect(
                try browser.run(media: true) {
                    crew.crew.hub.snapshots.contains {
                        $0.name == "live/a\(round)" && $0.isReady
                    }
                })
            browser.fake.hangUp(at: Clock.now)
            try browser.run(.milliseconds(20)) { false }
        }
        let counters = try crew.counters()
        #expect(counters.rtcJoins == rounds && counters.rtcConnected == rounds)
        #expect(counters.rtcForwarded > 0, "the one that came second sent on")
    }

    /// OBS after a crash: the same key publishes again, and the one before is sent away, not the
    /// one that came.
    @Test(arguments: [[0, 0], [0, 1]]) func theSameKeyTakesTheNameOver(workers: [Int]) throws {
        let crew = try RTCCrew(workers: 2)
        defer { crew.stop() }
        var key = Credential()
        key.token = "sesame"
        let browsers = try workers.map { worker in
            guard
                case .accepted(let answer) = try crew.open(
                    .publish, "live/a", at: worker, credential: key)
            else { throw RTCCrew.Refused() }
            let browser = try SocketBrowser(answer, ports: [crew.ports[worker]])
            try browser.run { browser.isConnected }
            try browser.run(.milliseconds(100), media: true) { false }
            return browser
        }
        try browsers[0].run { browsers[0].fake.saidGoodbye }
        #expect(browsers[0].fake.saidGoodbye)
        try browsers[1].run(.milliseconds(200), media: true) { false }
        #expect(!browsers[1].fake.saidGoodbye)
        #expect(crew.crew.hub.entry("live/a")?.snapshot.isLive == true)
        #expect(crew.crew.hub.entry("live/a")?.snapshot.epoch == 2)
        #expect(crew.directory.counts.sessions == 1)
    }

    static func publish(
        _ crew: RTCCrew, _ name: String, offerAt: Int = 0, via: [Int] = [0], readAt: Int,
        isPassive: Bool = false
    ) throws {
        let reader = try crew.crew.connect(to: readAt)
        reader.say("read \(name)")
        let browser = try crew.browser(
            .publish, name, at: offerAt, via: via, isPassive: isPassive)
        let isConnected = try browser.run { browser.isConnected }
        let counters = try crew.counters()
        try #require(isConnected, "\(counters)")
        try browser.run(.seconds(20), media: true) { browser.fake.tracks[0].count > 80 }
        #expect(reader.hear() == "subscribed")
        let numbers = reader.hear(50).compactMap { Int($0.dropFirst(7)) }
        #expect(numbers.count == 50)
        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
    }
}
