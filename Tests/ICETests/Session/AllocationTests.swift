import Browser
import CAllocationCount
import Crypto
import ICE
import Media
import Simulation
import Stream
import Testing
import Wire

/// A session that has warmed up takes packets without asking for memory.
struct SessionAllocationTests {
    @Test(
        .enabled(if: Build.isOptimised, "counts only what optimised code allocates"),
        // The third engine, libsrtp2, is the reference and asks for memory itself.
        arguments: Story.engines.filter { $0 != .libSRTP })
    func aPacketAllocatesNothing(engine: CryptoEngine.Kind) throws {
        var story = Story(seed: 3)
        story.engine = engine
        story.seconds = 3600
        var world = try PublishWorld(story)
        world.run(until: .start + .seconds(3))
        var packets: [[UInt8]] = []
        var times: [Instant] = []
        for number: Int64 in 1...4000 {
            let at = world.now + .milliseconds(10 * number)
            world.browser.sendMedia(at: at, before: .distantFuture)
            packets += world.browser.outgoing.map(\.bytes)
            times += world.browser.outgoing.map { _ in at }
            world.browser.outgoing.removeAll(keepingCapacity: true)
        }
        let route = try #require(world.session.selected?.route)
        var sizes = (sent: 0, stored: 0)
        func run(_ range: Range<Int>) {
            for index in range {
                var span = packets[index].mutableSpan
                var datagram = unsafe span.mutableBytes
                world.session.receive(
                    &datagram, on: route, at: times[index], engine: &world.engine,
                    into: &world.out, effects: &world.effects)
                if world.session.deadline <= times[index] {
                    world.session.expire(
                        at: times[index], engine: &world.engine, into: &world.out,
                        effects: &world.effects)
                }
                sizes.sent += world.out.bytes.count
                sizes.stored += world.effects.media.count
                world.out.clear()
                world.effects.clear()
            }
        }
        run(0..<2000)
        let before = allocation_count_thread()
        run(2000..<4000)
        let allocated = allocation_count_thread() - before
        #expect(allocated == 0, "\(allocated) allocations for 2,000 packets")
        #expect(sizes.stored == 4000)
        #expect(sizes.sent > 20_000, "reports included")
    }
}
