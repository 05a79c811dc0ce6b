package import Media
package import Wire

/// The last seconds of one encoding: immutable items by index, their bytes in one ring.
///
/// It keeps the last 2 s, and back to the last key frame, within its bound and the budget of all
/// streams. Whoever reads holds an index and comes for the bytes: nothing is copied for a reader,
/// and an index that has left is said to be gone. Storing and reading allocate nothing once the
/// ring has grown to what the stream needs; a need that has fallen for long gives memory back.
///
/// A *hole* is an index inside that has no item: the packet is on its way again, or lost. When the
/// key frame and what follows no longer fit, the history is *broken* until the next key frame: it
/// still serves those who are live, and keeps the key frame alone as a still picture.
///
/// A class, because readers of several kinds refer to it. Everything in it belongs to one worker.
@safe package final class History {
    /// A wider jump is a restart or an outage, not loss to be repaired: nobody asks for so many
    /// packets again, and no list of holes should grow from one number of the peer's.
    private static let jumpMaximum: Int64 = 1_024

    private let limits: HistoryLimits
    private let memory: MediaMemory
    private let claimant: MediaMemory.Claimant
    private var bytes: ByteRing
    private var records: RecordRing

    private var first: Int64 = 0
    private var afterLast: Int64 = 0
    private var isUnused = true
    /// Where the next byte goes.
    private var head: Int64 = 0
    /// The first item that came in order, and so the one whose bytes are written over next.
    private var oldestInOrder: Int64 = 0
    private var newest = Instant.start
    private var keys = KeyIndex()
    private var brokenHistory = false
    private var stillPicture = Still()
    private var repairRing = RepairRing()
    private var slack = Slack()
    private var tally = Figures()

    /// Counts for the API and the tests.
    package struct Figures: Equatable, Sendable {
        package var stored: UInt64 = 0
        package var repaired: UInt64 = 0
        package var duplicates: UInt64 = 0
        package var tooOld: UInt64 = 0
        /// Holes that stay.
        package var lost: UInt64 = 0
        package var tooLarge: UInt64 = 0
        package var resets: UInt64 = 0
        package var growths: UInt64 = 0
        /// Times memory was given back, because the stream needs less than it did.
        package var shrinks: UInt64 = 0
        /// Times the bound or the budget cut a group of pictures short.
        package var broken: UInt64 = 0
    }

    package enum Stored: Equatable, Sendable {
        case stored, repaired, duplicate, tooOld, tooLarge
        /// The numbers jumped too far: what was here is gone, the item begins anew.
        case reset
    }

    /// - Parameter first: Where indexes begin; the first item given to `store` may say otherwise.
    package init(
        _ limits: HistoryLimits, memory: MediaMemory, for claimant: MediaMemory.Claimant,
        first: Int64 = 1
    ) {
        self.limits = limits
        self.memory = memory
        self.claimant = claimant
        bytes = ByteRing(capacity: limits.bytesAtFirst)
        records = RecordRing(capacity: limits.itemsAtFirst)
        // The smallest history is always granted: streams are counted and bounded elsewhere.
        memory.claimFirst(limits.footprintAtFirst)
        self.first = first
        afterLast = first
        oldestInOrder = first
    }

    deinit {
        memory.release(
            bytes.capacity + RecordRing.footprint(records.capacity)
                + stillPicture.items.bytes.count)
    }
}

// MARK: - Reading

extension History {
    /// The oldest index still covered.
    package var start: Int64 { first }
    /// One more than the newest index.
    package var end: Int64 { afterLast }
    package var isEmpty: Bool { first == afterLast }
    /// When its newest item arrived: the head of the stream, for whoever measures being behind.
    package var newestArrival: Instant { newest }
    package var beginsAnywhere: Bool { limits.beginsAnywhere }
    package var figures: Figures { tally }
    package var byteCapacity: Int { bytes.capacity }

    /// The key frame and what followed did not fit: there is no start before the next key frame.
    package var isBroken: Bool { brokenHistory }

    /// The first item of the newest key frame a reader can begin with.
    package var lastKey: Int64? { keys.last }

    /// The first item of the first key frame at or behind `index`.
    package func key(atOrAfter index: Int64) -> Int64? { keys.first(atOrAfter: index) }

    package func contains(_ index: Int64) -> Bool {
        index >= first && index < afterLast && !records[index].isHole
    }

    package func meta(_ index: Int64) -> ItemMeta? {
        contains(index) ? records[index].meta : nil
    }

    /// The bytes in place. Borrow them for as long as nothing is stored.
    @_lifetime(borrow self)
    package func bytes(_ index: Int64) -> RawSpan? {
        guard contains(index) else { return nil }
        let record = records[index]
        let buffer = unsafe bytes.buffer(record.position, Int(record.meta.length))
        return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
    }

    /// The first item at or behind `index`, past any holes; nil at the end.
    package func nextPresent(from index: Int64) -> Int64? {
        var index = max(index, first)
        while index < afterLast {
            if !records[index].isHole { return index }
            index += 1
        }
        return nil
    }

    /// The first index whose item arrived at `instant` or later: where audio joins video. Walks
    /// back from the end, so it costs what the reader will then read.
    package func index(arrivedSince instant: Instant) -> Int64 {
        var found = afterLast
        var index = afterLast - 1
        while index >= first {
            let record = records[index]
            if !record.isHole, !record.isRepair {
                if record.meta.arrival < instant { break }
                found = index
            }
            index -= 1
        }
        return found
    }

    /// How many bytes were stored at and behind `index`: what a reader there has still to read.
    package func bytesAhead(of index: Int64) -> Int {
        guard let present = nextPresent(from: index) else { return 0 }
        return Int(max(0, head - records[present].position))
    }

    /// How many holes have been filled so far: a reader that remembers the number can ask for
    /// those that came since.
    package var repairCount: UInt64 { repairRing.count }

    /// The index that repair number `number` filled; nil if it is too long ago.
    package func repair(_ number: UInt64) -> Int64? { repairRing[number] }

    /// The last key frame after its successors no longer fitted; empty otherwise.
    package var still: ItemBatch { stillPicture.items }
}

// MARK: - Storing

extension History {
    /// Stores at the end.
    @discardableResult
    package func append(_ span: RawSpan, _ meta: ItemMeta) -> Stored {
        store(span, meta, at: afterLast)
    }

    @discardableResult
    package func store(_ span: RawSpan, _ meta: ItemMeta, at index: Int64) -> Stored {
        // Nothing may fill more than half: a ring that holds one item serves nobody.
        guard span.byteCount <= limits.bytes / 2 else {
            tally.tooLarge += 1
            return .tooLarge
        }
        if isUnused { begin(at: index) }
        if index < afterLast { return repair(span, meta, at: index) }
        let jumped = index - afterLast > Self.jumpMaximum
        if jumped { forgetAll(beginAt: index) }
        retire(before: meta.arrival)
        coverRecords(to: index)
        guard let position = makeRoom(span.byteCount) else {
            tally.tooLarge += 1
            return .tooLarge
        }
        if first == afterLast { first = index }
        markHoles(upTo: index)
        put(span, meta, at: index, position, isRepair: false)
        if oldestInOrder < first { oldestInOrder = first }
        afterLast = index + 1
        newest = max(newest, meta.arrival)
        noteKey(meta, index)
        tally.stored += 1
        shrinkIfIdle(at: meta.arrival)
        return jumped ? .reset : .stored
    }

    /// Nothing more will come for these. One that comes all the same is welcome.
    package func giveUp(_ indices: ClosedRange<Int64>) {
        var index = max(first, indices.lowerBound)
        let end = min(afterLast - 1, indices.upperBound)
        while index <= end {
            if records[index].isHole {
                records[index].position = RecordRing.Record.lost
                tally.lost += 1
            }
            index += 1
        }
    }

    /// A publisher whose numbers cannot be continued: the next item begins a new history.
    package func clear() {
        forgetAll(beginAt: afterLast)
        isUnused = true
    }

    private func begin(at index: Int64) {
        isUnused = false
        first = index
        afterLast = index
        oldestInOrder = index
    }

    private func forgetAll(beginAt index: Int64) {
        tally.resets += 1
        keys.removeAll()
        dropStill()
        brokenHistory = false
        begin(at: index)
    }

    private func repair(_ span: RawSpan, _ meta: ItemMeta, at index: Int64) -> Stored {
        if index >= first, !records[index].isHole {
            tally.duplicates += 1
            return .duplicate
        }
        // Making room may push the hole itself out.
        guard index >= first, let position = makeRoom(span.byteCount), index >= first else {
            tally.tooOld += 1
            return .tooOld
        }
        put(span, meta, at: index, position, isRepair: true)
        noteKey(meta, index)
        repairRing.append(index)
        tally.repaired += 1
        return .repaired
    }

    private func put(
        _ span: RawSpan, _ meta: ItemMeta, at index: Int64, _ position: Int64, isRepair: Bool
    ) {
        var meta = meta
        meta.length = UInt32(truncatingIfNeeded: span.byteCount)
        bytes.write(span, at: position)
        records[index] = .init(meta: meta, position: position, isRepair: isRepair)
        head = position + Int64(span.byteCount)
    }

    private func noteKey(_ meta: ItemMeta, _ index: Int64) {
        guard !limits.beginsAnywhere, meta.isKey, meta.startsFrame else { return }
        keys.insert(index)
        brokenHistory = false
        dropStill()
    }

    private func markHoles(upTo index: Int64) {
        var hole = max(afterLast, first)
        while hole < index {
            records[hole].position = RecordRing.Record.hole
            hole += 1
        }
    }
}

// MARK: - Forgetting

extension History {
    /// Drops what the rule no longer asks for: older than 2 s and before the last key frame.
    private func retire(before now: Instant) {
        let oldest = now - limits.retention
        let needed = keys.last ?? afterLast
        while let present = nextPresent(from: first), present < needed,
            records[present].meta.arrival < oldest
        {
            while first <= present { dropFirst() }
        }
    }

    /// Room for records up to `index`: more of them, or fewer old items.
    private func coverRecords(to index: Int64) {
        while index + 1 - first > Int64(records.capacity), first < afterLast {
            if !growRecords() { dropFirstWanted() }
        }
        if first == afterLast, index + 1 - first > Int64(records.capacity) { begin(at: index) }
    }

    /// Where `count` bytes can go without writing over an item that is still here.
    /// Nil if the budget does not let the ring grow to hold even this one.
    private func makeRoom(_ count: Int) -> Int64? {
        while true {
            if count <= bytes.capacity {
                let position = bytes.place(count, from: head)
                let overwritten = position + Int64(count - bytes.capacity)
                if first == afterLast || oldestPosition >= overwritten { return position }
            }
            if growBytes() { continue }
            guard count <= bytes.capacity else { return nil }
            dropFirstWanted()
        }
    }

    /// The position whose bytes go first. Repairs lie behind items that came before them, and one
    /// of those is always still here, so only items in order count.
    private var oldestPosition: Int64 {
        while oldestInOrder < afterLast {
            let record = records[oldestInOrder]
            if !record.isHole, !record.isRepair { return record.position }
            oldestInOrder += 1
        }
        return head
    }

    /// Drops an item the rule would have kept.
    private func dropFirstWanted() {
        if let key = keys.last, first >= key {
            tally.broken += 1
            keepStill(from: key)
            keys.removeAll()
            brokenHistory = true
        }
        dropFirst()
    }

    private func dropFirst() {
        keys.remove(first)
        first += 1
        if oldestInOrder < first { oldestInOrder = first }
    }

    private func keepStill(from key: Int64) {
        dropStill()
        var still = Still()
        var isWhole = false
        var index = key
        while !isWhole, index < afterLast, let meta = meta(index), let span = bytes(index) {
            isWhole = meta.endsFrame || index > key && meta.startsFrame
            if index > key, meta.startsFrame { break }
            guard still.append(span, meta) else { return }
            index += 1
        }
        guard isWhole, memory.reserve(still.items.bytes.count, for: claimant) else { return }
        stillPicture = still
    }

    private func dropStill() {
        memory.release(stillPicture.items.bytes.count)
        stillPicture.clear()
    }
}

// MARK: - Growing

extension History {
    private func growBytes() -> Bool {
        let doubled = bytes.capacity * 2
        guard doubled <= limits.bytes, memory.reserve(bytes.capacity, for: claimant) else {
            return false
        }
        tally.growths += 1
        moveBytes(to: doubled)
        return true
    }

    private func moveBytes(to capacity: Int) {
        var moved = ByteRing(capacity: capacity)
        var position: Int64 = 0
        var index = first
        while index < afterLast {
            if let span = self.bytes(index) {
                position = moved.place(span.byteCount, from: position)
                moved.write(span, at: position)
                records[index].position = position
                records[index].isRepair = false
                position += Int64(span.byteCount)
            }
            index += 1
        }
        head = position
        oldestInOrder = first
        bytes = moved
    }

    private func growRecords() -> Bool {
        let capacity = records.capacity
        guard capacity < limits.items,
            memory.reserve(RecordRing.footprint(capacity), for: claimant)
        else { return false }
        tally.growths += 1
        moveRecords(to: capacity * 2)
        return true
    }

    private func moveRecords(to capacity: Int) {
        let moved = RecordRing(capacity: capacity)
        var index = first
        while index < afterLast {
            moved[index] = records[index]
            index += 1
        }
        records = moved
    }
}

// MARK: - Shrinking

extension History {
    /// A camera that goes over to its night rate, a simulcast layer that was turned down: what the
    /// rings have not used for long others may have.
    private func shrinkIfIdle(at now: Instant) {
        let used = Slack.Use(
            bytes: Int(head - oldestPosition), items: Int(afterLast - first))
        guard let peak = slack.note(used, at: now) else { return }
        shrinkBytes(toHold: peak.bytes)
        shrinkRecords(toHold: peak.items)
    }

    private func shrinkBytes(toHold peak: Int) {
        let capacity = Slack.capacity(
            holding: peak, least: limits.bytesAtFirst, now: bytes.capacity)
        // What lies at the end of the ring may be left unused for the sake of one piece.
        guard capacity < bytes.capacity, fits(in: capacity) else { return }
        memory.release(bytes.capacity - capacity)
        tally.shrinks += 1
        moveBytes(to: capacity)
    }

    /// Whether all that is here lies in a ring of this size, one piece behind the other.
    private func fits(in capacity: Int) -> Bool {
        var used = 0
        var index = first
        while index < afterLast {
            if let meta = meta(index) {
                let count = Int(meta.length)
                let place = used & (capacity - 1)
                used += place + count <= capacity ? count : capacity - place + count
            }
            index += 1
        }
        return used <= capacity
    }

    private func shrinkRecords(toHold peak: Int) {
        let capacity = Slack.capacity(
            holding: peak, least: limits.itemsAtFirst, now: records.capacity)
        guard capacity < records.capacity else { return }
        memory.release(RecordRing.footprint(records.capacity - capacity))
        tally.shrinks += 1
        moveRecords(to: capacity)
    }
}
