import Wire

/// How much of its rings a history has really used lately: the peak of half a minute, by the times
/// at which items arrived.
struct Slack {
    struct Use {
        var bytes: Int
        var items: Int
    }

    /// Long enough for the longest groups of pictures in use (10 s), whose ends are the peaks.
    private static let window = Interval.seconds(30)

    private var peak = Use(bytes: 0, items: 0)
    private var ends: Instant?

    /// - Returns: The peak of a window that has ended.
    mutating func note(_ use: Use, at now: Instant) -> Use? {
        peak.bytes = max(peak.bytes, use.bytes)
        peak.items = max(peak.items, use.items)
        guard let end = ends else {
            ends = now + Self.window
            return nil
        }
        guard now >= end else { return nil }
        defer { peak = use }
        ends = now + Self.window
        return peak
    }

    /// Twice the peak, if that is less than half of what there is: so a ring that has just shrunk
    /// is not about to grow again.
    static func capacity(holding peak: Int, least: Int, now: Int) -> Int {
        guard peak < now / 4 else { return now }
        var capacity = least
        while capacity < peak * 2 { capacity *= 2 }
        return min(capacity, now)
    }
}
