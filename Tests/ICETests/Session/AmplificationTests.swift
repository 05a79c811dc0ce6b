import Browser
import Crypto
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// Whoever knows the password may put any address on what it sends: the owner of that address gets
/// no more than three times what was sent in its name, handshake included.
struct AmplificationTests {
    private let victim = Route(
        remote: Address(ipv4: 0xc633_6401, port: 53), local: PublishWorld.server)

    /// The first packets of a client, as they leave it: a check, then its hello, and both again.
    private func opening(of world: PublishWorld) -> [[UInt8]] {
        var check: [UInt8] = []
        let session = world.session.negotiated
        let builder = STUNBuilder(.request, TransactionID(high: 1, low: 2), into: &check)
        let name = Array("\(session.local.ufrag):\(session.remote.ufrag)".utf8)
        builder.username(name.raw, into: &check)
        builder.useCandidate(into: &check)
        let password = Array(session.local.password.utf8)
        builder.finish(key: HMACSHA1(key: password.raw), into: &check)
        var hello = DTLSOutput()
        if world.browser.role == .client { world.browser.dtls.start(at: .start, into: &hello) }
        let hellos = (0..<hello.datagrams.count).map { Array(copying: hello.datagrams[$0]) }
        return [check] + hellos + hellos
    }

    @Test(arguments: GoodbyeTests.roles)
    func aForgedSourceGetsThreeTimesAtMost(role: DTLSSession.Role) throws {
        var story = Story(seed: 1)
        story.browserRole = role
        let world = try PublishWorld(story)
        var (sent, got) = (0, 0)
        // We begin the handshake: an offer of a kilobyte came by TCP for this session.
        let offer = role == .server ? RTCSession.offerCredit : 0
        func take() {
            for case .send(let route, let range) in world.out.entries {
                #expect(route == victim)
                got += range.count
            }
            #expect(got <= 3 * sent + offer)
            world.out.clear()
        }
        for packet in opening(of: world) {
            sent += packet.count
            var bytes = packet
            var span = bytes.mutableSpan
            var datagram = unsafe span.mutableBytes
            world.session.receive(
                &datagram, on: victim, at: world.now, engine: &world.engine, into: &world.out,
                effects: &world.effects)
            take()
        }
        #expect(sent > 0 && got > 0)
        while world.session.deadline < .distantFuture {
            world.now = max(world.now, world.session.deadline)
            world.session.expire(
                at: world.now, engine: &world.engine, into: &world.out, effects: &world.effects)
            take()
        }
        print("forged source, \(role): \(sent) bytes in, \(got) bytes out")
    }

    /// The limit does not keep anybody out: FFmpeg lets us begin, says nothing meanwhile, and
    /// answers no check of ours.
    @Test(arguments: 0..<20 as Range<UInt64>) func theHandshakeEndsAllTheSame(seed: UInt64) throws {
        var story = Story.any(8 * seed + 7)
        story.weather = Weather(lossPerMille: seed % 2 * 50, delay: 10...20)
        story.seconds = 4
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(4))
        #expect(world.session.state == .connected)
    }
}
