package import Media
package import Wire

/// Brings packets into order, for receivers who need it: it waits a little for what is missing and
/// then goes on without.
///
/// Packets are pulled out with `next`. Slots keep their memory, and what is pulled out changes
/// places with the caller's array: once warm, nothing is allocated. A packet in order need not be
/// stored at all: see `passes`.
package struct ReorderBuffer: Sendable {
    package struct Packet: Equatable, Sendable {
        package var index: Int64
        package var meta: ItemMeta
        /// How many packets before it never came.
        package var lost: Int64
    }

    private static let none = Int64.min

    private struct Slot: Sendable {
        var index = ReorderBuffer.none
        var meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
        var bytes: [UInt8] = []
    }

    /// How long a missing packet is waited for, from the arrival of the first one behind it.
    package var patience: Interval
    private var slots: [Slot]
    private var expected: Int64?
    private var highest: Int64 = 0
    private var count = 0
    /// The numbers jumped: packets were lost, how many nobody can tell.
    private var hasJumped = false
    package private(set) var dropped = 0

    /// - Parameter capacity: A power of two; packets further ahead than that end the waiting.
    package init(patience: Interval, capacity: Int = 512) {
        precondition(capacity.nonzeroBitCount == 1, "the capacity is a power of two")
        self.patience = patience
        slots = [Slot](repeating: Slot(), count: capacity)
    }

    /// True: the packet is the next one and nothing waits; the caller goes on with it, and nothing
    /// is stored. Ask before `receive`.
    package mutating func passes(_ index: Int64) -> Bool {
        guard count == 0, !hasJumped, index == expected ?? index else { return false }
        expected = index + 1
        return true
    }

    /// Late packets and repetitions are dropped. After a jump what waited is forgotten.
    package mutating func receive(_ payload: RawSpan, _ index: Int64, _ meta: ItemMeta) {
        let next = expected ?? index
        guard index >= next else {
            // So far back it is no late packet: the source began anew.
            if next - index > SequenceUnwrapper.jumpMaximum { return restart(payload, index, meta) }
            dropped += 1
            return
        }
        guard index - next < Int64(slots.count) else { return restart(payload, index, meta) }
        let slot = slot(index)
        guard slots[slot].index != index else {
            dropped += 1
            return
        }
        expected = next
        store(payload, index, meta)
    }

    /// The next packet that is in order, or that need not wait any longer.
    package mutating func next(at now: Instant, into bytes: inout [UInt8]) -> Packet? {
        guard count > 0, var index = expected else { return nil }
        if slots[slot(index)].index != index {
            guard now >= deadline else { return nil }
            while slots[slot(index)].index != index { index += 1 }
        }
        let lost = max(index - (expected ?? index), hasJumped ? 1 : 0)
        (expected, hasJumped) = (index + 1, false)
        count -= 1
        let position = slot(index)
        slots[position].index = Self.none
        swap(&slots[position].bytes, &bytes)
        return Packet(index: index, meta: slots[position].meta, lost: lost)
    }

    /// When the oldest packet has waited long enough for the one before it.
    package var deadline: Instant {
        guard count > 0, let expected else { return .distantFuture }
        if slots[slot(expected)].index == expected { return .start }
        var earliest = Instant.distantFuture
        var index = expected
        // The first one found lies behind the hole; others behind it came later or are repairs.
        while index <= highest, earliest == .distantFuture {
            if slots[slot(index)].index == index { earliest = slots[slot(index)].meta.arrival }
            index += 1
        }
        return earliest + patience
    }

    private func slot(_ index: Int64) -> Int { Int(index & Int64(slots.count - 1)) }

    private mutating func store(_ payload: RawSpan, _ index: Int64, _ meta: ItemMeta) {
        let slot = slot(index)
        slots[slot].index = index
        slots[slot].meta = meta
        slots[slot].bytes.removeAll(keepingCapacity: true)
        slots[slot].bytes.append(copying: payload)
        highest = max(highest, index)
        count += 1
    }

    private mutating func restart(_ payload: RawSpan, _ index: Int64, _ meta: ItemMeta) {
        dropped += count
        for slot in slots.indices { slots[slot].index = Self.none }
        (count, expected, highest, hasJumped) = (0, index, index, true)
        store(payload, index, meta)
    }
}
