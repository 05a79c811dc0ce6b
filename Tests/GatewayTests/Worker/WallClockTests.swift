import Gateway
import Stream
import System
import Testing
import Wire

/// Two workers write the same times.
struct WallClockTests {
    /// The clocks of a machine, in the hands of a test.
    private final class Clocks: Sendable {
        let utc = Locked<(now: Instant, utc: Int64)>((.start, 1_700_000_000_000_000_000))

        func pass(_ interval: Interval, gaining error: Interval = .zero) -> Instant {
            utc.withLock { clocks in
                clocks.now = clocks.now + interval
                clocks.utc += (interval + error).nanoseconds
                return clocks.now
            }
        }

        func read() -> (monotonic: Instant, utc: Int64) { utc.withLock { ($0.now, $0.utc) } }
    }

    @Test func whoeverLooksFirstLooksForAll() {
        let clocks = Clocks()
        let clock = WallClock { clocks.read() }
        var (one, other) = (clock.copy, clock.copy)
        for turn in 0..<100 {
            // The system's clock is corrected all the time; one worker looks, then the other.
            let now = clocks.pass(.milliseconds(700), gaining: .microseconds(Int64(turn % 7) * 90))
            #expect(clock.refresh(&one, at: now) == nil)
            #expect(clock.refresh(&other, at: now) == nil)
            #expect(one.model.utc(at: now) == other.model.utc(at: now))
            let error = clocks.read().utc - one.model.utc(at: now)
            #expect(abs(error) < 20_000_000, "followed, in steps that nobody sees")
        }
    }

    @Test func aClockThatWasSetIsToldOnce() {
        let clocks = Clocks()
        let clock = WallClock { clocks.read() }
        var (one, other) = (clock.copy, clock.copy)
        let now = clocks.pass(.seconds(2), gaining: .seconds(3600))
        #expect(clock.refresh(&one, at: now) == .seconds(3600))
        #expect(clock.refresh(&other, at: now) == nil, "it was found out already")
        #expect(one.model.utc(at: now) == clocks.read().utc)
        #expect(other.model.utc(at: now) == clocks.read().utc)
    }
}
