import Codecs
import Media
import Wire

/// H.264 and H.265 of publishers that nobody can ask for a packet again: cameras, FFmpeg, RTP over
/// TCP. One access unit after the other, without waiting.
///
/// Parameter sets are taken out and put before each key frame, newest first known; delimiters and
/// filler leave; markers are repaired; what is too large is split; what lost a piece is dropped.
struct NALShaper: Sendable {
    /// The access unit that packets are coming in for.
    private struct AccessUnit: Sendable {
        var ticks: Int64
        var isKey = false
        var isDiscardable = false
        var isBidirectional = false
        /// A piece is missing, or the policy says so: nothing more of it goes out.
        var isDropped = false
        var hasEnded = false
        var slices = 0
        var emitted = 0
    }

    private enum Fragment { case none, passing, dropping }

    /// Messages before the first slice: more is some vendor's private data.
    private static let prefixMaximum = 4096
    /// After so many frames without a marker the source is taken for one that sets none.
    private static let markerlessFrames = 8

    private let codec: NALCodec
    private let bFrames: BFramePolicy
    private let onLoss: PacketShaper.LossPolicy
    private var sets: ParameterSets
    private var knownChanges: UInt32
    private(set) var format: Format
    private var unit: AccessUnit?
    private var fragment = Fragment.none
    /// SEI that came before the first slice: sent with it, so that a key frame begins as one.
    private var prefix = ItemBatch()
    private var setsAreNew = false
    private var waitsForKey = false
    private var expected: Int64?
    private var next: Int64 = 1
    /// Frames in a row that ended without a marker, and how many slices each had.
    private var unmarked = 0
    private var usualSlices = 0

    init(
        _ codec: NALCodec, _ format: Format, bFrames: BFramePolicy,
        onLoss: PacketShaper.LossPolicy
    ) {
        self.codec = codec
        self.bFrames = bFrames
        self.onLoss = onLoss
        self.format = format
        sets = ParameterSets(codec)
        sets.note(format.parameterSets)
        knownChanges = sets.changes
    }

    mutating func skip(_ index: Int64) {
        if expected == index { expected = index + 1 }
    }

    mutating func shape(
        _ payload: RawSpan, _ index: Int64, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        let due = expected ?? index
        guard index >= due || due - index > SequenceUnwrapper.jumpMaximum else {
            out.late += 1
            return
        }
        expected = index + 1
        let hasGap = index != due
        if unit?.ticks != meta.ticks || unit?.hasEnded == true {
            begin(payload, meta, afterGap: hasGap, into: &out)
        } else if hasGap {
            breakUnit(meta, into: &out)
        }
        let before = out.batch.count
        take(payload, meta, into: &out)
        if out.batch.count == before { out.dropped += 1 }
        endUnit(meta, emitted: out.batch.count > before, payload, into: &out)
    }

    /// A marker on parameter sets or messages before the picture is bogus (Tapo TC70, Reolink Duo
    /// 2); one on a delimiter or filler behind it is not, though that packet itself stays here.
    private mutating func endUnit(
        _ meta: ItemMeta, emitted: Bool, _ payload: RawSpan, into out: inout ShapedPackets
    ) {
        guard let open = unit, open.slices > 0 else { return }
        if meta.flags.contains(.marker) {
            unmarked = 0
            if emitted || isEmpty(payload) { close(meta, into: &out) }
        } else if emitted, fragment == .none, unmarked >= Self.markerlessFrames,
            open.slices >= usualSlices
        {
            close(meta, into: &out)
        }
    }

    private func isEmpty(_ payload: RawSpan) -> Bool {
        guard case .unit(let unit)? = try? NALPacket(payload, codec) else { return false }
        return unit.role == .delimiter || unit.role == .filler || unit.role == .end
    }

    // MARK: Access units

    private mutating func begin(
        _ payload: RawSpan, _ meta: ItemMeta, afterGap: Bool, into out: inout ShapedPackets
    ) {
        if let open = unit, open.slices > 0 {
            if open.hasEnded {
                // More of a picture that was taken for complete: the count is not to be trusted.
                if open.ticks == meta.ticks { unmarked = 0 }
            } else {
                if !afterGap { noteUnmarked(open) }
                close(meta, into: &out)
            }
        }
        unit = AccessUnit(ticks: meta.ticks)
        fragment = .none
        prefix.clear()
        guard afterGap else { return }
        noteLoss(into: &out)
        if !startsCleanly(payload) { unit?.isDropped = true }
    }

    /// A piece in the middle is gone: what went out is closed, the rest stays here.
    private mutating func breakUnit(_ meta: ItemMeta, into out: inout ShapedPackets) {
        noteLoss(into: &out)
        fragment = .none
        guard unit?.isDropped == false else { return }
        unit?.isDropped = true
        close(meta, into: &out)
    }

    private mutating func noteLoss(into out: inout ShapedPackets) {
        out.wantsKeyframe = true
        if onLoss == .waitKey { waitsForKey = true }
    }

    /// Ends the access unit where its last packet did not say so. If that packet has left already,
    /// a filler unit carries the marker: without one, a browser never shows the frame, and takes
    /// the next one for damaged.
    private mutating func close(_ meta: ItemMeta, into out: inout ShapedPackets) {
        guard let open = unit, open.emitted > 0, !open.hasEnded else { return }
        unit?.hasEnded = true
        let end = ItemMeta.Flags.closing
        if out.indices.last == next - 1 {
            return out.batch.update(out.batch.count - 1) { $0.flags.formUnion(end) }
        }
        var last = meta
        last.ticks = open.ticks
        last.flags = end
        if open.isKey { last.flags.insert(.key) }
        if open.isDiscardable { last.flags.insert(.discardable) }
        last.formatGeneration = format.generation
        out.append(codec.filler.raw, last, next)
        next += 1
    }

    /// Whether an access unit can begin with this packet, so that nothing before it is missing.
    private func startsCleanly(_ payload: RawSpan) -> Bool {
        guard let packet = try? NALPacket(payload, codec) else { return false }
        switch packet {
        case .unit(let unit): return startsCleanly(unit, payload)
        case .aggregate:
            var units = AggregateUnits(payload, codec)
            guard let range = (try? units.next()) ?? nil else { return false }
            let first = payload.extracting(range)
            guard let unit = NALUnit(first, codec) else { return false }
            return startsCleanly(unit, first)
        case .fragment:
            guard payload.byteCount > codec.headerCount + 1,
                payload.byte(at: codec.headerCount) & 0x80 != 0
            else { return false }
            return codec.startsPicture(payload.extracting(1..<payload.byteCount))
        }
    }

    private func startsCleanly(_ unit: NALUnit, _ bytes: RawSpan) -> Bool {
        !unit.isSlice || codec.startsPicture(bytes)
    }

    /// Cameras without markers (FLIR M400): the number of slices, once it is always the same, says
    /// where a frame ends.
    private mutating func noteUnmarked(_ open: AccessUnit) {
        unmarked = open.slices == usualSlices ? unmarked + 1 : 1
        usualSlices = open.slices
    }

    // MARK: Packets

    private mutating func take(
        _ payload: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        guard let packet = try? NALPacket(payload, codec) else {
            // A start code, where a unit is due: 00 is no type that exists.
            if AnnexBUnits.startCode(in: payload, from: 0) != nil {
                takeSeveral(payload, meta, into: &out)
            }
            return
        }
        switch packet {
        case .unit(let unit):
            fragment = .none
            // Cameras leave start codes behind parameter sets and delimiters, never in pictures.
            if !unit.isSlice, AnnexBUnits.startCode(in: payload, from: 0) != nil {
                takeSeveral(payload, meta, into: &out)
            } else {
                take(unit, payload, meta, into: &out)
            }
        case .aggregate:
            fragment = .none
            var units = AggregateUnits(payload, codec)
            while let range = (try? units.next()) ?? nil {
                let bytes = payload.extracting(range)
                guard let unit = NALUnit(bytes, codec) else { continue }
                take(unit, bytes, meta, into: &out)
            }
        case .fragment: takeFragment(payload, meta, into: &out)
        }
    }

    private mutating func takeSeveral(
        _ payload: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        let first = AnnexBUnits.startCode(in: payload, from: 0) ?? 0
        var end = first
        while end > 0, payload.byte(at: end - 1) == 0 { end -= 1 }
        if end > 0, let unit = NALUnit(payload.extracting(0..<end), codec) {
            take(unit, payload.extracting(0..<end), meta, into: &out)
        }
        let rest = payload.extracting(first..<payload.byteCount)
        var units = AnnexBUnits(rest)
        while let range = units.next() {
            let bytes = rest.extracting(range)
            guard let unit = NALUnit(bytes, codec) else { continue }
            take(unit, bytes, meta, into: &out)
        }
    }

    private mutating func take(
        _ header: NALUnit, _ bytes: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        switch header.role {
        case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet:
            if sets.note(bytes) { setsAreNew = true }
        case .information, .otherPrefix:
            if (unit?.slices ?? 0) > 0 {
                emit(bytes, meta, into: &out)
            } else if prefix.bytes.count + bytes.byteCount <= Self.prefixMaximum {
                prefix.append(bytes, meta)
            }
        case .suffixInformation, .other:
            if (unit?.slices ?? 0) > 0 { emit(bytes, meta, into: &out) }
        case .delimiter, .filler, .end: return
        case .slice, .keySlice:
            guard beginSlice(header, bytes, meta, into: &out) else { return }
            emit(bytes, meta, into: &out)
        }
    }

    private mutating func takeFragment(
        _ payload: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        guard payload.byteCount > codec.headerCount + 1 else { return }
        let bits = payload.byte(at: codec.headerCount)
        let (starts, ends) = (bits & 0x80 != 0, bits & 0x40 != 0)
        let header = FragmentHeader(fromFragment: payload, codec)
        if starts {
            fragment = .dropping
            if let whole = header.unit, whole.isSlice {
                let slice = payload.extracting(1..<payload.byteCount)
                if beginSlice(whole, slice, meta, into: &out) { fragment = .passing }
            }
        }
        defer { if ends { fragment = .none } }
        guard fragment == .passing else { return }
        guard payload.byteCount > PacketShaper.payloadMaximum || starts && ends else {
            return emit(payload, meta, into: &out)
        }
        let body = payload.extracting(codec.headerCount + 1..<payload.byteCount)
        let (first, packet) = (out.batch.count, stamped(meta))
        if starts && ends {  // Forbidden, and sent by OpenIPC: it is a whole unit.
            NALPayload.writeWhole(body, header, packet, into: &out.batch)
        } else {
            NALPayload.fragment(
                body, header, starts: starts, ends: ends, packet, PacketShaper.payloadMaximum,
                into: &out.batch)
        }
        count(from: first, in: &out)
    }

    // MARK: Out

    /// A slice begins: of what kind is its picture, and does it go out? Before the first one of a
    /// picture go parameter sets, if it is a key picture or if they are new, and messages.
    private mutating func beginSlice(
        _ header: NALUnit, _ bytes: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) -> Bool {
        guard var open = unit, !open.isDropped else { return false }
        if header.role == .keySlice { (open.isKey, waitsForKey) = (true, false) }
        open.isDiscardable = !header.isReference
        if codec.isBidirectional(bytes) { open.isBidirectional = true }
        let isUnwanted = open.isBidirectional && open.isDiscardable && bFrames != .keep
        if open.isBidirectional && bFrames == .refuse { out.refusesBFrames = true }
        if waitsForKey || isUnwanted && open.emitted == 0 {
            open.isDropped = true
            unit = open
            return false
        }
        open.slices += 1
        unit = open
        if open.emitted == 0 { writePrefix(meta, into: &out) }
        return true
    }

    private mutating func writePrefix(_ meta: ItemMeta, into out: inout ShapedPackets) {
        if sets.changes != knownChanges, var changed = sets.format {
            knownChanges = sets.changes
            changed.generation = format.generation &+ 1
            format = changed
            out.formats.append(changed)
        }
        let (first, packet) = (out.batch.count, stamped(meta))
        if unit?.isKey == true || setsAreNew, !format.parameterSets.isEmpty {
            setsAreNew = false
            NALPayload.writeSets(
                format.parameterSets, codec, packet, PacketShaper.payloadMaximum,
                into: &out.batch)
        }
        for index in 0..<prefix.count {
            NALPayload.write(
                prefix.bytes(of: index), codec, packet, PacketShaper.payloadMaximum,
                into: &out.batch)
        }
        prefix.clear()
        count(from: first, in: &out)
    }

    /// A whole unit or a fragment that fits, as it is; a unit that does not fit in fragments.
    private mutating func emit(
        _ bytes: RawSpan, _ meta: ItemMeta, into out: inout ShapedPackets
    ) {
        guard unit?.isDropped == false, unit?.hasEnded == false else { return }
        let (first, packet) = (out.batch.count, stamped(meta))
        if bytes.byteCount <= PacketShaper.payloadMaximum {
            out.batch.append(bytes, packet)
        } else {
            NALPayload.fragment(
                bytes, codec, packet, PacketShaper.payloadMaximum, into: &out.batch)
        }
        count(from: first, in: &out)
    }

    /// The meta of a packet of the open access unit.
    private func stamped(_ meta: ItemMeta) -> ItemMeta {
        var packet = meta
        packet.flags = meta.flags.intersection(.discontinuity)
        packet.formatGeneration = format.generation
        if unit?.isKey == true { packet.flags.insert(.key) }
        if unit?.isDiscardable == true { packet.flags.insert(.discardable) }
        if unit?.isBidirectional == true { packet.flags.insert(.bidirectional) }
        return packet
    }

    /// Numbers what has been written since `first`.
    private mutating func count(from first: Int, in out: inout ShapedPackets) {
        guard out.batch.count > first else { return }
        if unit?.emitted == 0 { out.batch.update(first) { $0.flags.insert(.frameStart) } }
        unit?.emitted += out.batch.count - first
        out.number(from: &next)
    }
}
