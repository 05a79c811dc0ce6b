import Media
import Stream
import Testing
import Wire

/// What streams hold of `media.memory`: all of it counted, and given back when it is not needed.
struct MemoryTests {
    /// `seconds` of 25 frames a second with a key frame each 2 s, from frame `first` on.
    private func run(
        _ history: History, from first: Int64, seconds: Int64, frame size: Int
    ) -> Int64 {
        let end = first + seconds * 25
        for frame in first..<end {
            history.append(
                pattern(frame, size).raw, packet(frame, at: frame * 40, key: frame % 50 == 0))
        }
        return end
    }

    @Test func aStreamThatNeedsLessGivesMemoryBack() {
        let memory = MediaMemory(limit: 64 << 20)
        let history = History(.video, memory: memory, for: .given)
        var frame = run(history, from: 0, seconds: 40, frame: 20_000)
        let (large, used) = (history.byteCapacity, memory.used)
        #expect(large >= 1 << 20 && history.figures.shrinks == 0)
        frame = run(history, from: frame, seconds: 70, frame: 500)
        #expect(history.byteCapacity <= large / 8)
        #expect(used - memory.used >= large - history.byteCapacity)
        for index in history.start..<history.end {
            #expect(bytes(history, index) == pattern(index - 1, 500))
        }
        // And takes it again, as often as the need comes and goes.
        frame = run(history, from: frame, seconds: 40, frame: 20_000)
        #expect(history.byteCapacity == large)
        let shrinks = history.figures.shrinks
        _ = run(history, from: frame, seconds: 300, frame: 20_000)
        #expect(history.figures.shrinks == shrinks, "no size that is left and taken in turns")
    }

    /// The peak counts: the end of a long group of pictures, not its beginning.
    @Test func aLongGroupOfPicturesKeepsItsRing() {
        let history = History(.video, memory: plenty, for: .given)
        for frame: Int64 in 0..<3_000 {
            history.append(
                pattern(frame, 8_000).raw, packet(frame, at: frame * 40, key: frame % 500 == 0))
        }
        #expect(history.figures.shrinks == 0)
        #expect(history.figures.broken == 0)
    }

    @Test func theSmallestRingsAndStillsAreCounted() {
        let memory = MediaMemory(limit: 8 << 20)
        var limits = HistoryLimits.video
        limits.bytes = 128 << 10
        do {
            let history = History(limits, memory: memory, for: .given)
            #expect(memory.used > 64 << 10, "the ring, and what is known of each item")
            history.append(pattern(0, 30_000).raw, packet(0, key: true))
            for frame: Int64 in 1..<200 {
                history.append(pattern(frame, 1_000).raw, packet(frame, at: frame * 5))
            }
            #expect(history.isBroken && history.still.bytes.count == 30_000)
            let withStill = memory.used
            history.append(pattern(200, 1_000).raw, packet(200, at: 1_000, key: true))
            #expect(withStill - memory.used == 30_000)
            history.append(pattern(201, 1_000).raw, packet(201, at: 1_005))
        }
        #expect(memory.used == 0)
    }

    /// A still that the budget has no room for is not kept.
    @Test func aStillNeedsRoom() {
        let memory = MediaMemory(limit: 100 << 10)
        let history = History(.video, memory: memory, for: .given)
        history.append(pattern(0, 30_000).raw, packet(0, key: true))
        for frame: Int64 in 1..<100 {
            history.append(pattern(frame, 1_000).raw, packet(frame, at: frame * 5))
        }
        #expect(history.isBroken && history.still.isEmpty)
        #expect(memory.used <= 100 << 10)
    }

    /// A publisher of many layers needs more from the start than one of a single track.
    @Test func aPublisherIsLetInIfItsHistoriesFit() throws {
        let memory = MediaMemory(limit: 512 << 10)
        var first = Scene("live/a", memory: memory)
        try first.publish([h264()])
        var second = Scene("live/b", memory: memory)
        let refusal = #expect(throws: Refusal.self) {
            try second.publish([h264(.video, .packets, rids: ["q", "h", "f", "x", "y"])])
        }
        #expect(refusal?.code == .outOfMemory)
        try second.publish([h264(.video, .packets, rids: ["q", "h"]), opus()])
        #expect(memory.used <= 512 << 10)
    }
}
