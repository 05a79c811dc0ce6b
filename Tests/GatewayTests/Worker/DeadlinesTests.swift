import Gateway
import Testing
import Wire

struct DeadlinesTests {
    @Test func callsNobodyEarlyAndEverybodyOnce() {
        var deadlines = Deadlines(at: .start)
        deadlines.set(3, .start + .microseconds(1500))
        deadlines.set(7, .start + .milliseconds(2))
        #expect(deadlines.next == .start + .milliseconds(2), "rounded up")
        #expect(due(&deadlines, at: 1) == [])
        #expect(due(&deadlines, at: 2) == [3, 7])
        #expect(due(&deadlines, at: 3) == [])
        #expect(deadlines.next == .distantFuture)
    }

    @Test func forgetsWhatWasCleared() {
        var deadlines = Deadlines(at: .start)
        deadlines.set(0, .start + .milliseconds(5))
        deadlines.clear(0)
        #expect(due(&deadlines, at: 10) == [])
    }

    @Test func aPassedDeadlineIsDueAtOnce() {
        var deadlines = Deadlines(at: .start + .seconds(10))
        deadlines.set(1, .start)
        #expect(due(&deadlines, at: 10_000) == [1])
    }

    /// After weeks the numbers are moved back; what was due stays due at the same instant.
    @Test func survivesTheWrapOfItsNumbers() {
        var deadlines = Deadlines(at: .start)
        let day: Int64 = 86_400_000
        for now in stride(from: day, through: 60 * day, by: Int(day)) {
            deadlines.set(0, .start + .milliseconds(now + 500))
            #expect(due(&deadlines, at: now) == [], "day \(now / day)")
            #expect(due(&deadlines, at: now + 500) == [0], "day \(now / day)")
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithASortedList(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var deadlines = Deadlines(at: .start)
        var model: [Int: Int64] = [:]
        for now in Int64(0)..<500 {
            for _ in 0..<Int.random(in: 0..<3, using: &random) {
                let slot = Int.random(in: 0..<40, using: &random)
                let time = now + Int64.random(in: 1..<60, using: &random)
                deadlines.set(slot, .start + .milliseconds(time))
                model[slot] = time
            }
            let expected = model.filter { $0.value <= now }.keys.sorted()
            for slot in expected { model[slot] = nil }
            #expect(due(&deadlines, at: now) == expected)
        }
    }

    private func due(_ deadlines: inout Deadlines, at milliseconds: Int64) -> [Int] {
        var slots: [Int] = []
        deadlines.takeDue(at: .start + .milliseconds(milliseconds), into: &slots)
        return slots
    }
}

struct SlotTableTests {
    final class Thing {}

    @Test func anIdentityOutlivesNothing() {
        var table = SlotTable<Thing>()
        let first = table.insert(Thing())
        table.remove(first.index)
        let second = table.insert(Thing())
        #expect(second.index == first.index, "the slot is reused")
        #expect(table[first] == nil, "but not by its old name")
        #expect(table[second] != nil)
        #expect(table.count == 1)
    }

    @Test func removingTwiceIsRemovingOnce() {
        var table = SlotTable<Thing>()
        let identity = table.insert(Thing())
        #expect(table.remove(identity.index) != nil)
        #expect(table.remove(identity.index) == nil)
        #expect(table.count == 0)
        #expect(table[99] == nil)
    }
}
