import Media
import Stream
import Testing
import Wire

/// Who has which name, shared by the workers as data.
struct RegistryTests {
    /// The publisher comes back at another worker: the home stays.
    @Test func theHomeStays() throws {
        var registry = Registry()
        let first = try registry.claim("live/a", for: 2)
        #expect(first == .init(home: 2, lastEpoch: 0, isNew: true))
        let second = try registry.claim("live/a", for: 0)
        #expect(second == .init(home: 2, lastEpoch: 0, isNew: false))
    }

    @Test func aFreedNameChoosesAnewAndItsEpochsGoOn() throws {
        var registry = Registry()
        _ = try registry.claim("live/a", for: 2)
        _ = registry.update(snapshot("live/a", 7), from: 2)
        registry.setInterest("live/a", of: 1, true)
        #expect(registry.release("live/a", from: 2) == false, "worker 1 still has a viewer")
        registry.setInterest("live/a", of: 1, false)
        #expect(registry.release("live/a", from: 0) == false, "only the home gives it back")
        #expect(registry.release("live/a", from: 2) == true)
        let next = try registry.claim("live/a", for: 0)
        #expect(next == .init(home: 0, lastEpoch: 7, isNew: true))
    }

    @Test func thoseInterestedAreToldAndOldNewsIsNot() throws {
        var registry = Registry()
        _ = try registry.claim("live/a", for: 0)
        registry.setInterest("live/a", of: 0, true)
        registry.setInterest("live/a", of: 3, true)
        #expect(registry.update(snapshot("live/a", 2), from: 0) == 1 << 3)
        #expect(registry.update(snapshot("live/a", 1), from: 0) == 0)
        #expect(registry.update(snapshot("live/a", 3), from: 1) == 0, "not its home")
        #expect(registry["live/a"]?.snapshot.epoch == 2)
    }

    @Test func streamsAndWaitersHaveBounds() throws {
        var limits = Registry.Limits()
        limits.streams = 3
        var registry = Registry(limits)
        for name in ["live/a", "live/b", "live/c"] { _ = try registry.claim(name, for: 0) }
        let refusal = #expect(throws: Refusal.self) { try registry.claim("live/d", for: 0) }
        #expect(refusal?.code == .tooMany)
        let admitted = (0..<1_001).map { _ in registry.admitWaiter("live/a") }
        #expect(admitted.count { $0 } == 1_000)
        registry.waiterLeft("live/a")
        let again = registry.admitWaiter("live/a")
        #expect(again)
    }

    /// A peer that invents names makes us forget old ones, and no epoch is ever given twice.
    @Test func namesSeenAreBoundedAndEpochsNeverGoBack() throws {
        var limits = Registry.Limits()
        limits.namesSeen = 50
        var registry = Registry(limits)
        _ = try registry.claim("live/first", for: 0)
        _ = registry.update(snapshot("live/first", 9), from: 0)
        #expect(registry.release("live/first", from: 0) == true)
        for number in 0..<1_000 {
            let name = "live/n\(number)"
            let claim = try registry.claim(name, for: 0)
            _ = registry.update(snapshot(name, claim.lastEpoch + 1), from: 0)
            #expect(registry.release(name, from: 0) == true)
        }
        #expect(registry.namesRemembered <= 50)
        let again = try registry.claim("live/first", for: 0)
        #expect(again.lastEpoch >= 9)
    }

    private func snapshot(_ name: String, _ epoch: Epoch) -> StreamSnapshot {
        var snapshot = StreamSnapshot(name: name)
        snapshot.epoch = epoch
        return snapshot
    }
}
