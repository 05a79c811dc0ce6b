import ICE
import Testing
import Wire

struct PaceTests {
    @Test func ordinaryTrafficIsNeverHeld() {
        var pace = Pace()
        for _ in 0..<1000 {
            pace.charge(1200)
            let may = pace.maySend(at: .start, averageFrame: 9000)
            #expect(may)
        }
        #expect(pace.dueAt == nil)
    }

    /// 20 Mbit/s for a second: what leaves is the rate, in steps of the tick, never one by one.
    @Test(arguments: [2_000_000, 20_000_000, 100_000_000] as [Int64])
    func aLimitedRateIsKept(rate: Int64) {
        var pace = Pace()
        pace.limit(to: rate, averageFrame: 6000, at: .start)
        var sent: Int64 = 0
        for tick in Int64(0)..<200 {
            let now = Instant.start + .milliseconds(5 * tick)
            while pace.maySend(at: now, averageFrame: 6000) {
                pace.charge(1200)
                sent += 1200
            }
        }
        let expected = rate / 8
        let slack = Int64(pace.allowance(averageFrame: 6000)) + 1200
        #expect(sent <= expected + slack)
        #expect(sent >= expected - expected / 20 - slack)
    }

    @Test func saysWhenToComeBack() throws {
        var pace = Pace()
        pace.limit(to: 2_000_000, averageFrame: 0, at: .start)
        pace.charge(14_400 + 2400)
        let due = try #require(pace.dueAt)
        #expect(due >= .start + Pace.interval)
        let before = pace.maySend(at: due - .microseconds(100), averageFrame: 0)
        let after = pace.maySend(at: due + .microseconds(100), averageFrame: 0)
        #expect(!before)
        #expect(after)
    }

    @Test func silenceSavesNoCredit() {
        var pace = Pace()
        pace.limit(to: 8_000_000, averageFrame: 0, at: .start)
        _ = pace.maySend(at: .start + .seconds(60), averageFrame: 0)
        #expect(pace.credit == pace.allowance(averageFrame: 0))
    }
}

struct RepairBudgetTests {
    /// 2 Mbit/s, and a peer that asks for everything again, all the time.
    @Test func givesAQuarterOfTheMediaRate() {
        var budget = RepairBudget()
        var given = 0
        for tick in Int64(0)..<10_000 {
            while budget.take(1200, mediaRate: 2_000_000, at: .start + .milliseconds(tick)) {
                given += 1200
            }
        }
        let quarter = 10 * 2_000_000 / 8 / 4
        #expect(given >= quarter - 1200)
        #expect(given <= quarter + 2_000_000 / 8 / 4 + 24_000)
    }

    @Test func aSlowStreamGetsHalf() {
        var budget = RepairBudget()
        var given = 0
        for tick in Int64(0)..<60_000 {
            while budget.take(800, mediaRate: 64_000, at: .start + .milliseconds(tick)) {
                given += 800
            }
        }
        #expect(given > 60 * 64_000 / 8 / 2 - 800)
        #expect(given <= 60 * 64_000 / 8 / 2 + 24_000)
    }

    @Test func spacesRepairsOfOnePacket() {
        #expect(RepairBudget.interval(roundTrip: .milliseconds(4)) == .milliseconds(20))
        #expect(RepairBudget.interval(roundTrip: .milliseconds(100)) == .milliseconds(50))
    }
}
