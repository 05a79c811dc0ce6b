import Wire

/// Compares stamps, counted samples and arrival over windows of two seconds. It has no opinion on
/// single packets: jitter and bursts are normal.
struct StampJudge: Sendable {
    struct Verdict: Equatable, Sendable {
        /// Advance of the stamps, in thousandths of the advance of arrival.
        var stampsPerArrival: Int64
        /// Of the samples; `nil` without them.
        var samplesPerArrival: Int64?
        var stampsPerSamples: Int64?
        /// Of a thousand steps, how many were not as long as their samples.
        var oddSteps: Int64
        /// How far the timeline lags behind arrival, beyond what is usual.
        var drift: Int64
        /// Arrival less timeline, at its lowest in this window.
        var least: Int64
        var isClean: Bool
    }

    static let window = Interval.seconds(2)
    /// Fewer say nothing: a slideshow, or a pause.
    private static let packetsMinimum: Int64 = 8
    /// Device clocks drift within 200 ppm; the baseline goes with them.
    private static let baselineStep = window.nanoseconds / 5000

    /// Ten seconds: by then the lowest delay has been seen.
    static let windowsToSettle = 5

    private var began: Instant?
    private var stamps: Int64 = 0
    private var samples: Int64 = 0
    private var hasSamples = false
    private var packets: Int64 = 0
    private var odd: Int64 = 0
    private var isClean = true
    private var least = Int64.max
    private(set) var windows = 0
    /// Arrival less timeline, at its lowest: the delay that is always there.
    private(set) var baseline: Int64?

    /// A frame: how far its stamp and its predecessor's samples advanced, where it was put.
    mutating func note(
        stampStep: Int64?, sampleStep: Int64?, out: Int64, at now: Instant
    ) -> Verdict? {
        let lag = now.nanoseconds &- out
        if windows < Self.windowsToSettle { baseline = min(baseline ?? lag, lag) }
        let start = began ?? now
        began = start
        // The first frame of a window opens it: its step lies before.
        if now > start || packets > 0 { add(stampStep, sampleStep) }
        packets += 1
        least = min(least, lag)
        guard now - start >= Self.window else { return nil }
        let verdict = packets >= Self.packetsMinimum ? close(now - start) : nil
        reopen(at: now)
        return verdict
    }

    mutating func noteDirt() { isClean = false }

    /// The usual delay is known from elsewhere, and no longer searched.
    mutating func settle(_ lag: Int64) {
        baseline = lag
        windows = max(windows, Self.windowsToSettle)
    }

    private mutating func add(_ stampStep: Int64?, _ sampleStep: Int64?) {
        if let stampStep { stamps &+= min(max(stampStep, -1 << 40), 1 << 40) }
        guard let sampleStep, sampleStep > 0 else { return }
        hasSamples = true
        samples &+= sampleStep
        let ratio = min(max(stampStep ?? 0, 0), 1 << 40) &* 1000 / sampleStep
        if !(800...1250).contains(ratio) { odd += 1 }
    }

    private mutating func close(_ passed: Interval) -> Verdict {
        windows += 1
        let arrival = passed.nanoseconds / 1000
        var drift: Int64 = 0
        if let base = baseline {
            drift = least &- base
            let follow = min(max(drift, -Self.baselineStep), Self.baselineStep)
            baseline = base &+ follow
        }
        return Verdict(
            stampsPerArrival: stamps / arrival,
            samplesPerArrival: hasSamples ? samples / arrival : nil,
            stampsPerSamples: hasSamples ? stamps / max(1, samples / 1000) : nil,
            oddSteps: odd * 1000 / packets, drift: drift, least: least,
            isClean: isClean)
    }

    private mutating func reopen(at now: Instant) {
        began = now
        stamps = 0
        samples = 0
        hasSamples = false
        packets = 1
        odd = 0
        isClean = true
        least = .max
    }
}
