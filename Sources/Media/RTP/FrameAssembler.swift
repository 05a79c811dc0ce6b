import Codecs
package import Media
package import Wire

/// Makes frames of the packets of one encoding: puts them in order, waits a little for what is
/// missing, takes the payloads apart, and emits each frame as soon as its last packet is here.
///
/// What a frame looks like is said in `ItemMeta`. A video starts with a key frame; a frame that
/// lost a piece is dropped and counted, and a key frame wanted.
package struct FrameAssembler: Sendable {
    /// A larger frame is an attack or a broken source.
    private static let packetsMaximum = 2048
    private static let ageMaximum = Interval.seconds(2)
    /// UDP reorders by little; where no packet is sent again, waiting longer brings nothing.
    private static let reorderPatience = Interval.milliseconds(20)

    private struct Frame: Sendable {
        var first: ItemMeta
        var packets = 0
        var isBroken = false
        /// Packets before it are missing: they may have been its own.
        var followsLoss = false
    }

    package private(set) var format: Format
    private let isVideo: Bool
    private let onLoss: PacketShaper.LossPolicy
    private let answersNACK: Bool
    private var reorder: ReorderBuffer
    private var stored: [UInt8] = []
    private var depacketizer: Depacketizer
    private var draft = FrameDraft()
    private var frame: Frame?
    /// H.264 and H.265: decides what of the units makes a frame, and which one is a key frame.
    private var builder: AccessUnitBuilder?
    private var knownChanges: UInt32 = 0
    private var built = ItemBatch()
    private var clock: DecodeClock
    private var waitsForKey: Bool

    /// - Parameter answersNACK: Missing packets may be sent again, and are worth waiting for.
    package init?(
        format: Format, facts: PayloadFacts = PayloadFacts(), answersNACK: Bool,
        onLoss: PacketShaper.LossPolicy = .proceed
    ) {
        guard let depacketizer = Depacketizer(codec: format.codec, facts: facts) else { return nil }
        self.depacketizer = depacketizer
        self.format = format
        self.onLoss = onLoss
        self.answersNACK = answersNACK
        isVideo = format.codec.kind == .video
        waitsForKey = isVideo
        clock = DecodeClock(mayReorder: format.mayHaveBFrames)
        reorder = ReorderBuffer(patience: Self.reorderPatience)
        if let codec = NALCodec(format.codec) {
            builder = AccessUnitBuilder(codec)
            builder?.note(format.parameterSets)
            knownChanges = builder?.parameterSets.changes ?? 0
        }
        roundTrip = .milliseconds(50)
        reorder.patience = patience
    }

    /// Told by reports: it says how long a repair takes.
    package var roundTrip: Interval { didSet { reorder.patience = patience } }

    /// webrtc.md 8: a repair and its repetition, but no standing picture for anybody.
    private var patience: Interval {
        guard answersNACK else { return Self.reorderPatience }
        return min(max(roundTrip * 2 + .milliseconds(50), .milliseconds(100)), .milliseconds(400))
    }

    /// - Parameter index: The extended sequence number.
    /// - Parameter meta: With ticks, arrival, and the marker among the flags.
    package mutating func receive(
        _ payload: RawSpan, _ index: Int64, _ meta: ItemMeta, at now: Instant,
        into out: inout AssembledFrames
    ) {
        if reorder.passes(index) {
            take(payload, meta, lost: 0, into: &out)
        } else {
            reorder.receive(payload, index, meta)
        }
        expire(at: now, into: &out)
    }

    /// Goes on without what has not come in time.
    package mutating func expire(at now: Instant, into out: inout AssembledFrames) {
        var bytes = stored
        stored = []
        while let packet = reorder.next(at: now, into: &bytes) {
            take(bytes.raw, packet.meta, lost: packet.lost, into: &out)
        }
        stored = bytes
        guard let open = frame, now >= open.first.arrival + Self.ageMaximum else { return }
        frame?.isBroken = true
        finish(into: &out)
    }

    package var deadline: Instant {
        let age = frame.map { $0.first.arrival + Self.ageMaximum } ?? .distantFuture
        return min(reorder.deadline, age)
    }

    private mutating func take(
        _ payload: RawSpan, _ meta: ItemMeta, lost: Int64, into out: inout AssembledFrames
    ) {
        guard isVideo else { return takeAudio(payload, meta, lost: lost, into: &out) }
        let isNew = frame.map { $0.first.ticks != meta.ticks } ?? true
        if lost > 0 {
            out.wantsKeyframe = true
            if onLoss == .waitKey { waitsForKey = true }
            frame?.isBroken = true
        }
        if isNew {
            finish(into: &out)
            frame = Frame(first: meta, followsLoss: lost > 0)
        }
        frame?.packets += 1
        let marker = meta.flags.contains(.marker)
        do throws(ParseError) {
            try depacketizer.append(payload, marker: marker, to: &draft)
        } catch {
            frame?.isBroken = true
        }
        if (frame?.packets ?? 0) > Self.packetsMaximum { frame?.isBroken = true }
        if marker, frame?.isBroken == true || hasPicture { finish(into: &out) }
    }

    /// Some cameras set the marker on parameter sets, too: a frame without a picture goes on.
    private var hasPicture: Bool {
        guard let codec = NALCodec(format.codec) else { return true }
        var units = LengthPrefixedUnits(draft.bytes.raw)
        while let range = (try? units.next()) ?? nil {
            if NALUnit(draft.bytes.raw.extracting(range), codec)?.isSlice == true { return true }
        }
        return false
    }

    // MARK: Frames

    private mutating func finish(into out: inout AssembledFrames) {
        guard let done = frame else { return }
        frame = nil
        defer { draft.clear() }
        draft.cancelUnit()
        guard !done.isBroken, !draft.isDamaged else { return drop(into: &out) }
        guard !draft.isEmpty else { return }
        var meta = done.first
        meta.flags = meta.flags.intersection(.discontinuity).union(.wholeFrame)
        if builder != nil { return build(meta, followsLoss: done.followsLoss, into: &out) }
        meta.flags.formUnion(draft.flags)
        (meta.temporal, meta.spatial) = (draft.temporal, draft.spatial)
        learn(into: &out)
        guard admit(&meta, into: &out) else { return }
        out.frames.append(draft.bytes.raw, meta)
    }

    private mutating func drop(into out: inout AssembledFrames) {
        out.dropped += 1
        out.wantsKeyframe = true
        if onLoss == .waitKey { waitsForKey = true }
    }

    /// A key frame ends the waiting; until then nothing goes out.
    private mutating func admit(_ meta: inout ItemMeta, into out: inout AssembledFrames) -> Bool {
        if meta.isKey { waitsForKey = false }
        guard !waitsForKey else {
            out.dropped += 1
            out.wantsKeyframe = true
            return false
        }
        meta.formatGeneration = format.generation
        // Our own packets know both times.
        guard meta.compositionOffset == 0 else { return true }
        let presentation = meta.ticks
        meta.ticks = clock.decode(presentation)
        meta.compositionOffset = Int32(clamping: presentation - meta.ticks)
        return true
    }

    private mutating func build(
        _ meta: ItemMeta, followsLoss: Bool, into out: inout AssembledFrames
    ) {
        guard !followsLoss || startsPicture else { return drop(into: &out) }
        guard var builder else { return }
        var unit = built
        built = ItemBatch()  // Not shared with `unit`: it is written to.
        self.builder = nil
        defer {
            unit.clear()
            built = unit
            self.builder = builder
        }
        // We wrote the lengths ourselves: they are right.
        try? builder.add(lengthPrefixed: draft.bytes.raw, lengthSize: 4, into: &unit)
        let sets = builder.parameterSets
        if sets.changes != knownChanges, let changed = sets.format {
            knownChanges = sets.changes
            change(to: changed, into: &out)
        }
        builder.finish(meta, into: &unit)
        guard !unit.isEmpty else { return }
        var meta = unit.items[0].meta
        if admit(&meta, into: &out) { out.frames.append(unit.bytes(of: 0), meta) }
    }

    /// After a loss: the picture's first slice is here, so nothing of it came before.
    private var startsPicture: Bool {
        guard let codec = NALCodec(format.codec) else { return true }
        var units = LengthPrefixedUnits(draft.bytes.raw)
        while let range = (try? units.next()) ?? nil {
            let unit = draft.bytes.raw.extracting(range)
            guard NALUnit(unit, codec)?.isSlice == true else { continue }
            return codec.startsPicture(unit)
        }
        return false
    }

    /// What pictures of other codecs say of themselves.
    private mutating func learn(into out: inout AssembledFrames) {
        var changed = format
        if draft.width > 0 { (changed.width, changed.height) = (draft.width, draft.height) }
        if let range = draft.sequenceHeader {
            let header = draft.bytes.raw.extracting(range)
            if changed.parameterSets.count != 1 || !Self.equal(changed.parameterSets[0], header) {
                changed.parameterSets = [[UInt8](copying: header)]
            }
        }
        if changed != format { change(to: changed, into: &out) }
    }

    private static func equal(_ bytes: [UInt8], _ span: RawSpan) -> Bool {
        guard bytes.count == span.byteCount else { return false }
        for index in bytes.indices where bytes[index] != span.byte(at: index) { return false }
        return true
    }

    private mutating func change(to new: Format, into out: inout AssembledFrames) {
        var new = new
        new.generation = format.generation &+ 1
        format = new
        out.formats.append(new)
    }

    // MARK: Audio

    /// Frames are complete in their packet, or go over several of them; a lost packet costs what
    /// was in it.
    private mutating func takeAudio(
        _ payload: RawSpan, _ meta: ItemMeta, lost: Int64, into out: inout AssembledFrames
    ) {
        if lost > 0 { draft.clear() }
        let marker = meta.flags.contains(.marker)
        do throws(ParseError) {
            try depacketizer.append(payload, marker: marker, to: &draft)
        } catch {
            out.dropped += 1
            draft.clear()
            return
        }
        var start = 0
        for cut in draft.cuts {
            var unit = meta
            unit.ticks &+= cut.ticks
            unit.flags = .soundFrame
            if start == 0 { unit.flags.formUnion(meta.flags.intersection(.discontinuity)) }
            unit.formatGeneration = format.generation
            out.frames.append(draft.bytes.raw.extracting(start..<cut.end), unit)
            start = cut.end
        }
        draft.removeCuts()
    }
}

/// What an assembler emits for the packets of a turn; its owner clears it afterwards.
package struct AssembledFrames: Sendable {
    package internal(set) var frames = ItemBatch()
    /// Formats that began, in order; frames say by generation which one holds for them.
    package internal(set) var formats: [Format] = []
    package internal(set) var wantsKeyframe = false
    /// Frames left out since `clear`.
    package internal(set) var dropped = 0

    package init() {}

    package mutating func clear() {
        frames.clear()
        formats.removeAll(keepingCapacity: true)
        wantsKeyframe = false
        dropped = 0
    }
}
