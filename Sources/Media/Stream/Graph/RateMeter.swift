import Wire

/// Bits per second over whole seconds: what layers are compared by, and what the API shows.
struct RateMeter {
    private static let window = Interval.seconds(1)
    private var start = Instant.start
    private var bytes = 0
    private(set) var bitsPerSecond = 0
    private var hasBegun = false

    mutating func add(_ count: Int, at now: Instant) {
        if !hasBegun {
            hasBegun = true
            start = now
        }
        let passed = now - start
        if passed >= Self.window {
            // Over the time that really passed: a pause counts as the low rate it was.
            bitsPerSecond = Int(Int64(bytes) * 8_000 / max(1, passed.milliseconds))
            start = now
            bytes = 0
        }
        bytes += count
    }
}
