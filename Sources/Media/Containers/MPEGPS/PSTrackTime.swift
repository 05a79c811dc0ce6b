import Codecs
import Media
import Stream
import Wire

/// The time of one track of a program stream: from the stamps of its packets to the timeline.
struct PSTrackTime: Sendable {
    static let rate: Int32 = 90_000

    private var unwrap = TimestampUnwrap(.bits33)
    private var repair: TimestampRepair
    /// Sound: steps of whole samples, whatever the rounding of 90 kHz.
    private var samples: SampleClock?

    init(_ format: Format) {
        let isSound = format.codec.kind == .audio
        repair = TimestampRepair(
            policy: .pes, inputRate: Self.rate, outputRate: format.clockRate,
            sampleRate: isSound ? format.sampleRate : 0)
        if isSound { samples = SampleClock(rate: format.clockRate, tolerance: SampleClock.fine) }
    }

    var counters: RepairCounters { repair.counters }
    var mode: TimestampRepair.Mode { repair.mode }

    /// - Parameter count: Of sound: the samples in the frame.
    mutating func place(
        _ meta: inout ItemMeta, _ stamp: PSStamp?, samples count: Int64?,
        origin: inout TimelineOrigin, at now: Instant
    ) {
        var frame = TimestampRepair.Frame(stamp: nil, samples: count)
        if let stamp {
            frame.stamp = unwrap.unwrap(stamp.decoding)
            // 33 bits: a picture is shown at most seconds after it was decoded.
            let offset = Int64((stamp.presentation &- stamp.decoding) & 0x1_ffff_ffff)
            frame.compositionOffset = offset < 1 << 32 ? offset : 0
        }
        let made = repair.receive(frame, at: now, origin: &origin)
        meta.ticks = made.ticks
        meta.compositionOffset = made.compositionOffset
        if made.isDiscontinuity { meta.flags.insert(.discontinuity) }
        guard let count else { return }
        meta.ticks = samples?.stamp(made.ticks, samples: count) ?? made.ticks
    }
}
