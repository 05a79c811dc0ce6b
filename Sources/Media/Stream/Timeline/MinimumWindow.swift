import Wire

/// The least of what was noted in the last ten seconds: a lower envelope in ten fixed cells, so
/// that noting costs no memory.
struct MinimumWindow: Sendable {
    private static let cells = 10
    private static let cellNanoseconds: Int64 = 1_000_000_000
    /// A pause longer than this makes the window begin anew: what comes after a stall comes late.
    private static let pause = Interval.seconds(2)

    private var least: [10 of Int64] = .init(repeating: .max)
    private var cell: Int64 = 0
    private var began: Instant?
    private var last = Instant.start
    private(set) var minimum: Int64?

    mutating func note(_ value: Int64, at now: Instant) {
        let current = now.nanoseconds / Self.cellNanoseconds
        if began == nil || now - last > Self.pause { restart(current, at: now) }
        last = now
        while cell < current {
            cell += 1
            least[index(cell)] = .max
        }
        least[index(cell)] = min(least[index(cell)], value)
        // An old minimum stays until the window is full again: a stall must not lift the envelope.
        var lowest = Int64.max
        for index in 0..<Self.cells { lowest = min(lowest, least[index]) }
        minimum = isFull(at: now) ? lowest : min(lowest, minimum ?? lowest)
    }

    func isFull(at now: Instant) -> Bool {
        guard let began else { return false }
        return now - began >= .seconds(Int64(Self.cells))
    }

    private mutating func restart(_ current: Int64, at now: Instant) {
        began = now
        cell = current
        for index in 0..<Self.cells { least[index] = .max }
    }

    private func index(_ cell: Int64) -> Int { Int(cell.magnitude % UInt64(Self.cells)) }
}
