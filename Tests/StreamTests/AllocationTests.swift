import CAllocationCount
import Media
import Simulation
import Stream
import Testing
import Wire

/// The packet path of a stream allocates nothing once it has grown to what the stream needs.
struct AllocationTests {
    @Test func storingAPacketAllocatesNothing() {
        let history = History(.video, memory: plenty, for: .given)
        let bytes = pattern(1, 1_100)
        // Made before: in debug, the literal of an option set allocates.
        var metas = [packet(0, key: true), packet(1)]
        var index = 0
        func run(_ count: Int) {
            for _ in 0..<count {
                let kind = index % 500 == 0 ? 0 : 1
                metas[kind].arrival = ms(Int64(index) * 3)
                history.append(bytes.raw, metas[kind])
                index += 1
            }
        }
        run(4_000)
        let growths = history.figures.growths
        let before = allocation_count_thread()
        run(4_000)
        #expect(allocation_count_thread() - before == 0)
        #expect(history.figures.growths == growths)
    }

    @Test func readingAPacketAllocatesNothing() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let rendition = try scene.opened()
        for number: Int64 in 1..<2_000 { scene.frame(number, size: 200) }
        var cursor = Cursor(.connection, liveFrom: scene.now)
        var sum = 0
        for _ in 0..<50 {  // The start, and what the runtime looks up once.
            if case .item(let index) = step(&cursor, rendition, scene.now),
                let history = cursor.encoding?.history
            {
                sum += history.bytes(index)?.byteCount ?? 0
            }
        }
        let before = allocation_count_thread()
        while case .item(let index) = step(&cursor, rendition, scene.now) {
            guard let history = cursor.encoding?.history else { break }
            sum += history.bytes(index)?.byteCount ?? 0
        }
        let allocated = allocation_count_thread() - before
        #expect(allocated == 0)
        #expect(sum > 300_000)
    }

    /// A start is read as an item here: only the counting matters.
    private func step(
        _ cursor: inout Cursor, _ rendition: Rendition, _ now: Instant
    ) -> Cursor.Reading {
        let reading = cursor.peek(rendition, at: now)
        cursor.advance()
        if case .jump(let index, _) = reading { return .item(index) }
        return reading
    }

    /// From what a session writes to the packets of a derived rendition.
    @Test(.enabled(if: Build.isOptimised, "counts only what optimised code allocates"))
    func theWayThroughTheGraphAllocatesNothing() throws {
        var scene = Scene()
        try scene.publish([h264()])
        _ = try scene.opened(.video, .h264, .packets)
        let bytes = nal(1, 2_500, key: false)
        let key = nal(0, 2_500, key: true)
        var number: Int64 = 0
        func run(_ count: Int) {
            for _ in 0..<count {
                scene.now = scene.now + .milliseconds(33)
                let isKey = number % 30 == 0
                var meta = packet(number, key: isKey)
                meta.arrival = scene.now
                let frame = isKey ? key : bytes
                scene.effects.frame(frame.raw, meta, channel: 0, slot: .video)
                scene.stream.store(
                    scene.effects, items: 0..<1, slot: .video, layer: 0, epoch: scene.epoch,
                    at: scene.now, into: &scene.orders)
                scene.effects.clear()
                scene.orders.clear()
                number += 1
            }
        }
        run(300)
        let before = allocation_count_thread()
        run(600)
        #expect(allocation_count_thread() - before == 0)
    }

    /// What a stream costs does not depend on how many watch: only who reads, reads.
    @Test func storingCostsTheSameForAnyNumberOfReaders() throws {
        func instructions(readers: Int) throws -> History.Figures {
            var scene = Scene()
            try scene.publish([h264()])
            for _ in 0..<readers { _ = try scene.opened(.video, .h264, .packets) }
            for number: Int64 in 0..<50 { scene.frame(number, key: number % 10 == 0) }
            return try scene.opened(.video, .h264, .packets).encodings[0].history.figures
        }
        #expect(try instructions(readers: 1) == instructions(readers: 500))
    }
}
