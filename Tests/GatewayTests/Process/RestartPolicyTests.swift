import Gateway
import Testing
import Wire

struct RestartPolicyTests {
    @Test func restartsAtOnceUntilTheFifthDeathInAMinute() {
        var policy = RestartPolicy()
        for second in 0..<4 {
            let now = Instant.start + .seconds(Int64(second))
            #expect(policy.died(at: now) == now + RestartPolicy.pause)
            #expect(!policy.isBackingOff)
        }
        let now = Instant.start + .seconds(4)
        #expect(policy.died(at: now) == now + .seconds(10))
        #expect(policy.isBackingOff)
        policy.started()
        #expect(!policy.isBackingOff && policy.restarts == 5)
    }

    @Test func backsOffFurtherAndForgivesAfterAGoodMinute() {
        var policy = RestartPolicy()
        var now = Instant.start
        var pauses: [Int64] = []
        for _ in 0..<10 {
            let next = policy.died(at: now)
            pauses.append((next - now).milliseconds)
            now = next
        }
        // The window of a minute slides: deaths that are a minute apart are not many.
        #expect(pauses.prefix(8) == [50, 50, 50, 50, 10_000, 20_000, 40_000, 50])
        now = now + .seconds(61)
        #expect(policy.died(at: now) == now + RestartPolicy.pause)
    }
}
