import Wire

/// Lengths of time, counted in boxes that are 3 % wide: any number of samples in 16 KiB.
struct Histogram: Sendable {
    /// Boxes for each doubling.
    private static let steps = 32
    private static let doublings = 48

    private var counts = [Int](repeating: 0, count: steps * doublings)
    private(set) var count = 0
    private(set) var maximum = Interval.zero
    /// Below zero: clocks that do not agree.
    private(set) var negative = 0

    init() {}

    mutating func add(_ length: Interval) {
        if length < .zero { negative += 1 }
        counts[Self.box(length)] += 1
        count += 1
        maximum = max(maximum, length)
    }

    mutating func merge(_ other: Histogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        count += other.count
        negative += other.negative
        maximum = max(maximum, other.maximum)
    }

    /// The middle of the box that holds it; nil without samples.
    func percentile(_ percent: Int) -> Interval? {
        guard count > 0 else { return nil }
        let wanted = max(1, (count * percent + 99) / 100)
        var passed = 0
        for index in counts.indices {
            passed += counts[index]
            if passed >= wanted { return min(Self.middle(index), maximum) }
        }
        return maximum
    }

    /// Up to 32 ns each has its own; above, 32 for each doubling.
    private static func box(_ length: Interval) -> Int {
        let value = UInt64(max(0, length.nanoseconds))
        guard value >= steps else { return Int(value) }
        let exponent = value.bitWidth - 1 - value.leadingZeroBitCount
        let step = Int(truncatingIfNeeded: value >> UInt64(exponent - 5)) & (steps - 1)
        return min((exponent - 4) * steps + step, steps * doublings - 1)
    }

    private static func middle(_ box: Int) -> Interval {
        guard box >= steps else { return Interval(nanoseconds: Int64(box)) }
        let shift = Int64(box / steps - 1)
        let low = Int64(steps + box % steps) << shift
        return Interval(nanoseconds: low + (1 << shift) / 2)
    }
}
