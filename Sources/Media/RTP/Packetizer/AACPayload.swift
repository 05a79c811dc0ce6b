import Codecs
import Media
import Wire

/// AAC in RTP as `mpeg4-generic` (RFC 3640).
enum AACPayload {
    /// In the AAC-hbr mode: 13 bits of size and 3 of index for each access unit.
    static func packetize(
        _ frame: RawSpan, _ meta: ItemMeta, _ maximum: Int, into out: inout ItemBatch
    ) {
        guard frame.byteCount < 1 << 13 else { return }  // Larger than any AAC frame can be.
        let size = Packetizer.partSize(frame.byteCount, maximum: maximum - 4)
        for offset in stride(from: 0, to: frame.byteCount, by: size) {
            out.begin()
            out.write(0)
            out.write(16)  // Bits of headers that follow.
            // §3.2.3: each fragment says the size of the whole access unit.
            out.write(UInt8(truncatingIfNeeded: frame.byteCount >> 5))
            out.write(UInt8(truncatingIfNeeded: frame.byteCount << 3))
            out.write(frame.extracting(offset..<min(offset + size, frame.byteCount)))
            out.end(meta)
        }
    }

    static func depacketize(
        _ payload: RawSpan, marker: Bool, _ facts: PayloadFacts, to draft: inout FrameDraft
    ) throws(ParseError) {
        if isADTS(payload) { return try takeADTS(payload, facts, to: &draft) }
        var reader = ByteReader(payload)
        let bits = Int(try reader.read(UInt16.self))
        var headers = BitReader(try reader.read(count: (bits + 7) / 8))
        var ticks: Int64 = 0
        var left = bits
        while left >= facts.sizeLength + facts.indexLength, facts.sizeLength > 0 {
            let isFirst = left == bits
            let count = Int(try headers.read(facts.sizeLength))
            let index = isFirst ? facts.indexLength : facts.indexDeltaLength
            try headers.skip(index)
            left -= facts.sizeLength + index
            if count > reader.remaining || draft.openCount > 0 {
                return try takeFragment(reader.rest, of: count, marker, to: &draft)
            }
            try take(try reader.read(count: count), at: ticks, to: &draft)
            ticks += facts.samplesPerFrame
        }
    }

    /// One access unit over several packets: each says the size of the whole, the last has the
    /// marker, and nothing else is in them.
    private static func takeFragment(
        _ part: RawSpan, of count: Int, _ marker: Bool, to draft: inout FrameDraft
    ) throws(ParseError) {
        if draft.openCount == 0 { draft.beginPlainUnit() }
        try draft.append(part)
        guard draft.openCount >= count || marker else { return }
        guard draft.openCount == count else { return draft.cancelUnit() }
        draft.endPlainUnit()
        draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: 0))
    }

    /// Some encoders leave ADTS headers in the access units.
    private static func take(
        _ unit: RawSpan, at ticks: Int64, to draft: inout FrameDraft
    ) throws(ParseError) {
        let isWrapped = isADTS(unit)
        let skipped = isWrapped ? adtsHeaderCount(unit) : 0
        try draft.append(unit.extracting(skipped..<unit.byteCount))
        draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: ticks))
    }

    /// Some cameras send ADTS as it is, without any AU headers. As AU-headers-length the sync word
    /// would be 65,520 bits or more: no packet has so many.
    private static func takeADTS(
        _ payload: RawSpan, _ facts: PayloadFacts, to draft: inout FrameDraft
    ) throws(ParseError) {
        var reader = ByteReader(payload)
        var ticks: Int64 = 0
        while reader.remaining > 0 {
            let count = adtsFrameCount(reader.rest)
            guard count >= 7 else { throw .invalid("ADTS length", value: UInt64(count), at: 0) }
            try take(try reader.read(count: count), at: ticks, to: &draft)
            ticks += facts.samplesPerFrame
        }
    }

    private static func isADTS(_ span: RawSpan) -> Bool {
        guard span.byteCount >= 7, span.byte(at: 0) == 0xff, span.byte(at: 1) & 0xf6 == 0xf0
        else { return false }
        return adtsFrameCount(span) <= span.byteCount && adtsFrameCount(span) > 7
    }

    /// Nine bytes if a checksum follows.
    private static func adtsHeaderCount(_ span: RawSpan) -> Int {
        min(span.byteCount, span.byte(at: 1) & 1 == 0 ? 9 : 7)
    }

    private static func adtsFrameCount(_ span: RawSpan) -> Int {
        guard span.byteCount >= 7 else { return 0 }
        return Int(span.byte(at: 3) & 3) << 11 | Int(span.byte(at: 4)) << 3
            | Int(span.byte(at: 5)) >> 5
    }
}

/// AAC in RTP as `MP4A-LATM` (RFC 6416) with its configuration in the SDP (`cpresent=0`): each
/// frame behind its length.
enum LATMPayload {
    static func depacketize(
        _ payload: RawSpan, marker: Bool, _ facts: PayloadFacts, to draft: inout FrameDraft
    ) throws(ParseError) {
        // The bytes of a fragmented element: the lengths can be read when all of it is here.
        if draft.openCount > 0 || !marker {
            if draft.openCount == 0 { draft.beginPlainUnit() }
            try draft.append(payload)
            guard marker else { return }
            let whole = Array(draft.bytes.suffix(draft.openCount))
            draft.dropUnit()
            return try takeFrames(whole.raw, facts, to: &draft)
        }
        try takeFrames(payload, facts, to: &draft)
    }

    private static func takeFrames(
        _ element: RawSpan, _ facts: PayloadFacts, to draft: inout FrameDraft
    ) throws(ParseError) {
        var bits = BitReader(element)
        var ticks: Int64 = 0
        while bits.remaining > 0 {
            let count = try LATM.frameLength(&bits)
            let start = bits.offset / 8
            try draft.append(element.extracting(start..<start + count))
            try bits.skip(8 * count)
            draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: ticks))
            ticks += facts.samplesPerFrame
        }
    }
}
