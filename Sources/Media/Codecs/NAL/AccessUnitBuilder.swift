package import Media
package import Wire

/// What was found out about one access unit while it was built.
package struct AccessUnitFacts: Equatable, Sendable {
    /// `key`, `discardable`, `bidirectional`, `damaged`; to be joined with the caller's.
    package var flags: ItemMeta.Flags = []
    package var temporal: UInt8 = 0
    /// Only parameter sets, delimiters or nothing: no frame was made of it.
    package var hasPicture = false
    /// A recovery point message: decoding may begin here, with a picture that heals.
    package var isRecoveryPoint = false
    /// It came with a sequence parameter set.
    package var hasSequenceSet = false
    package var isIntraOnly = true
    package var isReference = false
    package var isTooLarge = false
}

/// Makes one frame in the house's normal form out of the NAL units of an access unit, from whatever
/// framing they came in: lengths of four bytes, no parameter sets, no delimiters, no filler.
///
/// It also keeps the stream's parameter sets and decides what is a key frame, from the units and
/// not from what a container claims. Where access units begin and end, others know: the container,
/// the RTP marker, or `AccessUnitSplitter`.
package struct AccessUnitBuilder: Sendable {
    /// The largest frame: an 8K key frame of the best quality has a few megabytes.
    package static let countMaximum = 8 << 20
    /// Larger messages are vendors' private data, which would cost a packet of their own each
    /// frame.
    static let informationMaximum = 1100
    /// Without an IDR for so long the stream has none: what comes closest counts as key frame.
    static let patience = Interval.seconds(10)

    package private(set) var parameterSets: ParameterSets
    private let codec: NALCodec
    private var facts = AccessUnitFacts()
    private var isOpen = false
    private var hasKeySlice = false
    private var hasBidirectionalSlice = false
    /// The last IDR, or the first frame: from here patience is counted.
    private var lastKey: Instant?
    private var hasHadKey = false
    /// H.265, from the parameter sets.
    private var extraSliceHeaderBits = 0
    private var highestTemporal: UInt8 = 0
    private var reorders = false

    package init(_ codec: NALCodec) {
        self.codec = codec
        parameterSets = ParameterSets(codec)
    }

    /// Sets from a description or a record, before the first frame.
    package mutating func note(_ sets: [[UInt8]]) {
        parameterSets.note(sets)
        learnFromSets()
    }

    /// One unit without start code or length. Until `finish` the open item of `out` is ours: nobody
    /// else may append to the batch or clear it.
    ///
    /// Some cameras put several units with start codes between them where one is due, always behind
    /// a parameter set or a delimiter, never inside a picture: only there we look for them.
    package mutating func add(_ unit: RawSpan, into out: inout ItemBatch) {
        guard let header = NALUnit(unit, codec), header.isSlice else {
            if AnnexBUnits.startCode(in: unit, from: 0) != nil {
                addSeveral(unit, into: &out)
            } else {
                addOne(unit, into: &out)
            }
            return
        }
        addOne(unit, into: &out)
    }

    package mutating func add(annexB bytes: RawSpan, into out: inout ItemBatch) {
        var units = AnnexBUnits(bytes)
        while let range = units.next() { addOne(bytes.extracting(range), into: &out) }
    }

    /// What was whole before a broken length has been added when this throws.
    package mutating func add(
        lengthPrefixed bytes: RawSpan, lengthSize: Int, into out: inout ItemBatch
    ) throws(ParseError) {
        var units = LengthPrefixedUnits(bytes, lengthSize: lengthSize)
        while let range = try units.next() { add(bytes.extracting(range), into: &out) }
    }

    private mutating func addSeveral(_ bytes: RawSpan, into out: inout ItemBatch) {
        // What stands before the first start code is the first unit.
        let first = AnnexBUnits.startCode(in: bytes, from: 0) ?? 0
        var end = first
        while end > 0, bytes.byte(at: end - 1) == 0 { end -= 1 }
        if end > 0 { addOne(bytes.extracting(..<end), into: &out) }
        add(annexB: bytes.extracting(first..<bytes.byteCount), into: &out)
    }

    private mutating func addOne(_ unit: RawSpan, into out: inout ItemBatch) {
        guard let header = NALUnit(unit, codec) else { return }
        switch header.role {
        case .slice, .keySlice:
            noteSlice(unit, header)
            write(unit, into: &out)
        case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet:
            if header.role == .sequenceParameterSet { facts.hasSequenceSet = true }
            if parameterSets.note(unit) { learnFromSets() }
        case .information:
            if RecoveryPoint.isIn(unit, codec) { facts.isRecoveryPoint = true }
            if unit.byteCount <= Self.informationMaximum { write(unit, into: &out) }
        case .suffixInformation, .other:
            // Partitions and extension slices belong to the picture; what precedes it does not.
            if facts.hasPicture { write(unit, into: &out) }
        case .delimiter, .filler, .end, .otherPrefix: break
        }
    }

    private mutating func noteSlice(_ unit: RawSpan, _ header: NALUnit) {
        facts.hasPicture = true
        facts.temporal = max(facts.temporal, header.temporal)
        if header.role == .keySlice { hasKeySlice = true }
        if header.isReference { facts.isReference = true }
        let slice = try? SliceHeader(unit, codec, extraBits: extraSliceHeaderBits)
        guard let prediction = slice?.prediction else {
            // A later slice of H.265: the first one has spoken for the picture.
            if slice == nil { facts.isIntraOnly = false }
            return
        }
        if prediction != .intra { facts.isIntraOnly = false }
        if prediction == .bidirectional { hasBidirectionalSlice = true }
    }

    private mutating func write(_ unit: RawSpan, into out: inout ItemBatch) {
        guard !facts.isTooLarge else { return }
        if !isOpen {
            out.begin()
            isOpen = true
        }
        guard out.openCount + unit.byteCount + 4 <= Self.countMaximum else {
            facts.isTooLarge = true
            return
        }
        out.write(bigEndian: UInt32(truncatingIfNeeded: unit.byteCount))
        out.write(unit)
    }

    private mutating func learnFromSets() {
        guard codec == .h265 else { return }
        if let set = parameterSets.pictureSets.last {
            let picture = try? H265PictureParameterSet(set.raw)
            extraSliceHeaderBits = picture?.extraSliceHeaderBits ?? 0
        }
        if let active = parameterSets.activeSequence,
            let sequence = try? H265SequenceParameterSet(active.raw)
        {
            highestTemporal = UInt8(sequence.subLayers - 1)
            reorders = sequence.reordering == .present
        }
    }

    /// Ends the access unit: its item gets `meta`, joined with the flags found; without a picture,
    /// or above the largest size, it is forgotten.
    @discardableResult
    package mutating func finish(_ meta: ItemMeta, into out: inout ItemBatch) -> AccessUnitFacts {
        defer {
            facts = AccessUnitFacts()
            isOpen = false
            hasKeySlice = false
            hasBidirectionalSlice = false
        }
        guard isOpen, facts.hasPicture, !facts.isTooLarge else {
            facts.hasPicture = false
            if isOpen { out.cancel() }
            return facts
        }
        judge(at: meta.arrival)
        var meta = meta
        meta.flags.formUnion(facts.flags)
        meta.flags.insert(.frameStart)
        meta.flags.insert(.frameEnd)
        meta.temporal = facts.temporal
        out.end(meta)
        return facts
    }

    /// Forgets an access unit that is not to become a frame; parameter sets stay.
    package mutating func cancel(_ out: inout ItemBatch) {
        if isOpen { out.cancel() }
        facts = AccessUnitFacts()
        isOpen = false
        hasKeySlice = false
        hasBidirectionalSlice = false
    }

    private mutating func judge(at now: Instant) {
        if isKey(at: now) { facts.flags.insert(.key) }
        // In H.265 a picture of a lower sub-layer may still serve the higher ones (§3.160).
        let isLeaf = codec == .h264 || facts.temporal >= highestTemporal
        if !facts.isReference && isLeaf { facts.flags.insert(.discardable) }
        // H.265 encoders code low-delay pictures as B slices that look back only: the order counts.
        if hasBidirectionalSlice && (codec == .h264 || reorders) {
            facts.flags.insert(.bidirectional)
        }
    }

    /// An IDR; in a stream without any, the best it has: a recovery point, or a wholly intra-coded
    /// picture that came with its parameter sets.
    private mutating func isKey(at now: Instant) -> Bool {
        let since = lastKey ?? now
        if lastKey == nil { lastKey = now }
        if hasKeySlice {
            lastKey = now
            hasHadKey = true
            return true
        }
        guard facts.isRecoveryPoint || facts.isIntraOnly && facts.hasSequenceSet else {
            return false
        }
        // A stream that shows this before any IDR begins with it: joined in the middle, or
        // refreshed by columns for ever. Either way it is the earliest beginning there is.
        return !hasHadKey || now - since >= Self.patience
    }
}
