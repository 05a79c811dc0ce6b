import Browser
import Crypto
import ICE
import Media
import Simulation
import Stream
import Testing
import Wire

struct RTCSessionTests {
    @Test(arguments: 0..<30 as Range<UInt64>) func everythingRepairableArrives(
        seed: UInt64
    ) throws {
        let loss: [UInt64] = [0, 10, 50, 100, 200]
        let delays: [ClosedRange<Int64>] = [0...1, 20...30, 50...60, 130...150]
        let lost = loss[Int(seed % 5)]
        let delay = delays[Int(seed % 4)]
        var world = try PublishWorld(
            seed: seed, loss: lost, delay: delay, browserRole: seed % 2 == 0 ? .client : .server,
            profiles: seed % 3 == 0 ? [.aes128SHA1] : SRTPProfile.preferred)
        world.run(until: .start + .seconds(7))
        #expect(world.session.state == .connected)
        #expect(world.isConsistent)
        #expect(world.arrived.count > 200)
        // With a long way and heavy loss a second is not always enough.
        let isEasy = lost <= 50 && delay.upperBound <= 60
        #expect(world.missing <= (isEasy ? 0 : 20))
        #expect(world.browser.pictureLosses <= 14, "at most one in half a second")
        #expect(world.browser.arrivalReports > 10)
        #expect(!world.browser.reports.isEmpty)
    }

    @Test func forgeriesChangeNothing() throws {
        var clean = try PublishWorld(seed: 5)
        clean.run(until: .start + .seconds(7))
        var forged = try PublishWorld(seed: 5)
        forged.forger = SplitMix64(seed: 99)
        forged.run(until: .start + .seconds(7))
        #expect(forged.session.state == .connected)
        #expect(forged.isConsistent)
        #expect(forged.missing == 0 && clean.missing == 0)
        #expect(forged.session.figures.forged > 100)
        #expect(forged.browser.pictureLosses == clean.browser.pictureLosses)
        #expect(forged.questions.count == 1)
    }

    @Test func mediaFollowsATranslatorThatForgets() throws {
        let moved = Address(ipv4: 0xcb00_7199, port: 61_000)
        var world = try PublishWorld(
            seed: 3, changes: [(.start + .seconds(3), moved)], seconds: 14)
        world.run(until: .start + .seconds(15))
        #expect(world.session.state == .connected)
        #expect(world.session.selected?.route.remote == moved)
        #expect(world.isConsistent)
        let last = world.arrived.map(\.number).max() ?? 0
        #expect(last > 1200)
    }

    @Test func aGoodbyeIsSaidOnce() throws {
        var world = try PublishWorld(seed: 8)
        world.run(until: .start + .seconds(2))
        world.session.close(
            .kicked, at: world.now, engine: &world.engine, into: &world.out,
            effects: &world.effects)
        world.runSession()
        world.session.close(
            .kicked, at: world.now, engine: &world.engine, into: &world.out,
            effects: &world.effects)
        world.runSession()
        #expect(world.causes == [.ended(.kicked)])
        #expect(world.session.deadline == .distantFuture)
        world.run(until: world.now + .seconds(1), from: world.now)
        #expect(world.browser.saidGoodbye)
    }

    @Test func silenceEndsIt() throws {
        var world = try PublishWorld(seed: 4, seconds: 2)
        world.run(until: .start + .seconds(2))
        world.up.setUp(false)
        world.run(until: .start + .seconds(40), from: world.now)
        #expect(world.causes == [.ice(.silent)])
    }
}
