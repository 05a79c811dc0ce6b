/// Samples between the decoder, which makes them in frames of its own, and the encoder, which takes
/// them in others.
///
/// Where sound is cut, put together or paused, the step between the two sides would be heard as a
/// click: it is spread over 2.5 ms.
struct SampleQueue {
    let channels: Int
    /// Samples over which a cut is smoothed.
    private let ramp: Int
    private var samples: [Float] = []
    /// The newest sample of each channel: what a cut goes on from.
    private var last: (Float, Float) = (0, 0)
    private var isCut = false
    private var toDrop = 0

    init(rate: Int32, channels: Int) {
        precondition(channels == 1 || channels == 2, "mono or stereo")
        self.channels = channels
        ramp = Int(rate) / 400
    }

    /// Of each channel.
    var count: Int { samples.count / channels }

    /// What comes next does not go on from what is here.
    mutating func cut() { isCut = true }

    /// Leaves out the first samples of what is appended next: they were there already.
    mutating func dropNext(_ count: Int) { toDrop = count }

    /// - Parameter fill: Writes interleaved samples, and returns how many of each channel.
    /// - Returns: How many were made, and how many of them were not left out.
    mutating func append(
        atMost count: Int, _ fill: (UnsafeMutableBufferPointer<Float>) -> Int
    ) -> (made: Int, kept: Int) {
        let start = samples.count
        samples.append(contentsOf: repeatElement(0, count: count * channels))
        let written = unsafe samples.withUnsafeMutableBufferPointer { all in
            let written = unsafe fill(UnsafeMutableBufferPointer(rebasing: all[start...]))
            precondition(written <= count, "more samples than there is room for")
            return written
        }
        samples.removeSubrange((start + written * channels)...)
        let dropped = min(toDrop, written)
        if dropped > 0 {
            toDrop -= dropped
            samples.removeSubrange(start..<start + dropped * channels)
            cut()
        }
        smooth(from: start)
        return (written, written - dropped)
    }

    mutating func appendSilence(_ count: Int) {
        guard count > 0 else { return }
        cut()
        let start = samples.count
        samples.append(contentsOf: repeatElement(0, count: count * channels))
        smooth(from: start)
        cut()
    }

    /// Shows the oldest samples, then forgets them.
    mutating func take(_ count: Int, _ body: (UnsafePointer<Float>) -> Void) {
        precondition(count <= self.count, "more than there are")
        unsafe samples.withUnsafeBufferPointer { all in
            if let start = all.baseAddress { unsafe body(start) }
        }
        samples.removeFirst(count * channels)
    }

    mutating func clear() {
        samples.removeAll(keepingCapacity: true)
        toDrop = 0
        cut()
    }

    private mutating func smooth(from start: Int) {
        guard samples.count > start else { return }
        defer { note() }
        guard isCut else { return }
        isCut = false
        let step = (last.0 - samples[start], last.1 - samples[start + channels - 1])
        for at in 0..<min(ramp, (samples.count - start) / channels) {
            let share = 1 - Float(at + 1) / Float(ramp)
            samples[start + at * channels] += step.0 * share
            if channels == 2 { samples[start + at * 2 + 1] += step.1 * share }
        }
    }

    private mutating func note() {
        guard samples.count >= channels else { return }
        last = (samples[samples.count - channels], samples[samples.count - 1])
    }
}
