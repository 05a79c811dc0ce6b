import CAllocationCount
import Simulation
import Stream
import Testing
import Wire

/// What sessions take they give back: handshakes, keys, histories of what was sent and asked for.
@Suite(.serialized) struct SessionMemoryTests {
    /// Rounds of ten sessions of every plan, each connected, used and closed. Other tests allocate
    /// in the meantime, but not in every round; a leak would show in each of them.
    @Test func comesBackWhenSessionsEnd() throws {
        try Self.round()  // What is made once: certificates, tables of the library.
        var leastGrowth = Int.max
        for _ in 0..<5 {
            let start = Int(allocation_bytes_in_use())
            try Self.round()
            leastGrowth = min(leastGrowth, Int(allocation_bytes_in_use()) - start)
        }
        // A session with its handshake holds more than 50 KiB; 2 KiB of each would be seen.
        #expect(leastGrowth < 10 * 2048, "\(leastGrowth) bytes more after ten sessions")
    }

    private static func round() throws {
        for seed: UInt64 in 0..<10 {
            var story = Story.any(seed)
            story.seconds = 3
            story.moves = []
            var world = try PublishWorld(story)
            world.run(until: .start + .seconds(3))
            world.close(.done)
        }
    }
}
