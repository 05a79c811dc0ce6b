import Testing
import Wire

@testable import Gateway

struct LinePaceTests {
    @Test func soMuchLeavesInEachWindowAndNoMore() {
        var pace = LinePace()
        var written = 0
        var now = Instant.start + .seconds(1)
        for _ in 0..<100 {
            while pace.allows(written, at: now) { written += 1200 }
            now = pace.next
        }
        // A packet more than the bound in each window.
        let most = 100 * (LinePace.bytes + 1200)
        #expect(written <= most && written > most - 100 * 2400)
        #expect(now == Instant.start + .seconds(1) + LinePace.window * 100)
    }

    @Test func whoIsNotBehindIsNotHeldBack() {
        var pace = LinePace()
        var now = Instant.start + .seconds(1)
        for frame in 0..<100 {
            let mayGo = pace.allows(frame * 10_000, at: now)
            #expect(mayGo)
            now = now + .milliseconds(40)
        }
    }
}
