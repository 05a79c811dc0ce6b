package import Wire

/// When a dead child is started again: at once, until it dies so often that something is wrong that
/// a restart does not mend.
package struct RestartPolicy: Sendable {
    /// So many deaths …
    package static let deaths = 5
    /// … in so long make us slow.
    package static let window = Interval.seconds(60)
    /// Long enough not to burn a core on a child that dies at once, far below a second.
    package static let pause = Interval.milliseconds(50)
    private static let firstBackOff = Interval.seconds(10)
    private static let longestBackOff = Interval.seconds(60)

    private var recent: [Instant] = []
    private var backOff = firstBackOff

    package private(set) var restarts = 0
    /// Whether the next start is delayed because of too many deaths.
    package private(set) var isBackingOff = false

    /// - Parameter restarts: Those of the supervisor before us.
    package init(restarts: Int = 0) { self.restarts = restarts }

    /// - Returns: When to start the next child.
    package mutating func died(at now: Instant) -> Instant {
        recent = recent.filter { now - $0 < Self.window } + [now]
        restarts += 1
        isBackingOff = recent.count >= Self.deaths
        guard isBackingOff else {
            backOff = Self.firstBackOff
            return now + Self.pause
        }
        defer { backOff = min(backOff * 2, Self.longestBackOff) }
        return now + backOff
    }

    /// The delayed child has begun.
    package mutating func started() { isBackingOff = false }
}
