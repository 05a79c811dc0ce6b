/// Who has which name: what the Hub shares between workers, as plain data. The Hub puts a lock
/// around it and is asked at joins and changes, never for a packet.
package struct Registry: Sendable {
    package struct Limits: Equatable, Sendable {
        /// Streams with a home at one time.
        package var streams = 10_000
        /// Names remembered after their home was given back, for their epochs. A peer that
        /// invents names can make us forget old ones, and nothing else.
        package var namesSeen = 65_536

        package init() {}
    }

    package struct Entry: Equatable, Sendable {
        /// The worker at which the stream lives.
        package var home: Int
        package var snapshot: StreamSnapshot
        /// Workers that hold viewers or waiters of it, and hear of changes: a bit each.
        package var interested: UInt64 = 0
        package var waiting = 0
    }

    package struct Claim: Equatable, Sendable {
        package var home: Int
        package var lastEpoch: Epoch
        /// The name had no home before: the claimant makes the stream.
        package var isNew: Bool

        package init(home: Int, lastEpoch: Epoch, isNew: Bool) {
            self.home = home
            self.lastEpoch = lastEpoch
            self.isNew = isNew
        }
    }

    private let limits: Limits
    private var entries: [String: Entry] = [:]
    /// Names without a home, and the epoch they had reached, oldest first in `seenOrder`.
    private var seen: [String: Epoch] = [:]
    private var seenOrder: [String] = []
    private var seenStart = 0
    /// No forgotten name had a higher one: where unknown names begin.
    private var epochFloor: Epoch = 0

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    package var count: Int { entries.count }
    package var namesRemembered: Int { seen.count }
    package subscript(name: String) -> Entry? { entries[name] }

    /// All streams, sorted: for lists that are read page by page.
    package var names: [String] { entries.keys.sorted() }

    /// The home of a name; if it has none, the worker that asks becomes it. That a name is one
    /// has been checked where it came from a peer.
    package mutating func claim(_ name: String, for worker: Int) throws(Refusal) -> Claim {
        if let entry = entries[name] {
            return Claim(home: entry.home, lastEpoch: entry.snapshot.epoch, isNew: false)
        }
        guard entries.count < limits.streams else {
            throw Refusal(.tooMany, "\(limits.streams) streams exist already")
        }
        let lastEpoch = seen.removeValue(forKey: name) ?? epochFloor
        var snapshot = StreamSnapshot(name: name)
        snapshot.epoch = lastEpoch
        entries[name] = Entry(home: worker, snapshot: snapshot)
        return Claim(home: worker, lastEpoch: lastEpoch, isNew: true)
    }

    /// What the home says of its stream now.
    ///
    /// - Returns: The workers to tell; none for a snapshot that is older than what is known.
    package mutating func update(_ snapshot: StreamSnapshot, from worker: Int) -> UInt64 {
        guard let entry = entries[snapshot.name], entry.home == worker,
            entry.snapshot.epoch <= snapshot.epoch
        else { return 0 }
        entries[snapshot.name]?.snapshot = snapshot
        return entry.interested & ~Self.bit(worker)
    }

    /// This worker has viewers or waiters of the name, or has none any more.
    package mutating func setInterest(_ name: String, of worker: Int, _ isInterested: Bool) {
        if isInterested {
            entries[name]?.interested |= Self.bit(worker)
        } else {
            entries[name]?.interested &= ~Self.bit(worker)
        }
    }

    /// One more waits for a publisher of the name, at whichever worker.
    ///
    /// - Returns: False when 1,000 wait already.
    package mutating func admitWaiter(_ name: String) -> Bool {
        guard let entry = entries[name], entry.waiting < Waiters.maximum else { return false }
        entries[name]?.waiting += 1
        return true
    }

    package mutating func waiterLeft(_ name: String) {
        guard let entry = entries[name], entry.waiting > 0 else { return }
        entries[name]?.waiting -= 1
    }

    /// Nothing holds the stream at its home any more: the next publisher chooses anew.
    ///
    /// - Returns: False if somebody has become interested meanwhile: the home keeps it.
    package mutating func release(_ name: String, from worker: Int) -> Bool {
        guard let entry = entries[name], entry.home == worker else { return false }
        guard entry.interested & ~Self.bit(worker) == 0, entry.waiting == 0 else { return false }
        entries[name] = nil
        remember(name, entry.snapshot.epoch)
        return true
    }

    private mutating func remember(_ name: String, _ epoch: Epoch) {
        guard epoch > epochFloor else { return }
        if seen.updateValue(epoch, forKey: name) == nil { seenOrder.append(name) }
        while seen.count > limits.namesSeen || seenOrder.count > 2 * limits.namesSeen {
            let oldest = seenOrder[seenStart]
            seenStart += 1
            // It may have come back to life and left again since: then its place is stale.
            if let epoch = seen.removeValue(forKey: oldest) { epochFloor = max(epochFloor, epoch) }
            if seenStart > limits.namesSeen { compactOrder() }
        }
    }

    private mutating func compactOrder() {
        seenOrder.removeFirst(seenStart)
        seenStart = 0
    }

    private static func bit(_ worker: Int) -> UInt64 {
        precondition(worker >= 0 && worker < 64, "at most 64 workers")
        return 1 << UInt64(worker)
    }
}
