import Codecs
import Media
import Stream
import Wire

/// One track of a publisher: what it is, how its frames are made, and its time.
struct FLVTrack: Sendable {
    let slot: SlotName
    let codec: Codec
    private(set) var format: Format?
    var wasAnnounced = false
    var isAligned = false

    private var hasChanged = false
    private var lengthSize = 4
    private var builder: AccessUnitBuilder?
    private var builtChanges: UInt32 = 0
    private var configuration: [UInt8] = []
    private var unwrap = TimestampUnwrap(.bits32)
    private var repair: TimestampRepair?
    private var samples: SampleClock?
    /// Of one frame, where all have the same.
    private var samplesPerFrame: Int64?

    init(_ slot: SlotName, _ codec: Codec) {
        self.slot = slot
        self.codec = codec
        builder = NALCodec(codec).map { AccessUnitBuilder($0) }
    }

    static func isCarried(_ codec: Codec) -> Bool {
        switch codec {
        case .h264, .h265, .av1, .vp8, .vp9, .aac, .mp3, .opus, .pcma, .pcmu: true
        default: false
        }
    }

    var clockRate: Int32 { format?.clockRate ?? 90_000 }

    /// The format, if it is not the one that was taken last.
    mutating func takeChangedFormat() -> Format? {
        guard hasChanged else { return nil }
        hasChanged = false
        return format
    }

    // MARK: - What it is

    /// A configuration record. The same one again, before every key frame, changes nothing.
    mutating func configure(_ record: RawSpan) throws(ParseError) {
        let bytes = [UInt8](copying: record)
        guard bytes != configuration || format == nil else { return }
        configuration = bytes
        switch codec {
        case .h264:
            let read = try AVCConfiguration(record)
            begin(.h264, read.lengthSize, read.sequenceSets + read.pictureSets)
        case .h265:
            let read = try HEVCConfiguration(record)
            begin(
                .h265, read.lengthSize, read.videoSets + read.sequenceSets + read.pictureSets)
        case .av1:
            let read = try AV1Configuration(record)
            if !read.sequenceHeader.isEmpty { change(try Format(av1: read.sequenceHeader)) }
        // What these records say is said again, and better, by each key frame.
        case .vp8, .vp9: break
        case .aac: change(try Format(aac: record))
        case .opus:
            // May be empty: plain stereo.
            change(
                record.byteCount == 0
                    ? Format(opusChannels: 2) : Format(try OpusHead(record)))
        default: break
        }
    }

    /// Other parameter sets: those before are forgotten, for they may have the same numbers. An
    /// empty record means that they come in-band.
    private mutating func begin(_ codec: NALCodec, _ lengthSize: Int, _ sets: [[UInt8]]) {
        self.lengthSize = lengthSize
        var next = AccessUnitBuilder(codec)
        next.note(sets)
        builder = next
        builtChanges = next.parameterSets.changes
        if let format = next.parameterSets.format { change(format) }
    }

    private mutating func change(_ next: Format) {
        guard next != format else { return }
        if next.clockRate != format?.clockRate {
            repair = nil
            samples = nil
        }
        format = next
        hasChanged = true
        samplesPerFrame = nil
        if codec == .aac, let read = try? AACConfiguration(next.configuration.raw) {
            samplesPerFrame = Int64(read.samples)
        }
    }

    // MARK: - Its frames

    /// Appends the frame in the normal form.
    ///
    /// - Returns: False when there is no frame in it.
    mutating func build(
        _ unit: FLVUnit, _ payload: RawSpan, at now: Instant, into out: inout ItemBatch
    ) throws(ParseError) -> Bool {
        let meta = ItemMeta(
            ticks: 0, arrival: now, length: payload.byteCount, flags: [.frameStart, .frameEnd])
        switch codec {
        case .h264, .h265: return try buildUnits(payload, meta, &out)
        case .av1: return try buildTemporalUnit(payload, meta, &out)
        case .vp8, .vp9: return try buildPicture(payload, meta, &out)
        default:
            try learnSound(unit, payload)
            out.append(payload, meta)
            return true
        }
    }

    private mutating func buildUnits(
        _ payload: RawSpan, _ meta: ItemMeta, _ out: inout ItemBatch
    ) throws(ParseError) -> Bool {
        guard builder != nil else { return false }
        // Some relays of RTSP cameras send start codes where lengths belong.
        if Self.beginsWithStartCode(payload) {
            builder?.add(annexB: payload, into: &out)
        } else {
            do throws(ParseError) {
                try builder?.add(lengthPrefixed: payload, lengthSize: lengthSize, into: &out)
            } catch {
                builder?.cancel(&out)
                throw error
            }
        }
        let facts = builder?.finish(meta, into: &out)
        if let sets = builder?.parameterSets, sets.changes != builtChanges {
            builtChanges = sets.changes
            if let format = sets.format { change(format) }
        }
        return facts?.hasPicture ?? false
    }

    /// As a length, 1 would be an empty unit: nobody sends one first.
    private static func beginsWithStartCode(_ payload: RawSpan) -> Bool {
        guard payload.byteCount > 4 else { return false }
        return payload.byte(at: 0) == 0 && payload.byte(at: 1) == 0 && payload.byte(at: 2) == 0
            && payload.byte(at: 3) == 1
    }

    private mutating func buildTemporalUnit(
        _ payload: RawSpan, _ meta: ItemMeta, _ out: inout ItemBatch
    ) throws(ParseError) -> Bool {
        out.begin()
        let facts: AV1Facts
        do throws(ParseError) { facts = try AV1TemporalUnit.write(payload, into: &out) } catch {
            out.cancel()
            throw error
        }
        guard facts.hasFrame else {
            out.cancel()
            return false
        }
        if facts.isKey, let unit = Self.sequenceHeader(in: payload) {
            change(try Format(av1: unit))
        }
        var meta = meta
        if facts.isKey { meta.flags.insert(.key) }
        meta.temporal = facts.temporal
        meta.spatial = facts.spatial
        out.end(meta)
        return true
    }

    private static func sequenceHeader(in payload: RawSpan) -> [UInt8]? {
        var units = AV1Units(payload)
        while let unit = try? units.next() {
            if unit.role == .sequenceHeader { return AV1TemporalUnit.whole(unit, of: payload) }
        }
        return nil
    }

    private mutating func buildPicture(
        _ payload: RawSpan, _ meta: ItemMeta, _ out: inout ItemBatch
    ) throws(ParseError) -> Bool {
        var meta = meta
        if codec == .vp8 {
            if try VP8FrameHeader(payload).isKey {
                meta.flags.insert(.key)
                change(try Format(vp8: payload))
            }
        } else if try VP9FrameHeader(superframe: payload).isKey {
            meta.flags.insert(.key)
            change(try Format(vp9: payload))
        }
        out.append(payload, meta)
        return true
    }

    /// Codecs without a record tell what they are in each frame, or always were the same.
    private mutating func learnSound(
        _ unit: FLVUnit, _ payload: RawSpan
    ) throws(ParseError) {
        guard format == nil || codec == .mp3 else { return }
        switch codec {
        case .mp3:
            let next = try Format(mpegAudio: payload)
            guard next.codec == .mp3 else {
                throw .invalid("MPEG audio layer", value: 2, at: 0)
            }
            change(next)
        case .pcma, .pcmu: change(Format(g711: codec, channels: Int32(unit.channels)))
        case .opus: change(Format(opusChannels: 2))
        default: break
        }
    }

    // MARK: - Its time

    /// Puts a frame on the timeline.
    mutating func place(
        _ meta: inout ItemMeta, _ frame: RawSpan, _ unit: FLVUnit, _ stamp: UInt32,
        origin: inout TimelineOrigin, at now: Instant
    ) {
        guard let format else { return }
        var repair =
            self.repair
            ?? TimestampRepair(
                policy: .rtmp, inputRate: 1000, outputRate: format.clockRate,
                sampleRate: codec.kind == .audio ? format.sampleRate : 0)
        let count = codec.kind == .audio ? soundTicks(frame, format) : nil
        let made = repair.receive(
            .init(
                stamp: unwrap.unwrap(UInt64(stamp)),
                compositionOffset: Int64(unit.compositionOffset),
                samples: codec == .opus ? nil : count), at: now, origin: &origin)
        self.repair = repair
        meta.ticks = made.ticks
        meta.compositionOffset = made.compositionOffset
        if unit.presentationOffset > 0 {
            let more = Timebase.ticks(
                nanoseconds: Int64(unit.presentationOffset), rate: format.clockRate)
            meta.compositionOffset &+= Int32(clamping: more)
        }
        if made.isDiscontinuity { meta.flags.insert(.discontinuity) }
        guard let count else { return }
        // Milliseconds are too coarse for sound: 1,024 samples at 44.1 kHz are 23.22 of them.
        var clock = samples ?? SampleClock(rate: format.clockRate, tolerance: SampleClock.fine)
        meta.ticks = clock.stamp(made.ticks, samples: count)
        samples = clock
    }

    private func soundTicks(_ frame: RawSpan, _ format: Format) -> Int64? {
        samplesPerFrame ?? AudioDuration.ticks(of: frame, format)
    }
}
