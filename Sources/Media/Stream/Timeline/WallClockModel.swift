package import Wire

/// The one way from the monotonic clock to UTC. Told both once a second, it follows the system's
/// clock in small steps, so that no NTP correction shows in a stream.
package struct WallClockModel: Sendable {
    /// NTP itself slews by as much; a viewer's clock recovery does not notice it.
    static let slewPerSecond = Interval.microseconds(500)
    /// More is a clock that was set, not one that drifts: believed at once.
    static let step = Interval.seconds(1)

    private var anchor: Instant
    /// Nanoseconds since 1970 at `anchor`.
    private var base: Int64
    /// What is still to be corrected from `anchor` on.
    private var correction: Int64 = 0
    package private(set) var steps: UInt32 = 0

    package init(utc: Int64, at now: Instant) {
        anchor = now
        base = utc
    }

    package func utc(at now: Instant) -> Int64 {
        let passed = (now - anchor).nanoseconds
        let limit = max(0, passed) / 1_000_000_000 &* Self.slewPerSecond.nanoseconds
        let fine = max(0, passed) % 1_000_000_000 / 2000  // The rest of a second at 0.5 ms/s.
        let allowed = limit &+ fine
        return base &+ passed &+ min(max(correction, -allowed), allowed)
    }

    /// - Returns: By how much the clock was set, when it was; to be logged.
    package mutating func sample(utc sampled: Int64, at now: Instant) -> Interval? {
        let ours = utc(at: now)
        let error = sampled &- ours
        anchor = now
        guard error.magnitude <= UInt64(Self.step.nanoseconds) else {
            base = sampled
            correction = 0
            steps &+= 1
            return Interval(nanoseconds: error)
        }
        base = ours
        correction = error
        return nil
    }
}
