import Wire

/// What a viewer has asked for again and not got yet, and what it got lately.
///
/// Bounded: a NACK names up to 17 numbers, a compound a few hundred; more at once is either a dead
/// path or a flood, and the budget would refuse it anyway.
struct AskedPackets {
    struct Entry {
        var slot: UInt8
        var outIndex: UInt64
    }

    static let maximum = 128
    private static let memory = 64

    private var queue: [Entry] = []
    private var head = 0
    /// By number: when it was last repeated. A neighbour in the same place may push it out; then
    /// only the budget is left to hold a repetition back.
    private var repeated: [64 of (outIndex: UInt32, at: UInt32)] = .init(repeating: (0, 0))
    private(set) var overflows: UInt64 = 0

    init() {}

    var isEmpty: Bool { head == queue.count }

    mutating func ask(slot: Int, outIndex: UInt64) {
        if queue.capacity == 0 { queue.reserveCapacity(Self.maximum) }
        guard queue.count < Self.maximum else {
            overflows += 1
            return
        }
        queue.append(Entry(slot: UInt8(slot), outIndex: outIndex))
    }

    var first: Entry? { head < queue.count ? queue[head] : nil }

    mutating func removeFirst() {
        head += 1
        guard head == queue.count else { return }
        head = 0
        queue.removeAll(keepingCapacity: true)
    }

    /// Whether it may be repeated again now.
    func isDue(_ entry: Entry, every interval: Interval, at now: Instant) -> Bool {
        let last = repeated[Self.place(entry)]
        guard last.outIndex == UInt32(truncatingIfNeeded: entry.outIndex), last.at != 0 else {
            return true
        }
        let passed = SentRing.stamp(now) &- last.at
        return Int64(passed) * 250_000 >= interval.nanoseconds
    }

    mutating func note(_ entry: Entry, at now: Instant) {
        repeated[Self.place(entry)] = (
            UInt32(truncatingIfNeeded: entry.outIndex), max(1, SentRing.stamp(now))
        )
    }

    private static func place(_ entry: Entry) -> Int {
        Int(truncatingIfNeeded: entry.outIndex &* 2 &+ UInt64(entry.slot)) & (memory - 1)
    }
}
