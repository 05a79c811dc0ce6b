package import Wire

/// How much of what a viewer asks for again it gets: a share of the media rate, and one packet not
/// twice within half a round trip. A flood of NACKs then costs what a lossy path costs, no more.
package struct RepairBudget: Sendable {
    /// Of a thousand bytes of media, how many may leave again. A slow stream needs a larger share:
    /// a quarter of 300 kbit/s is seven packets a second.
    private static let perMille: Int64 = 250
    private static let perMilleSlow: Int64 = 500
    private static let slowBelow: Int64 = 500_000
    /// A second of media may be repaired in one go.
    private static let burst = Interval.seconds(1)
    /// Below this a lost key frame could not be repaired at all.
    private static let burstMinimum: Int64 = 24_000

    private var bytes = burstMinimum
    private var refilledAt: Instant?

    package init() {}

    /// - Parameter mediaRate: Bits a second this viewer is sent.
    package mutating func take(_ size: Int, mediaRate: Int64, at now: Instant) -> Bool {
        refill(mediaRate: mediaRate, at: now)
        guard bytes >= Int64(size) else { return false }
        bytes -= Int64(size)
        return true
    }

    /// One repair of a packet per this long.
    package static func interval(roundTrip: Interval) -> Interval {
        max(roundTrip / 2, .milliseconds(20))
    }

    private mutating func refill(mediaRate: Int64, at now: Instant) {
        let share = mediaRate < Self.slowBelow ? Self.perMilleSlow : Self.perMille
        let bytesPerSecond = Int128(mediaRate) / 8 * Int128(share) / 1000
        let cap = max(
            Self.burstMinimum,
            Int64(clamping: bytesPerSecond * Int128(Self.burst.nanoseconds) / 1_000_000_000))
        guard let last = refilledAt else {
            refilledAt = now
            return
        }
        let earned = Int64(
            clamping: Int128((now - last).nanoseconds) * bytesPerSecond / 1_000_000_000)
        guard earned > 0 else { return }
        refilledAt = now
        bytes = min(cap, bytes + earned)
    }
}
