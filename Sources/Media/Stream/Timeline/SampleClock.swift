package import Wire

/// Time stamps for audio outputs, counted in samples: exact steps, whatever millisecond rounding
/// the source's stamps went through. Players hear steps of 20, 21 and 23 ms as noise.
///
/// When the count and the source part by more than the tolerance, the source is right: a gap, or a
/// rate that was not what it was said to be.
package struct SampleClock: Sendable {
    /// Outputs on the sample grid (RTP, fMP4) and those in milliseconds (FLV, RTMP, TS).
    package static let fine = Interval.milliseconds(60)
    package static let coarse = Interval.milliseconds(100)

    private let tolerance: Int64
    private var next: Int64?
    package private(set) var anchorings: UInt32 = 0

    /// - Parameter rate: Of the ticks on both sides.
    package init(rate: Int32, tolerance: Interval) {
        self.tolerance = tolerance.nanoseconds / 1000 &* Int64(rate) / 1_000_000
    }

    /// - Parameters:
    ///   - ticks: The source's time stamp, repaired.
    ///   - samples: How long this frame plays.
    /// - Returns: The stamp to send. Never less than the one before.
    package mutating func stamp(_ ticks: Int64, samples: Int64) -> Int64 {
        var stamp = ticks
        if let next {
            let drift = ticks &- next
            if drift.magnitude <= UInt64(tolerance) {
                stamp = next
            } else {
                anchorings &+= 1
                // Backwards there is no way but to wait: the count stands still until it is passed.
                stamp = max(ticks, lastStamp &+ 1)
            }
        }
        lastStamp = stamp
        next = stamp &+ max(0, samples)
        return stamp
    }

    private var lastStamp: Int64 = .min
}
