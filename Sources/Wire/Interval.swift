/// A length of time.
@frozen public struct Interval: Comparable, Hashable, Sendable {
    public var nanoseconds: Int64

    @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static let zero = Interval(nanoseconds: 0)

    @inlinable public static func microseconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: n &* 1000)
    }

    @inlinable public static func milliseconds(_ n: Int64) -> Interval {
        Interval(nanoseconds: n &* 1_000_000)
    }

    @inlinable public static func seconds(_ n: Int64) -> Interval { milliseconds(n &* 1000) }

    /// Rounded towards zero.
    @inlinable public var milliseconds: Int64 { nanoseconds / 1_000_000 }

    @inlinable public static func < (a: Interval, b: Interval) -> Bool {
        a.nanoseconds < b.nanoseconds
    }

    @inlinable public static func + (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &+ b.nanoseconds)
    }

    @inlinable public static func - (a: Interval, b: Interval) -> Interval {
        Interval(nanoseconds: a.nanoseconds &- b.nanoseconds)
    }

    @inlinable public static prefix func - (a: Interval) -> Interval {
        Interval(nanoseconds: 0 &- a.nanoseconds)
    }

    @inlinable public static func * (a: Interval, n: Int64) -> Interval {
        Interval(nanoseconds: a.nanoseconds &* n)
    }

    @inlinable public static func / (a: Interval, n: Int64) -> Interval {
        Interval(nanoseconds: a.nanoseconds / n)
    }
}
