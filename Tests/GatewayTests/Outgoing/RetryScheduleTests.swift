import Testing
import Wire

@testable import Gateway

@Suite struct RetryScheduleTests {
    @Test func fiveTimesQuicklyThenEverMoreSeldom() {
        var schedule = RetrySchedule()
        var random = SplitMix64(seed: 3)
        let delays = (0..<14).map { _ in schedule.fail(random: &random).milliseconds }
        #expect(delays[..<5].allSatisfy { (400...600).contains($0) }, "\(delays)")
        for (index, middle) in [1000, 2000, 4000, 8000].enumerated() {
            let spread = Int64(middle * 8 / 10)...Int64(middle * 12 / 10)
            #expect(spread.contains(delays[5 + index]), "\(delays)")
        }
        #expect(delays[9...].allSatisfy { (12_000...15_000).contains($0) }, "\(delays)")
    }

    /// A thousand pulls of one dead server must not come at one beat.
    @Test func noTwoWaitAlike() {
        var random = SplitMix64(seed: 4)
        let delays = (0..<100).map { _ in
            var schedule = RetrySchedule()
            return schedule.fail(random: &random)
        }
        #expect(Set(delays.map(\.nanoseconds)).count > 50)
    }

    @Test func whoStayedBeginsAnew() {
        var schedule = RetrySchedule()
        var random = SplitMix64(seed: 5)
        for _ in 0..<9 { _ = schedule.fail(random: &random) }
        #expect(!schedule.isQuick)
        _ = schedule.fail(lasted: .seconds(10), random: &random)
        #expect(schedule.isQuick && schedule.failures == 1)
        for _ in 0..<9 { _ = schedule.fail(lasted: .seconds(9), random: &random) }
        #expect(!schedule.isQuick, "a server that drops us after seconds is not well")
    }
}
