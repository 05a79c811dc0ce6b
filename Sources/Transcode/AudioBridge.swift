import CTranscodeShims
import Codecs
package import Media
package import Wire

/// Sound of one codec made into another: frames in, frames out, with exact time stamps. One for
/// each stream and direction; told the time, with no thread and no clock of its own; it belongs to
/// the thread that made it.
///
///     frame → timeline: gap? → decoder → rate and channels → queue → encoder → frame
///
/// What comes out counts samples. It lies on the timeline of what came in, less what encoders
/// delay: a player hears a sample at the time the publisher said.
package struct AudioBridge: ~Copyable {
    package struct Options: Equatable, Sendable {
        package var stereoBitrate = 96_000
        package var monoBitrate = 48_000
        /// 0 to 10, of Opus: what is heard above 5 costs twice as much.
        package var complexity = 5
        /// Opus sends nothing while there is silence. Off: sources are expected to go on.
        package var dtx = false

        package init() {}
    }

    package struct Figures: Equatable, Sendable {
        package var framesIn: Int64 = 0
        package var framesOut: Int64 = 0
        /// Frames that could not be decoded.
        package var damaged: Int64 = 0
        /// Gaps where something was lost, gaps the sender made, and silence while nothing came.
        package var concealed: Int64 = 0
        package var filled: Int64 = 0
        /// Frames that were cut, because their time was there already.
        package var overlapped: Int64 = 0
        package var anchorings: Int64 = 0
        /// Seconds in which time was stretched, because two clocks differ.
        package var stretches: Int64 = 0

        package init() {}
    }

    /// As many damaged frames in a row: the decoder may be at fault.
    private static let damagedMaximum = 10
    /// Longer pauses are filled while they last.
    private static let patience = Interval.milliseconds(100)

    /// Of what comes out; it may still change with the first sound.
    package private(set) var format: Format
    package private(set) var figures = Figures()

    private let codec: Codec
    private let options: Options
    private var source: Format
    private var decoder: AudioDecoder
    private var converter: AudioConverter
    private var encoder: AudioEncoder
    private var queue: SampleQueue
    private var timeline: BridgeTimeline
    /// Samples that the frame before has made.
    private var usual = 0
    private var damagedInRow = 0
    private var wasPause = false
    private var isDiscontinuous = false
    private var lastArrival: Instant?
    /// Where the timeline was then, what is on its way included.
    private var lastEnd: Int64 = 0

    /// - Parameter codec: One of `Format.encodableSound`.
    package init(
        from source: Format, to codec: Codec, _ options: Options = Options()
    ) throws(TranscodeError) {
        guard Format.encodableSound.contains(codec) else {
            throw .unsupported(codec, reason: "sound is made into Opus or AAC")
        }
        let decoder = try AudioDecoder(source)
        let format = source.transcoded(to: codec)
        let encoder = try AudioEncoder(format, options)
        guard
            let converter = AudioConverter(
                rate: format.sampleRate, channels: Int(format.channels))
        else { throw .libraryMissing("libswresample has no memory") }
        self.codec = codec
        self.options = options
        self.source = source
        self.format = format
        self.decoder = decoder
        self.encoder = encoder
        self.converter = converter
        queue = SampleQueue(rate: format.sampleRate, channels: Int(format.channels))
        timeline = BridgeTimeline(rate: format.sampleRate)
    }

    /// What comes from now on is in this format. What comes out keeps its own.
    package mutating func change(_ source: Format) throws(TranscodeError) {
        guard source != self.source else { return }
        decoder = try AudioDecoder(source)
        self.source = source
    }

    /// One frame; what comes of it is appended.
    package mutating func receive(
        _ frame: RawSpan, _ meta: ItemMeta, into out: inout ItemBatch
    ) {
        figures.framesIn += 1
        let ticks = Timebase.convert(
            meta.ticks, from: source.clockRate, to: format.sampleRate)
        meet(timeline.receive(ticks, pending: converter.delay, usual: usual), frame)
        decode(frame)
        queue.dropNext(0)
        if let samples = timeline.takeStretch(), converter.stretch(by: samples) {
            figures.stretches += 1
        }
        wasPause = source.codec == .opus && OpusPacket.isPause(frame)
        lastArrival = meta.arrival
        lastEnd = timeline.position + Int64(converter.delay)
        encode(arrival: meta.arrival, into: &out)
    }

    /// Time has passed and other tracks go on: what has been missing for more than 100 ms is
    /// silence. Players of segments and FLV stand still where sound has a hole.
    package mutating func advance(at now: Instant, into out: inout ItemBatch) {
        guard let lastArrival, now - lastArrival > Self.patience else { return }
        let late = (now - lastArrival - Self.patience).nanoseconds
        let target = lastEnd + Timebase.ticks(nanoseconds: late, rate: format.sampleRate)
        let missing = target - timeline.position - Int64(converter.delay)
        guard missing >= Int64(encoder.frameSamples) else { return }
        // A turn that took longer than a second has other worries.
        fill(Int(min(missing, Int64(format.sampleRate))))
        timeline.goAhead()
        encode(arrival: now, into: &out)
    }

    // MARK: Gaps

    private mutating func meet(_ step: BridgeTimeline.Step, _ frame: RawSpan) {
        switch step {
        case .proceed: break
        case .begin:
            isDiscontinuous = figures.anchorings > 0
            figures.anchorings += 1
            decoder.flush()
            converter.flush()
            queue.clear()
        case .conceal(let count):
            // A pause of the encoder looks like a loss, but is meant.
            if wasPause { return fill(count) }
            figures.concealed += 1
            conceal(count, before: frame)
        case .fill(let count): fill(count)
        case .overlap(let count):
            figures.overlapped += 1
            queue.dropNext(count)
        }
    }

    /// Opus goes on from what was heard for up to 100 ms; then, and for all others, silence.
    private mutating func conceal(_ count: Int, before frame: RawSpan) {
        let target = timeline.position + Int64(count)
        // Opus decodes in units of 2.5 ms at 48 kHz.
        let lost = Timebase.convert(Int64(count), from: format.sampleRate, to: 48_000)
        let isConcealed = decoder.conceal(Int(min(lost, 4800)) / 120 * 120, before: frame)
        if isConcealed { _ = takeSounds() }
        let rest = Int(target - timeline.position) - (isConcealed ? converter.delay : 0)
        // Less than a millisecond is left to the clock.
        if rest > Int(format.sampleRate) / 1000 { appendSilence(rest) }
    }

    private mutating func fill(_ count: Int) {
        figures.filled += 1
        appendSilence(count)
    }

    private mutating func appendSilence(_ count: Int) {
        // What the converter still holds comes out before it.
        let pending = converter.delay
        converter.flush()
        queue.appendSilence(count + pending)
        timeline.advance(count + pending)
    }

    // MARK: Stages

    private mutating func decode(_ frame: RawSpan) {
        let made = decoder.send(frame) ? takeSounds() : 0
        if made > 0 {
            damagedInRow = 0
            usual = made
            return
        }
        figures.damaged += 1
        damagedInRow += 1
        // Its time passes all the same.
        appendSilence(usual)
        if damagedInRow == Self.damagedMaximum {
            damagedInRow = 0
            decoder.flush()
        }
    }

    /// - Returns: How many samples came out.
    private mutating func takeSounds() -> Int {
        var made = 0
        var sound = transcode_sound()
        while decoder.next(&sound) {
            if sound.channels > 1, queue.channels == 1 { widen() }
            let count = converter.convert(&sound, into: &queue)
            timeline.advance(count.kept)
            made += count.made
        }
        return made
    }

    /// Mono turned out to be stereo: parametric stereo is often not announced. There is no way
    /// back: a stereo encoder codes mono well enough.
    private mutating func widen() {
        var wide = source
        wide.channels = 2
        let format = wide.transcoded(to: codec)
        guard let encoder = try? AudioEncoder(format, options),
            let converter = AudioConverter(rate: self.format.sampleRate, channels: 2)
        else { return }
        let pending = queue.count
        self.format = format
        self.encoder = encoder
        self.converter = converter
        queue = SampleQueue(rate: format.sampleRate, channels: 2)
        queue.appendSilence(pending)
    }

    private mutating func encode(arrival: Instant, into out: inout ItemBatch) {
        while queue.count >= encoder.frameSamples {
            let start = timeline.position - Int64(queue.count)
            var meta = ItemMeta(
                ticks: 0, arrival: arrival, length: 0, flags: [.frameStart, .frameEnd, .key])
            if isDiscontinuous { meta.flags.insert(.discontinuity) }
            guard encoder.encode(&queue, from: start, into: &out, meta) else { continue }
            isDiscontinuous = false
            figures.framesOut += 1
        }
    }
}
