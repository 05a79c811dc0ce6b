import Media

/// Where on the media timeline the next sample belongs, and what to do when a frame's time stamp
/// says something else than the count of samples.
///
/// Samples are counted, so that what comes out has exact steps. Stamps are rounded to milliseconds
/// by some protocols and jitter in others: up to 60 ms they only say how fast the sender's clock
/// runs, which is followed slowly. A frame that is missing, a gap and a jump are told apart by
/// their size.
struct BridgeTimeline {
    enum Step: Equatable {
        case proceed
        /// So many samples are missing before this frame; they were lost on the way.
        case conceal(Int)
        /// The sender has left out so many samples.
        case fill(Int)
        /// So many samples are there already: of this frame, and perhaps of those after it.
        case overlap(Int)
        /// The first frame, or another timeline.
        case begin
    }

    /// Frames that are averaged to see a drift: about a second.
    private static let window = 50

    private let rate: Int64
    /// The media time of the next sample, counted in the rate that comes out.
    private(set) var position: Int64 = 0
    private var hasBegun = false
    /// More is there than has come, for one because silence was put where nothing had come for a
    /// while: frames are cut until they have caught up.
    private var isAhead = false
    private var driftSum: Int64 = 0
    private var driftCount = 0
    private var stretchEnd: Int64?
    /// A drift that began to be corrected is corrected all the way.
    private var isCorrecting = false

    init(rate: Int32) { self.rate = Int64(rate) }

    private func milliseconds(_ count: Int64) -> Int64 { rate * count / 1000 }

    /// - Parameters:
    ///   - ticks: The frame's time stamp, in the rate that comes out.
    ///   - pending: Samples on their way to the queue.
    ///   - usual: Samples that the frame before has made.
    mutating func receive(_ ticks: Int64, pending: Int, usual: Int) -> Step {
        guard hasBegun else { return begin(at: ticks) }
        let drift = ticks &- (position &+ Int64(pending))
        if isAhead, drift < 0, drift >= -milliseconds(1000) { return .overlap(Int(-drift)) }
        isAhead = false
        if drift > milliseconds(1000) || drift < -milliseconds(100) { return begin(at: ticks) }
        if isWholeFrames(drift, usual) { return .conceal(Int(drift)) }
        if drift >= milliseconds(60) { return .fill(Int(drift)) }
        if drift <= -milliseconds(60) {
            isAhead = true
            return .overlap(Int(-drift))
        }
        note(drift)
        return .proceed
    }

    /// Lost frames leave a gap of a whole number of frames; jitter rarely does.
    private func isWholeFrames(_ drift: Int64, _ usual: Int) -> Bool {
        let usual = Int64(usual)
        guard usual >= milliseconds(5), drift >= usual * 3 / 4 else { return false }
        let frames = (drift + usual / 2) / usual
        return abs(drift - frames * usual) <= milliseconds(5) / 2
    }

    private mutating func begin(at ticks: Int64) -> Step {
        hasBegun = true
        isAhead = false
        position = ticks
        forgetDrift()
        return .begin
    }

    mutating func advance(_ samples: Int) { position &+= Int64(samples) }

    /// Nothing has come for a while, and others go on.
    mutating func goAhead() { isAhead = true }

    // MARK: Drift

    private mutating func note(_ drift: Int64) {
        // While it is being corrected it changes by itself.
        if let end = stretchEnd {
            guard position >= end else { return }
            stretchEnd = nil
            forgetDrift()
        }
        driftSum += drift
        driftCount += 1
    }

    private mutating func forgetDrift() {
        (driftSum, driftCount) = (0, 0)
        stretchEnd = nil
    }

    /// Samples to be made more (or less) within the next second: at most 0.5 %, which nobody
    /// hears. Asked after each frame.
    mutating func takeStretch() -> Int? {
        guard driftCount >= Self.window else { return nil }
        let drift = driftSum / Int64(driftCount)
        forgetDrift()
        guard drift.magnitude > UInt64(milliseconds(isCorrecting ? 2 : 10)) else {
            isCorrecting = false
            return nil
        }
        isCorrecting = true
        stretchEnd = position + rate
        let most = rate / 200
        return Int(min(max(drift, -most), most))
    }
}
