import Codecs
import Media
import Stream
import Wire

/// The pictures of a program stream: from bytes that are cut anywhere to frames.
///
/// Where a frame ends is known when the next one begins, which costs the time between two frames.
/// So once packets have been seen to end with their frames, a frame ends with its packet when the
/// marker says so, when sound follows, or when nothing has followed for 15 ms. One wrong guess, and
/// for some time there are no more.
struct PSPictures: Sendable {
    /// Within a network's jitter, and well below what waiting for the next frame would cost.
    private static let silence = Interval.milliseconds(15)
    /// Frames in a row that ended with their packet.
    private static let proof = 3
    private static let distrust = -100

    private(set) var units: PSUnits
    private var builtChanges: UInt32 = 0
    private var builder: AccessUnitBuilder?
    private var splitter: AccessUnitSplitter?
    private(set) var format: Format?
    private(set) var figures = Figures()
    /// Somebody should ask the camera for a key frame.
    private(set) var wantsKey = false

    private var time: PSTrackTime?
    private var frameStamp: PSStamp?
    private var isPacketOver = true
    private var isMarked = false
    /// The end of a frame was guessed: neither the next packet nor the next slice may go on with
    /// it.
    private var mayContinue = (packet: false, slice: false)
    private var aligned = 0
    /// The last picture has come to its end, and nothing of the next one has come.
    private var isSurelyOver = false
    /// Something is missing since then, which may have been sound only.
    private var isDoubtful = false
    private var pace = PSPace()
    private var lastByte = Instant.start
    private var waitsForKey = true
    private var isDamaged = false
    private var draft = ItemBatch()
    private var ready = ItemBatch()
    private var stamps: [PSStamp?] = []

    struct Figures: Equatable, Sendable {
        var frames: UInt64 = 0
        /// Of which something was lost.
        var damaged: UInt64 = 0
        /// Whole, but of no use without what was lost.
        var dropped: UInt64 = 0
        /// Ends that were guessed too early.
        var wrongEnds: UInt64 = 0
    }

    init(_ codec: Codec?) {
        units = PSUnits(codec.flatMap { NALCodec($0) })
        if let codec = units.codec { become(codec) }
    }

    var trustsMarkers: Bool { splitter?.trustsMarkers ?? false }
    var repairs: RepairCounters { time?.counters ?? RepairCounters() }
    private var isEager: Bool { aligned >= Self.proof }

    private mutating func become(_ codec: NALCodec) {
        builder?.cancel(&draft)
        builder = AccessUnitBuilder(codec)
        splitter = AccessUnitSplitter(codec)
        builtChanges = 0
        (frameStamp, waitsForKey) = (nil, true)
    }

    // MARK: - Packets

    mutating func begin(_ head: PSPacketHead) {
        isSurelyOver = false
        if isDoubtful {
            isDoubtful = false
            if !pace.isNext(head.stamp) { lose() }
        }
        units.beginPacket(head.stamp)
        isPacketOver = false
    }

    mutating func end() { isPacketOver = true }

    mutating func append(_ bytes: RawSpan, at now: Instant) {
        if let beginsUnit = units.firstBytes(bytes) { beginBytes(beginsUnit, at: now) }
        lastByte = now
        units.append(bytes)
        while units.findNext() { takeUnit(at: now) }
        if units.isTooLarge { lose() }
    }

    private mutating func beginBytes(_ beginsUnit: Bool, at now: Instant) {
        if isMarked {
            isMarked = false
            if beginsUnit {
                closeTail(at: now)
                if splitter?.receive(.marker) == true { finish(at: now, endsWithPacket: true) }
            } else {
                splitter?.judgeMarker(wasRight: false)
            }
        }
        let wasGuessed = mayContinue.packet
        mayContinue.packet = false
        guard beginsUnit else {
            // A unit goes on: packets do not end with units here.
            if wasGuessed { guessedWrong() }
            aligned = min(aligned, 0)
            return
        }
        guard let stamp = units.ownStamp else { return }
        closeTail(at: now)
        if stamp != frameStamp, splitter?.receive(.newStamp) == true {
            finish(at: now, endsWithPacket: true)
        }
    }

    // MARK: - Signs of an end

    /// The marker of the RTP packet whose bytes have just come.
    mutating func mark(at now: Instant) {
        guard isPacketOver else {
            splitter?.judgeMarker(wasRight: false)
            return
        }
        guard trustsMarkers, isEager else {
            isMarked = !units.isEmpty
            return
        }
        cutEarly(.marker, at: now)
    }

    mutating func otherTrack(at now: Instant) {
        if isPacketOver, isEager { cutEarly(.otherTrack, at: now) }
    }

    var deadline: Instant {
        isPacketOver && isEager && !units.isEmpty ? lastByte + Self.silence : .distantFuture
    }

    mutating func expire(at now: Instant) {
        if now >= deadline { cutEarly(.newStamp, at: now) }
    }

    private mutating func cutEarly(_ sign: AccessUnitSplitter.Sign, at now: Instant) {
        closeTail(at: now)
        // A marker that was not believed is judged by what follows.
        let isOver = isMarked && splitter?.receive(.marker) == true
        isMarked = false
        guard isOver || splitter?.receive(sign) == true else { return }
        finish(at: now, endsWithPacket: nil)
        mayContinue = (true, true)
        // Silence proves nothing: what is missing may be waited for.
        isSurelyOver = sign != .newStamp
    }

    private mutating func guessedWrong() {
        aligned = Self.distrust
        mayContinue = (false, false)
        figures.wrongEnds &+= 1
        spoil()
    }

    // MARK: - Loss

    /// Some of it is missing. A unit that was whole and changes how to decode is kept: what comes
    /// after the next key frame needs it (ZLMediaKit #3818).
    mutating func lose() {
        if isSurelyOver {
            // Where the next picture stands will tell whether one is missing.
            isDoubtful = true
            return units.reset()
        }
        if isPacketOver, let unit = units.wholeTail, let codec = units.codec,
            NALUnit(unit.raw, codec)?.isParameterSet == true
        {
            builder?.add(unit.raw, into: &draft)
        }
        units.reset()
        builder?.cancel(&draft)
        splitter?.reset()
        noteSets()
        (frameStamp, isMarked, isPacketOver) = (nil, false, true)
        mayContinue = (false, false)
        isDamaged = false
        waitsForKey = true
        wantsKey = true
        figures.damaged &+= 1
    }

    /// The frame that is being built is of no use.
    private mutating func spoil() {
        isDamaged = true
        waitsForKey = true
        wantsKey = true
    }

    // MARK: - Units

    private mutating func closeTail(at now: Instant) {
        if units.closeTail() { takeUnit(at: now) }
    }

    private mutating func takeUnit(at now: Instant) {
        // Out of here for as long as its bytes are lent.
        var unit: [UInt8] = []
        units.takeUnit(&unit)
        defer { units.giveBack(&unit) }
        guard !unit.isEmpty else { return }
        if units.sniff(unit.raw, hasPictures: figures.frames > 0), let codec = units.codec {
            become(codec)
            let doubts = units.takeDoubts()
            for doubt in doubts { builder?.add(doubt.raw, into: &draft) }
            if doubts.last == unit { return }
        }
        guard let codec = units.codec, let header = NALUnit(unit.raw, codec) else { return }
        if splitter?.receive(unit.raw, at: now) == true {
            finish(at: now, endsWithPacket: units.unitBeganPacket)
        }
        if mayContinue.slice, header.isSlice {
            let isFirst =
                unit.count > codec.headerCount && unit[codec.headerCount] & 0x80 != 0
            if isFirst { mayContinue.slice = false } else { guessedWrong() }
        }
        if header.isSlice, frameStamp == nil { frameStamp = units.takeStamp() }
        builder?.add(unit.raw, into: &draft)
    }

    private mutating func noteSets() {
        guard let sets = builder?.parameterSets, sets.changes != builtChanges else { return }
        builtChanges = sets.changes
        if let next = sets.format { format = next }
    }

    // MARK: - Frames

    /// - Parameter endsWithPacket: nil: that was guessed.
    private mutating func finish(at now: Instant, endsWithPacket: Bool?) {
        if let endsWithPacket {
            aligned = endsWithPacket ? min(aligned + 1, 1000) : min(aligned, 0)
        }
        defer {
            draft.clear()
            (frameStamp, isDamaged) = (nil, false)
        }
        let meta = ItemMeta(ticks: 0, arrival: now, length: 0, flags: [])
        guard let facts = builder?.finish(meta, into: &draft) else { return }
        noteSets()
        guard facts.hasPicture, let item = draft.items.first else { return }
        pace.note(frameStamp)
        guard format != nil, !isDamaged, item.meta.isKey || !waitsForKey else {
            if isDamaged { figures.damaged &+= 1 } else { figures.dropped &+= 1 }
            if waitsForKey { wantsKey = true }
            return
        }
        if item.meta.isKey { (waitsForKey, wantsKey) = (false, false) }
        figures.frames &+= 1
        // One leaves the draft for the next one to be built in.
        var batch = ItemBatch()
        swap(&batch, &ready)
        batch.append(draft.bytes(of: 0), item.meta)
        swap(&batch, &ready)
        stamps.append(frameStamp)
    }

    var hasFrames: Bool { !ready.isEmpty }

    /// Frames that are whole, on the timeline.
    mutating func takeFrames(
        origin: inout TimelineOrigin, at now: Instant, into effects: inout Effects,
        channel: ChannelID, slot: SlotName
    ) -> Int64? {
        guard let format, hasFrames else { return nil }
        var time = self.time ?? PSTrackTime(format)
        var last: Int64?
        for index in 0..<ready.count {
            var meta = ready.items[index].meta
            time.place(&meta, stamps[index], samples: nil, origin: &origin, at: now)
            effects.frame(ready.bytes(of: index), meta, channel: channel, slot: slot)
            last = meta.ticks
        }
        self.time = time
        ready.clear()
        stamps.removeAll(keepingCapacity: true)
        return last
    }
}
