import Stream
import Testing
import Wire

struct ClockTests {
    let start = Instant(nanoseconds: 5_000_000_000)
    let utc: Int64 = 1_700_000_000_000_000_000

    @Test func wallClockSlewsAndNeverGoesBack() {
        var clock = WallClockModel(utc: utc, at: start)
        // The system's clock was put back by 100 ms: we lose half a millisecond a second.
        var last = utc
        for second in 1...150 {
            let now = start + .seconds(Int64(second))
            let truth = utc + Int64(second) * 1_000_000_000 - 100_000_000
            #expect(clock.sample(utc: truth, at: now) == nil)
            for part in 0..<4 {
                let value = clock.utc(at: now + .milliseconds(Int64(part) * 250))
                #expect(value > last)
                last = value
            }
            let error = clock.utc(at: now) - truth
            let expected = max(0, 100_000_000 - Int64(second - 1) * 500_000)
            #expect(abs(error - expected) <= 1000)
        }
        #expect(clock.steps == 0)
    }

    @Test func wallClockStepsWhenTheClockWasSet() {
        var clock = WallClockModel(utc: utc, at: start)
        let now = start + .seconds(1)
        let stepped = clock.sample(utc: utc + 3_600_000_000_000, at: now)
        #expect(stepped == .seconds(3599))
        #expect(clock.utc(at: now) == utc + 3_600_000_000_000)
        #expect(clock.steps == 1)
    }

    /// FLV rounds 1024 samples of 44.1 kHz to 23 and 24 ms; the samples go on exactly.
    @Test func sampleClockIgnoresRounding() {
        var clock = SampleClock(rate: 44_100, tolerance: SampleClock.fine)
        for frame in 0..<1000 {
            let milliseconds = Int64(frame) * 1024 * 1000 / 44_100
            let stamp = clock.stamp(milliseconds * 44_100 / 1000, samples: 1024)
            #expect(stamp == Int64(frame) * 1024)
        }
        #expect(clock.anchorings == 0)
    }

    @Test func sampleClockFollowsAGapAndNeverGoesBack() {
        var clock = SampleClock(rate: 48_000, tolerance: SampleClock.fine)
        #expect(clock.stamp(0, samples: 960) == 0)
        #expect(clock.stamp(960 + 2880, samples: 960) == 960)  // 60 ms: still the count.
        #expect(clock.stamp(48_000, samples: 960) == 48_000)
        #expect(clock.stamp(10_000, samples: 960) == 48_001)
        #expect(clock.anchorings == 2)
    }
}
