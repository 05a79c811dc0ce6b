package import Wire

/// When to try again what we connect to: a few times quickly, for a restart on the other side is
/// short; then ever more seldom, and at no fixed beat, so that a thousand do not come at once.
package struct RetrySchedule: Equatable, Sendable {
    static let quickTries = 5
    static let quick = Interval.milliseconds(500)
    static let longest = Interval.seconds(15)
    /// After a wrong password: five of them lock an account at some makers for half an hour.
    static let denied = Interval.seconds(45)
    /// Who stayed this long was really there: the next failure is a first one.
    static let proven = Interval.seconds(10)

    package private(set) var failures = 0

    package init() {}

    package var isQuick: Bool { failures <= Self.quickTries }

    /// - Parameter lasted: How long the connection had done what it is for.
    package mutating func fail(
        lasted: Interval = .zero, isDenied: Bool = false, random: inout SplitMix64
    ) -> Interval {
        if lasted >= Self.proven { failures = 0 }
        failures += 1
        var delay = Self.quick
        if !isQuick {
            let doublings = min(failures - Self.quickTries, 6)
            delay = min(Self.quick * Int64(1 << doublings), Self.longest)
        }
        // A fifth more or less.
        let spread = Int64.random(in: 800...1200, using: &random)
        if isDenied { return Self.denied * spread / 1000 }
        return min(delay * spread / 1000, Self.longest)
    }
}
