import Stream
import Testing
import Wire

@testable import Gateway

/// Who is let in when there is much to do.
struct LoadGuardTests {
    static func guarding(busy: Int = 0, bits: Int = 0) -> LoadGuard {
        var limits = LoadGuard.Limits()
        limits.busyPercent = busy
        limits.bitsPerSecond = bits
        return LoadGuard(limits)
    }

    static func second(_ number: Int) -> Instant { .start + .seconds(Int64(number)) }

    @Test func whatLastsCountsAndAStormOfJoinsDoesNot() {
        let load = Self.guarding(busy: 90)
        for number in 1...3 {
            load.note(0, busy: 1, bits: 0, over: .seconds(1), at: Self.second(number))
        }
        #expect(load.refusal(at: Self.second(3)) == nil)
        for number in 4...15 {
            load.note(0, busy: 1, bits: 0, over: .seconds(1), at: Self.second(number))
        }
        let refusal = load.refusal(at: Self.second(15))
        #expect(refusal?.code == .overloaded)
        #expect(refusal?.sentence.hasSuffix("see limits.cpu") == true)
        // It ends when the load does.
        for number in 16...20 {
            load.note(0, busy: 0.5, bits: 0, over: .seconds(1), at: Self.second(number))
        }
        #expect(load.refusal(at: Self.second(20)) == nil)
    }

    /// A worker with nothing to do sleeps, and says nothing.
    @Test func aWorkerThatSaysNothingHasNothingToDo() {
        let load = Self.guarding(busy: 50)
        load.note(0, busy: 1, bits: 0, over: .seconds(60), at: Self.second(60))
        #expect(load.refusal(at: Self.second(61)) != nil)
        #expect(load.refusal(at: Self.second(70)) == nil)
    }

    @Test func theBusiestWorkerCountsAndTheTrafficOfAll() {
        let load = Self.guarding(busy: 90, bits: 10_000_000)
        load.note(0, busy: 0.2, bits: 4_000_000, over: .seconds(60), at: Self.second(1))
        load.note(1, busy: 0.7, bits: 5_999_999, over: .seconds(60), at: Self.second(1))
        #expect(load.refusal(at: Self.second(1)) == nil)
        #expect(abs(load.figures(at: Self.second(1)).busy - 0.7) < 1e-9)
        load.note(0, busy: 0.2, bits: 4_000_001, over: .seconds(1), at: Self.second(2))
        let refusal = load.refusal(at: Self.second(2))
        #expect(refusal?.sentence == "10 Mbit/s are sent already: see limits.bandwidth")
    }

    @Test func withoutLimitsEverybodyIsLetIn() {
        let load = Self.guarding()
        load.note(0, busy: 1, bits: .max / 2, over: .seconds(60), at: Self.second(1))
        #expect(load.refusal(at: Self.second(1)) == nil)
    }

    @Test func aMeterSaysWhatWasDoneSinceItsLastLook() {
        var meter = LoadMeter(at: .start, threadTime: .milliseconds(100))
        #expect(!meter.isDue(at: .start + .milliseconds(999)))
        let look = meter.look(
            at: Self.second(2), threadTime: .milliseconds(600), bytes: 1_000_000)
        #expect(look.busy == 0.25 && look.bits == 4_000_000 && look.span == .seconds(2))
        #expect(meter.look(at: Self.second(3), threadTime: .seconds(9), bytes: 0).busy == 1)
    }
}
