import ICE
import Testing
import Wire

struct RunTests {
    @Test func keepsTheSpacingOfTheSource() {
        let run = Run(
            encoding: 0, sourceFirst: 100, outFirst: 0xffff, ticksFirst: 9000,
            timestampFirst: 0xffff_fff0)
        #expect(run.outIndex(of: 103) == 0x1_0002, "the roll-over is in the upper bits")
        #expect(run.sourceIndex(of: 0x1_0002) == 103)
        #expect(run.timestamp(of: 12_000) == 0xffff_fff0 &+ 3000)
        #expect(run.timestamp(of: 8_990) == 0xffff_fff0 &- 10, "before the first: before it")
    }

    @Test func shrinksTheSpacingOfAJoinBurst() {
        var run = Run(
            encoding: 0, sourceFirst: 0, outFirst: 0, ticksFirst: 0, timestampFirst: 1000)
        run.ticksShift = 3
        #expect(run.timestamp(of: 90_000) == 1000 + 11_250)
    }

    @Test func aHoleKeepsItsNumber() throws {
        var runs = RunList()
        runs.begin(
            Run(encoding: 0, sourceFirst: 10, outFirst: 500, ticksFirst: 0, timestampFirst: 0))
        let late = try #require(runs.run(source: 12, encoding: 0))
        #expect(late.outIndex(of: 12) == 502)
        #expect(runs.run(source: 9, encoding: 0) == nil, "before the run: never sent, no number")
    }

    @Test func whatWasSkippedHasNoNumber() throws {
        var runs = RunList()
        runs.begin(
            Run(encoding: 0, sourceFirst: 10, outFirst: 500, ticksFirst: 0, timestampFirst: 0))
        runs.close(before: 14)
        runs.begin(
            Run(encoding: 0, sourceFirst: 40, outFirst: 504, ticksFirst: 0, timestampFirst: 0))
        #expect(runs.run(source: 20, encoding: 0) == nil)
        #expect(runs.run(source: 13, encoding: 0)?.outIndex(of: 13) == 503)
        #expect(runs.run(out: 504)?.sourceIndex(of: 504) == 40)
        #expect(runs.run(out: 503)?.sourceIndex(of: 503) == 13)
        #expect(runs.run(source: 13, encoding: 1) == nil, "another encoding has other numbers")
    }

    @Test func forgetsTheOldestOfNine() {
        var runs = RunList()
        for number in Int64(0)..<9 {
            runs.close(before: number * 10 + 1)
            runs.begin(
                Run(
                    encoding: 0, sourceFirst: number * 10, outFirst: UInt64(number) * 10,
                    ticksFirst: 0, timestampFirst: 0))
            runs.close(before: number * 10 + 10)
        }
        #expect(runs.count == RunList.capacity)
        #expect(runs.run(source: 5, encoding: 0) == nil)
        #expect(runs.run(source: 15, encoding: 0) != nil)
        #expect(runs.run(source: 85, encoding: 0) != nil)
    }
}
