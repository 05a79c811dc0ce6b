import CAllocationCount
import Codecs
import Media
import Stream
import Testing
import Wire

/// The path of every frame of every source: nothing of it may allocate once it has begun.
struct TimelineAllocationTests {
    /// Whether malloc is ours to count: a sanitizer takes it over.
    static var counts: Bool {
        let first = allocation_count_thread()
        let probe = [UInt8](repeating: 1, count: 4096)
        return probe.count == 4096 && allocation_count_thread() > first
    }

    @Test(.enabled(if: counts)) func aFramesTimeCostsNoMemory() {
        var origin = TimelineOrigin()
        var repair = TimestampRepair(
            policy: .pes, inputRate: 90_000, outputRate: 8000, sampleRate: 8000)
        var unwrap = TimestampUnwrap(.bits33)
        var map = CaptureMap(rate: 8000)
        var clock = SampleClock(rate: 8000, tolerance: SampleClock.fine)
        var before: UInt64 = 0
        for index in 0..<3000 {
            if index == 100 { before = allocation_count_thread() }
            let now = Instant.start + .milliseconds(Int64(index) * 40)
            // From the thousandth on the stamps count samples: the way of repair is walked too.
            let step: UInt64 = index < 1000 ? 3600 : 320
            let stamp = unwrap.unwrap(UInt64(index) * step)
            let frame = TimestampRepair.Frame(stamp: stamp, samples: 320)
            let ticks = repair.receive(frame, at: now, origin: &origin).ticks
            map.receive(ticks: ticks, at: now)
            _ = clock.stamp(ticks, samples: 320)
        }
        #expect(allocation_count_thread() - before == 0)
        #expect(repair.counters.modeChanges > 0)
    }

    @Test(.enabled(if: counts)) func aFrameIsBuiltWithoutAllocation() {
        var builder = AccessUnitBuilder(.h264)
        var splitter = AccessUnitSplitter(.h264)
        var batch = ItemBatch()
        let stream: [UInt8] = [0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a, 7, 7, 0, 0, 1, 0x41, 3, 5]
        let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
        var before: UInt64 = 0
        for index in 0..<1000 {
            if index == 100 { before = allocation_count_thread() }
            var units = AnnexBUnits(stream.raw)
            while let range = units.next() {
                let unit = stream.raw.extracting(range)
                if splitter.receive(unit, at: .start) {
                    builder.finish(meta, into: &batch)
                    // Between frames only: an open item is the builder's.
                    if batch.count > 8 { batch.clear() }
                }
                builder.add(unit, into: &batch)
            }
        }
        #expect(allocation_count_thread() - before == 0)
    }
}
