import Codecs
import Media
import Stream
import Wire

/// One elementary stream that is carried: its PES packets become frames in the house's normal form,
/// and their times one line.
struct TSTrack: Sendable {
    /// As much as the largest picture; sound has some frames.
    private static let soundMaximum = 256 * 1024

    let element: TSElement
    let slot: SlotName
    var wasAnnounced = false
    var isAligned = false
    var assembler: PESAssembler
    private(set) var format: Format?
    private var hasChanged = false
    private var builder: AccessUnitBuilder?
    private var splitter: AccessUnitSplitter?
    private var builtChanges: UInt32 = 0
    private var sound: TSSound?
    private var lane = TSTimeline.Lane()
    private var repair: TimestampRepair?
    private var samples: SampleClock?
    private var stamps: [Int64?] = []
    /// Where its slot has come to, in nanoseconds: what is in its place later goes on from here.
    private var reached: Int64?
    /// PES packets that could not be read, or of which something was missing.
    private(set) var broken: UInt64 = 0

    init?(_ element: TSElement, _ slot: SlotName) {
        guard let codec = element.codec else { return nil }
        self.element = element
        self.slot = slot
        if let nal = NALCodec(codec) {
            assembler = PESAssembler(countMaximum: AccessUnitBuilder.countMaximum)
            builder = AccessUnitBuilder(nal)
            splitter = AccessUnitSplitter(nal)
        } else {
            assembler = PESAssembler(countMaximum: Self.soundMaximum)
            sound = TSSound(element)
            learnSound()
        }
    }

    /// Takes the place of another one.
    mutating func follow(_ other: TSTrack) {
        wasAnnounced = other.wasAnnounced
        lane = other.lane
        reached = other.reached
    }

    var clockRate: Int32 { format?.clockRate ?? 90_000 }
    var skipped: UInt64 { sound?.skipped ?? 0 }

    /// The format, if it is not the one that was taken last.
    mutating func takeChangedFormat() -> Format? {
        guard hasChanged else { return nil }
        hasChanged = false
        return format
    }

    private mutating func change(_ next: Format) {
        guard next != format else { return }
        if next.clockRate != format?.clockRate {
            repair = nil
            samples = nil
        }
        format = next
        hasChanged = true
    }

    private mutating func learnSound() {
        if let next = sound?.takeChanged() { change(next) }
    }

    // MARK: - Frames

    /// The PES packet that has been put together, into `out`: whole frames, not placed yet.
    mutating func build(
        _ isEarly: Bool, at now: Instant, _ timeline: inout TSTimeline, into out: inout ItemBatch
    ) {
        let gap = assembler.gap
        let bytes = assembler.close(isEarly: isEarly)
        read(bytes.raw, gap, at: now, &timeline, &out)
        assembler.giveBack(bytes)
    }

    private mutating func read(
        _ bytes: RawSpan, _ gap: Int?, at now: Instant, _ timeline: inout TSTimeline,
        _ out: inout ItemBatch
    ) {
        stamps.removeAll(keepingCapacity: true)
        guard let header = try? PESHeader(bytes), header.headerCount <= bytes.byteCount else {
            broken &+= 1
            sound?.reset()
            return
        }
        var end = bytes.byteCount
        if header.packetCount > 0, builder == nil { end = min(end, header.packetCount + 6) }
        if let gap {
            broken &+= 1
            end = min(end, gap)
        }
        let raw = header.decoding ?? header.presentation
        let epoch = lane.epoch
        let stamp = raw.map { timeline.place($0, &lane, at: now) }
        // The count of samples is for one time of the sender.
        if lane.epoch != epoch { samples = nil }
        let payload = bytes.extracting(header.headerCount..<max(header.headerCount, end))
        guard builder != nil else {
            sound?.receive(payload, stamp: stamp, at: now, into: &out, stamps: &stamps)
            learnSound()
            // The frame over the hole is lost, those before it are not.
            if gap != nil { sound?.reset() }
            return
        }
        // A picture with a hole in it would be shown.
        guard gap == nil else { return }
        readPictures(payload, stamp, Self.offset(header), at: now, &out)
    }

    /// Presentation less decoding, both of 33 bits.
    private static func offset(_ header: PESHeader) -> Int32 {
        guard let presentation = header.presentation, let decoding = header.decoding else {
            return 0
        }
        let difference = Int64((presentation &- decoding) & 0x1_ffff_ffff)
        return Int32(clamping: difference >= 1 << 32 ? difference - 1 << 33 : difference)
    }

    private mutating func readPictures(
        _ payload: RawSpan, _ stamp: Int64?, _ offset: Int32, at now: Instant,
        _ out: inout ItemBatch
    ) {
        var meta = ItemMeta(
            ticks: 0, arrival: now, length: 0, flags: [], compositionOffset: offset)
        var stamp = stamp
        var units = AnnexBUnits(payload)
        while let range = units.next() {
            let unit = payload.extracting(range)
            // Some put two pictures into one packet: the second has no time of its own.
            if splitter?.receive(unit, at: now) == true {
                finish(meta, &stamp, &out)
                meta.compositionOffset = 0
            }
            builder?.add(unit, into: &out)
        }
        finish(meta, &stamp, &out)
        splitter?.reset()
        guard let sets = builder?.parameterSets, sets.changes != builtChanges else { return }
        builtChanges = sets.changes
        if let format = sets.format { change(format) }
    }

    private mutating func finish(
        _ meta: ItemMeta, _ stamp: inout Int64?, _ out: inout ItemBatch
    ) {
        guard builder?.finish(meta, into: &out).hasPicture == true else { return }
        stamps.append(stamp)
        stamp = nil
    }

    /// Packets were lost: what is begun has a hole.
    mutating func noteGap() { assembler.noteGap() }

    // MARK: - Time

    /// Puts a frame that `build` has made on the source's timeline.
    mutating func place(
        _ index: Int, _ meta: inout ItemMeta, _ frame: RawSpan, origin: inout TimelineOrigin,
        at now: Instant
    ) {
        guard let format, index < stamps.count else { return }
        let isSound = format.codec.kind == .audio
        var repair =
            self.repair
            ?? TimestampRepair(
                policy: .pes, inputRate: 90_000, outputRate: format.clockRate,
                sampleRate: isSound ? format.sampleRate : 0)
        let count = isSound ? AudioDuration.ticks(of: frame, format) : nil
        let made = repair.receive(
            .init(
                stamp: stamps[index], compositionOffset: Int64(meta.compositionOffset),
                samples: format.codec == .opus ? nil : count), at: now, origin: &origin)
        self.repair = repair
        meta.ticks = made.ticks
        meta.compositionOffset = made.compositionOffset
        if made.isDiscontinuity { meta.flags.insert(.discontinuity) }
        if let count { meta.ticks = counted(made.ticks, count, format) }
        if let reached {
            let last = Timebase.ticks(nanoseconds: reached, rate: format.clockRate)
            meta.ticks = max(meta.ticks, last &+ 1)
        }
        reached = Timebase.nanoseconds(meta.ticks, rate: format.clockRate)
    }

    private mutating func counted(_ ticks: Int64, _ count: Int64, _ format: Format) -> Int64 {
        // 1,024 samples at 44.1 kHz are no whole number of ticks at 90.
        var clock = samples ?? SampleClock(rate: format.clockRate, tolerance: SampleClock.fine)
        defer { samples = clock }
        return clock.stamp(ticks, samples: count)
    }
}
