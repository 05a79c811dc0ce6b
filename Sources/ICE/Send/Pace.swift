package import Wire

/// How fast packets may leave towards one viewer.
///
/// Ordinary frames always leave in one run: pacing that cuts them into single packets costs three
/// times the processor and helps nobody. Only what is far above the average is spread: key frames,
/// join bursts, and everything once an estimate of the path says so.
package struct Pace: Sendable {
    /// Bits a second; `unlimited` outside of bursts until an estimator says otherwise.
    package var rate: Int64 = unlimited
    /// Bytes that may leave now; goes negative when a run is larger than what was left.
    package private(set) var credit: Int32 = 0
    /// When credit is worth a packet again. Meaningful only with a limited rate.
    package private(set) var refilledAt: Instant = .start

    package static let unlimited = Int64.max
    /// The unit of spreading: the worker's tick.
    package static let interval = Interval.milliseconds(5)
    /// A run of this many packets is always allowed: below it a run costs more than it spreads.
    package static let packetsMinimum: Int32 = 12
    private static let packetSize: Int32 = 1200

    package init() {}

    /// Bytes to give for one interval: 5 ms of the rate, an average frame, or twelve packets.
    package func allowance(averageFrame: Int32) -> Int32 {
        let share = Int32(clamping: rate / 8 / 200)
        return max(share, averageFrame, Self.packetsMinimum * Self.packetSize)
    }

    /// Limits the rate from now on; the first interval's credit is there at once.
    package mutating func limit(to rate: Int64, averageFrame: Int32, at now: Instant) {
        precondition(rate > 0)
        if self.rate == Self.unlimited {
            self.rate = rate
            credit = allowance(averageFrame: averageFrame)
            refilledAt = now
        } else {
            self.rate = rate
        }
    }

    package mutating func unlimit() { rate = Self.unlimited }

    /// Whether media may leave at this instant.
    package mutating func maySend(at now: Instant, averageFrame: Int32) -> Bool {
        guard rate != Self.unlimited else { return true }
        refill(at: now, averageFrame: averageFrame)
        return credit > 0
    }

    package mutating func charge(_ bytes: Int) {
        guard rate != Self.unlimited else { return }
        credit = Int32(clamping: Int64(credit) - Int64(bytes))
    }

    /// When to come back, if credit has run out.
    package var dueAt: Instant? {
        guard rate != Self.unlimited, credit <= 0 else { return nil }
        let missing = Int64(1 - credit) * 8
        let wait = Int64(clamping: Int128(missing) * 1_000_000_000 / Int128(rate))
        return max(refilledAt + Interval(nanoseconds: wait), refilledAt + Self.interval)
    }

    /// Credit grows with the rate and is capped by one interval's allowance: silence saves nothing.
    private mutating func refill(at now: Instant, averageFrame: Int32) {
        let elapsed = now - refilledAt
        guard elapsed > .zero else { return }
        let earned = Int128(elapsed.nanoseconds) * Int128(rate) / 8_000_000_000
        guard earned > 0 else { return }
        refilledAt = now
        let cap = Int64(allowance(averageFrame: averageFrame))
        credit = Int32(clamping: min(Int64(credit) + Int64(clamping: earned), cap))
    }
}
