/// Changes of clock rate without drift: exact 128-bit arithmetic, rounded to nearest.
package enum Timebase {
    package static func convert(_ ticks: Int64, from: Int32, to: Int32) -> Int64 {
        guard from != to else { return ticks }
        return scale(ticks, by: Int64(to), over: Int64(from))
    }

    package static func nanoseconds(_ ticks: Int64, rate: Int32) -> Int64 {
        scale(ticks, by: 1_000_000_000, over: Int64(rate))
    }

    package static func ticks(nanoseconds: Int64, rate: Int32) -> Int64 {
        scale(nanoseconds, by: Int64(rate), over: 1_000_000_000)
    }

    /// `value * numerator / denominator`, rounded half away from zero; saturates, never traps:
    /// the value may come from a peer's time stamp.
    private static func scale(_ value: Int64, by numerator: Int64, over denominator: Int64) -> Int64
    {
        precondition(denominator > 0, "a clock rate is positive")
        let half = Int128(denominator / 2)
        let product = Int128(value) * Int128(numerator)
        let rounded = product < 0 ? product - half : product + half
        return Int64(clamping: rounded / Int128(denominator))
    }
}
