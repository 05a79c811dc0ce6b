import Browser
import Crypto
import Foundation
import ICE
import Media
import Simulation
import Stream
import Testing
import Wire

struct RTCSessionTests {
    /// Debug builds take 20 times longer; `GATEWAY_SEEDS` sets any number, 20,000 for a night.
    static let seeds: UInt64 = {
        if let text = ProcessInfo.processInfo.environment["GATEWAY_SEEDS"] {
            return UInt64(text) ?? 0
        }
        return Build.isOptimised ? 400 : 48
    }()
    static let parts: UInt64 = 8

    /// Who publishes what over which network is drawn for each seed: see `Story`.
    @Test(arguments: 0..<parts)
    func everythingRepairableArrives(part: UInt64) throws {
        var ran = 0
        for seed in stride(from: part, to: Self.seeds, by: Int(Self.parts)) {
            var world = try PublishWorld(.any(seed))
            world.run(until: world.story.end + .seconds(1))
            check(world)
            checkEnd(&world)
            ran += 1
        }
        print("WebRTC sessions simulated, part \(part + 1) of \(Self.parts): \(ran) seeds")
        #expect(ran > 0)
    }

    private func check(_ world: PublishWorld) {
        let (story, browser) = (world.story, world.browser)
        let seed: Comment = "seed \(story.seed)"
        #expect(world.session.state == .connected, seed)
        let isConsistent = world.isConsistent  // A failure would print the whole world.
        #expect(isConsistent, seed)
        #expect(world.questions.count == 1, seed)
        #expect(browser.isForged == 0, "seed \(story.seed): all we send is authentic")
        #expect(world.repeatedIndexes == 0, seed)
        #expect(world.largestTurn < 65_536, "seed \(story.seed): a turn's output is bounded")
        for track in browser.tracks where track.count > 0 {
            let count = world.arrivals(of: track).count
            #expect(count > track.count / 2, "seed \(story.seed): \(count) of \(track.count)")
            #expect(track.pictureLosses <= 2 * story.seconds + 2, seed)
            guard track.repair != .never, story.moves.isEmpty else { continue }
            let missing = world.missing(of: track)
            #expect(missing <= (story.isEasy ? 0 : 25), "seed \(story.seed): \(missing) missing")
        }
        if story.numbersTransport { #expect(browser.arrivalReports > 10, seed) }
        #expect(!browser.reports.isEmpty, seed)
        if story.codecChangeAt != nil {
            #expect(world.announced.map(\.format.codec) == [story.videos[1]], seed)
        }
        if story.restartAt != nil { #expect(world.events.contains(.restarted), seed) }
        for move in story.moves {
            #expect(world.session.selected?.route.remote == move.address, seed)
        }
    }

    /// Nothing leaves after the goodbye, whatever comes.
    private func checkEnd(_ world: inout PublishWorld) {
        let seed: Comment = "seed \(world.story.seed)"
        world.close(.kicked)
        let sent = world.down.figures.sent
        let arrived = world.arrived.count
        for track in world.story.tracks { world.browser.send(.bye([track.ssrc])) }
        world.browser.expire(at: world.now)
        world.flushBrowser()
        world.run(until: world.now + .seconds(2), from: world.now)
        #expect(world.down.figures.sent == sent, seed)
        #expect(world.arrived.count == arrived, seed)
        #expect(world.causes == [.ended(.kicked)], seed)
        #expect(world.session.deadline == .distantFuture, seed)
    }

    @Test func forgeriesChangeNothing() throws {
        var clean = try PublishWorld(Story(seed: 5))
        clean.run(until: .start + .seconds(7))
        var forged = try PublishWorld(Story(seed: 5))
        forged.forger = SplitMix64(seed: 99)
        forged.run(until: .start + .seconds(7))
        #expect(forged.session.state == .connected)
        let isConsistent = forged.isConsistent
        #expect(isConsistent)
        let (missing, missingClean) = (forged.missing, clean.missing)
        #expect(missing == 0 && missingClean == 0)
        #expect(forged.session.figures.forged > 100)
        #expect(forged.browser.pictureLosses == clean.browser.pictureLosses)
        #expect(forged.questions.count == 1)
    }

    /// What the stream needs to know how old a frame was when it came.
    @Test func aSenderReportComesWithTheRoundTrip() throws {
        var story = Story(seed: 6)
        story.weather = Weather(lossPerMille: 0, delay: 40...40)
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(4))
        #expect(world.roundTrips.isEmpty, "no report, nothing to be told for")
        let browser = world.browser
        browser.send(.clock(browser.tracks[0].ssrc, 1_700_000_000_000_000_000, 1))
        world.flushBrowser()
        world.run(until: .start + .seconds(5), from: world.now)
        #expect(world.roundTrips.count == 1)
        let measured = world.roundTrips.first?.milliseconds ?? 0
        #expect((75...90).contains(measured), "\(measured) ms there and back")
    }

    /// A NAT gives the publisher another port, and its next check is seconds away: its media shows
    /// where it is, and feedback follows it there.
    @Test(arguments: 0..<8 as Range<UInt64>) func mediaSaysWhereAPeerHasMoved(seed: UInt64) throws {
        var story = Story(seed: seed)
        story.weather = Weather(lossPerMille: 0, delay: 10...15)
        let address = Address(ipv4: 0xcb00_7107, port: 61_000)
        story.moves = [(.start + .seconds(3), address)]
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(3))
        #expect(world.session.selected?.route.remote != address)
        let before = world.arrived.count
        world.run(until: .start + .milliseconds(3500), from: world.now)
        #expect(world.session.selected?.route.remote == address)
        #expect(world.arrived.count > before + 5)
        #expect(world.session.figures.offPath < 30, "a quarter of a second, and no more")
        world.run(until: .start + .seconds(5), from: world.now)
        #expect(world.session.selected?.isValidated == true)
    }

    @Test func silenceEndsIt() throws {
        var story = Story(seed: 4)
        story.seconds = 2
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(2))
        world.up.setUp(false)
        world.run(until: .start + .seconds(40), from: world.now)
        #expect(world.causes == [.ice(.silent)])
        #expect(world.silences == [true], "first its name is free, then it is over")
    }

    /// It was only asleep: its name is its own again.
    @Test func whoComesBackInTimeIsHeard() throws {
        var story = Story(seed: 4)
        story.seconds = 30
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(2))
        world.up.setUp(false)
        world.run(until: .start + .seconds(15), from: world.now)
        world.up.setUp(true)
        world.run(until: .start + .seconds(30), from: world.now)
        #expect(world.causes.isEmpty && world.silences == [true, false])
    }

    /// The machine slept for an hour: who is gone is gone, in one turn and without a flood.
    @Test func aClockThatJumpsEndsWhatIsOver() throws {
        var world = try PublishWorld(Story(seed: 4))
        world.run(until: .start + .seconds(2))
        let sent = world.down.figures.sent
        world.now = world.now + .seconds(3600)
        world.session.expire(
            at: world.now, engine: &world.engine, into: &world.out, effects: &world.effects)
        world.runSession()
        #expect(world.causes == [.ice(.silent)])
        #expect(world.session.deadline == .distantFuture)
        #expect(world.down.figures.sent - sent <= 4, "goodbye, and no reports of an hour")
    }
}
