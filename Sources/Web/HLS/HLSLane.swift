import Media
import Stream
import Wire

/// One track on its way into segments: one sample behind, because a sample's duration is known when
/// the next one comes.
struct HLSLane {
    /// A sample that waits for its duration.
    struct Pending {
        var bytes: [UInt8] = []
        var meta: ItemMeta
        var format: Format
        /// Ticks on the shared line.
        var time: Int64
        /// Nanoseconds since 1970.
        var captured: Int64
    }

    let slot: SlotName
    private(set) var format: Format
    private(set) var pending: Pending?
    /// Publishers seen.
    var epochs = 0
    /// In ticks, of the samples before.
    private(set) var usualStep: Int64
    private(set) var longestStep: Int64 = 0

    /// A hole is no duration: what lasts longer than this is one.
    private static let longest = Interval.seconds(1)

    init(_ slot: SlotName, _ format: Format) {
        self.slot = slot
        self.format = format
        usualStep = Timebase.ticks(
            nanoseconds: Interval.milliseconds(slot.kind == .video ? 40 : 21).nanoseconds,
            rate: format.clockRate)
    }

    var rate: Int32 { format.clockRate }

    func interval(_ ticks: Int64) -> Interval {
        Interval(nanoseconds: Timebase.nanoseconds(ticks, rate: rate))
    }

    func ticks(_ interval: Interval) -> Int64 {
        Timebase.ticks(nanoseconds: interval.nanoseconds, rate: rate)
    }

    mutating func turn(to format: Format) { self.format = format }

    /// - Returns: The sample before, with its duration in ticks.
    mutating func push(_ sample: consuming Pending) -> (Pending, duration: Int64)? {
        // Sound that lies over what is there: from before the first picture, or from a clock that
        // was put right. What was taken first is kept.
        if slot.kind == .audio, let pending, sample.time - pending.time < usualStep / 2 {
            return nil
        }
        defer { pending = sample }
        guard let before = pending else { return nil }
        let step = sample.time &- before.time
        guard interval(step) <= Self.longest else { return (before, usualStep) }
        usualStep = (usualStep * 7 + step) / 8
        longestStep = max(longestStep, step)
        return (before, step)
    }

    /// The last one before something else begins.
    mutating func flush() -> (Pending, duration: Int64)? {
        guard let last = pending.take() else { return nil }
        return (last, usualStep)
    }
}
