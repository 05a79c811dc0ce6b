import Wire

/// How long packets stayed in a worker, as counts of fixed buckets: nothing is allocated or divided
/// when one is noted.
package struct DelayHistogram: Equatable, Sendable {
    /// Upper bounds in microseconds; the last bucket has none.
    package static let bounds: [Int64] = [
        25, 50, 100, 150, 200, 300, 400, 500, 700, 1000, 2000, 5000, 10_000, 20_000, 50_000,
    ]
    private static let edges: SIMD16<Int64> = {
        var edges = SIMD16<Int64>(repeating: .max)
        for (index, bound) in bounds.enumerated() { edges[index] = bound * 1000 }
        return edges
    }()

    package private(set) var counts = SIMD16<Int64>.zero
    package private(set) var nanoseconds: Int64 = 0

    package init() {}

    mutating func note(_ delay: Interval, count: Int) {
        var bucket = 0
        while delay.nanoseconds > Self.edges[bucket] { bucket += 1 }
        counts[bucket] += Int64(count)
        nanoseconds += delay.nanoseconds * Int64(count)
    }

    package static func += (a: inout DelayHistogram, b: DelayHistogram) {
        a.counts &+= b.counts
        a.nanoseconds += b.nanoseconds
    }
}
