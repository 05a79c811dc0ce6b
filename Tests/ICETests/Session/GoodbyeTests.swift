import Browser
import Crypto
import Media
import RTP
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// How sessions and their sources end, by either side.
struct GoodbyeTests {
    static let roles: [DTLSSession.Role] = [.client, .server]

    private func running(
        _ role: DTLSSession.Role = .client, seconds: Int64 = 30, layers: Bool = false
    ) throws -> PublishWorld {
        var story = layers ? Story.any(4) : Story(seed: 8)
        story.weather = Weather(lossPerMille: 0, delay: 10...15)
        story.browserRole = role
        story.profiles = SRTPProfile.preferred
        story.stall = nil
        story.restartAt = nil
        story.moves = []
        story.seconds = seconds
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(2))
        return world
    }

    /// No data channel was negotiated, so OpenSSL's state is long gone: close_notify is said and
    /// understood all the same.
    @Test(arguments: roles) func ours(role: DTLSSession.Role) throws {
        var world = try running(role)
        world.close(.kicked)
        world.close(.kicked)
        #expect(world.causes == [.ended(.kicked)])
        world.run(until: world.now + .seconds(1), from: world.now)
        #expect(world.browser.saidGoodbye)
        #expect(world.browser.dtls.state == .closed(.closeNotify))
    }

    /// A peer that never says a word under its keys has long given up its handshake when ours is
    /// forgotten, and is told the end as others are.
    @Test(arguments: roles) func ofOneThatIsSilent(role: DTLSSession.Role) throws {
        var story = Story(seed: 8)
        story.browserRole = role
        story.tracks = []
        story.seconds = 30
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(8))
        #expect(!world.session.dtls.isReleased)
        world.run(until: .start + .seconds(12), from: world.now)
        #expect(world.session.dtls.isReleased)
        world.close(.kicked)
        world.run(until: world.now + .seconds(1), from: world.now)
        #expect(world.browser.saidGoodbye)
    }

    @Test(arguments: roles) func theBrowsers(role: DTLSSession.Role) throws {
        var world = try running(role)
        world.browser.hangUp(at: world.now)
        world.flushBrowser()
        world.run(until: world.now + .milliseconds(100), from: world.now)
        #expect(world.causes == [.dtls(.closeNotify)])
    }

    /// The encoder has ended, and no other begins.
    @Test func byeOfAllSourcesEndsThePublication() throws {
        var world = try running()
        world.browser.tracks[0].until = world.now
        world.browser.send(.bye([world.story.tracks[0].ssrc]))
        world.flushBrowser()
        world.run(until: world.now + .seconds(1), from: world.now)
        #expect(world.causes.isEmpty)
        world.run(until: world.now + .seconds(2), from: world.now)
        #expect(world.causes == [.ended(.done)])
    }

    @Test func byeOfOneSourceSilencesItAlone() throws {
        var world = try running(layers: true)
        let (asked, heard) = (world.browser.tracks[2].pictureLosses, world.browser.reports.count)
        world.browser.tracks[2].until = world.now
        world.browser.send(.bye([world.browser.tracks[2].ssrc]))
        world.flushBrowser()
        world.run(until: world.now + .milliseconds(100), from: world.now)
        world.notice(.keyWanted(0, .video, layer: 2))
        world.run(until: world.now + .seconds(5), from: world.now)
        #expect(world.session.state == .connected)
        #expect(world.browser.tracks[2].pictureLosses == asked, "nobody is there to answer")
        let ssrc = world.browser.tracks[2].ssrc
        #expect(!world.browser.reports.dropFirst(heard + 4).contains { $0.ssrc == ssrc })
    }

    /// Said by mistake, or an encoder that went on: what sends has not ended.
    @Test func mediaAfterByeTakesItBack() throws {
        var world = try running()
        world.browser.send(.bye([world.story.tracks[0].ssrc]))
        world.flushBrowser()
        world.run(until: world.now + .seconds(4), from: world.now)
        #expect(world.session.state == .connected)
        let isConsistent = world.isConsistent
        #expect(isConsistent)
    }

    @Test func byeAndAnotherSourceGoesOn() throws {
        var world = try running()
        world.browser.tracks[0].until = world.now
        world.browser.send(.bye([world.story.tracks[0].ssrc]))
        var next = FakeTrack(2222, 96, .vp8, firstNumber: 100_000)
        next.from = world.now + .seconds(1)
        world.browser.tracks.append(next)
        world.flushBrowser()
        world.run(until: world.now + .seconds(6), from: world.now)
        #expect(world.session.state == .connected)
        let isConsistent = world.isConsistent
        #expect(isConsistent)
        #expect(world.arrivals(of: world.browser.tracks[1]).count > 400)
    }

    /// A layer that nobody reads is not asked for key frames; when somebody reads it, it is.
    @Test func whatNobodyReadsIsNotAskedFor() throws {
        var world = try running(layers: true)
        world.notice(.demand(0, .video, bits: .max, highestLayer: 0))
        let before = world.browser.tracks.map(\.pictureLosses)
        // Something is gone for good, in each layer.
        for index in world.browser.tracks.indices { world.browser.tracks[index].repair = .never }
        world.up.setUp(false)
        world.run(until: world.now + .milliseconds(200), from: world.now)
        world.up.setUp(true)
        world.run(until: world.now + .seconds(4), from: world.now)
        let after = world.browser.tracks.map(\.pictureLosses)
        #expect(after[0] > before[0])
        #expect(after[1] == before[1])
        world.notice(.keyWanted(0, .video, layer: 1))
        world.run(until: world.now + .seconds(1), from: world.now)
        #expect(world.browser.tracks[1].pictureLosses > before[1])
    }

    /// What was asked for in vain is told to the history, and a key frame is asked for.
    @Test func whatNeverComesIsGivenUp() throws {
        var world = try running()
        let before = world.browser.pictureLosses
        world.browser.tracks[0].repair = .never
        world.up.setUp(false)
        world.run(until: world.now + .milliseconds(50), from: world.now)
        world.up.setUp(true)
        world.run(until: world.now + .seconds(3), from: world.now)
        let numbers = Set(world.arrived.map(\.sequence))
        #expect(!world.lost.isEmpty)
        for range in world.lost {
            for number in range { #expect(!numbers.contains(number)) }
        }
        #expect(world.browser.pictureLosses > before)
    }
}
