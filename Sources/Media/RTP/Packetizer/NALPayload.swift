import Codecs
import Media
import Wire

/// NAL units in RTP payloads: RFC 6184 §5.6-5.8 (packetization-mode 1) and RFC 7798 §4.4.
enum NALPayload {
    /// - Parameter frame: Units behind their lengths. One that reaches outside ends the frame: what
    ///   was before it is sent.
    static func packetize(
        _ frame: RawSpan, sets: [[UInt8]], _ codec: NALCodec, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        if !sets.isEmpty { writeSets(sets, codec, meta, maximum, into: &out) }
        var reader = ByteReader(frame)
        while reader.remaining > 4 {
            do throws(ParseError) {
                let count = Int(try reader.read(UInt32.self))
                write(try reader.read(count: count), codec, meta, maximum, into: &out)
            } catch { return }
        }
    }

    /// Delimiters, filler and in-band sets have no place in the packet normal form.
    static func write(
        _ unit: RawSpan, _ codec: NALCodec, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        guard let header = NALUnit(unit, codec) else { return }
        var meta = meta
        switch header.role {
        case .slice, .keySlice:
            if !header.isReference { meta.flags.insert(.discardable) }
            meta.temporal = header.temporal
        case .information, .suffixInformation, .otherPrefix, .other: break
        case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet, .delimiter, .filler,
            .end:
            return
        }
        if unit.byteCount <= maximum {
            out.append(unit, meta)
        } else {
            fragment(unit, codec, meta, maximum, into: &out)
        }
    }

    /// Cuts a unit into equal fragments. Its own header is not sent: the fragments' headers have
    /// all of it.
    static func fragment(
        _ unit: RawSpan, _ codec: NALCodec, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let body = unit.extracting(codec.headerCount..<unit.byteCount)
        let header = FragmentHeader(of: unit, codec)
        fragment(body, header, starts: true, ends: true, meta, maximum, into: &out)
    }

    /// The same for what may itself be a fragment: `starts` and `ends` say of what.
    static func fragment(
        _ body: RawSpan, _ header: FragmentHeader, starts: Bool, ends: Bool, _ meta: ItemMeta,
        _ maximum: Int, into out: inout ItemBatch
    ) {
        let size = Packetizer.partSize(body.byteCount, maximum: maximum - header.count)
        var offset = 0
        repeat {
            let end = min(offset + size, body.byteCount)
            out.begin()
            header.write(
                start: starts && offset == 0, end: ends && end == body.byteCount, into: &out)
            out.write(body.extracting(offset..<end))
            out.end(meta)
            offset = end
        } while offset < body.byteCount
    }

    /// A unit whose only fragment is all of it, without the fragment header.
    static func writeWhole(
        _ body: RawSpan, _ header: FragmentHeader, _ meta: ItemMeta, into out: inout ItemBatch
    ) {
        let unit = header.unitHeader
        out.begin()
        out.write(unit.first)
        if let second = unit.second { out.write(second) }
        out.write(body)
        out.end(meta)
    }

    /// All parameter sets in one aggregate, which every receiver takes; one by one if they are too
    /// large for it.
    static func writeSets(
        _ sets: [[UInt8]], _ codec: NALCodec, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let count = sets.reduce(codec.headerCount) { $0 + 2 + $1.count }
        guard sets.count > 1, count <= maximum else {
            for set in sets where set.count > codec.headerCount {
                set.count <= maximum
                    ? out.append(set.raw, meta)
                    : fragment(set.raw, codec, meta, maximum, into: &out)
            }
            return
        }
        out.begin()
        switch codec {
        case .h264: out.write(0x60 | codec.aggregateType)  // The highest NRI of those inside.
        case .h265:
            out.write(codec.aggregateType << 1)
            out.write(1)  // Layer 0, temporal id 0 plus 1.
        }
        for set in sets {
            out.write(UInt8(truncatingIfNeeded: set.count >> 8))
            out.write(UInt8(truncatingIfNeeded: set.count))
            out.write(set.raw)
        }
        out.end(meta)
    }
}

// MARK: - Taking packets apart

extension NALPayload {
    /// Units of all kinds, each behind its length: what belongs into a frame is decided when all of
    /// it is here.
    static func depacketize(
        _ packet: RawSpan, _ codec: NALCodec, to draft: inout FrameDraft
    ) throws(ParseError) {
        switch try NALPacket(packet, codec) {
        case .unit:
            draft.cancelUnit()
            try draft.appendUnit(packet)
        case .aggregate:
            draft.cancelUnit()
            var units = AggregateUnits(packet, codec)
            while let range = try units.next() {
                try draft.appendUnit(packet.extracting(range))
            }
        case .fragment: try takeFragment(packet, codec, to: &draft)
        }
    }

    /// S and E together are one whole unit: forbidden, and sent by OpenIPC.
    private static func takeFragment(
        _ packet: RawSpan, _ codec: NALCodec, to draft: inout FrameDraft
    ) throws(ParseError) {
        let header = codec.headerCount + 1
        guard packet.byteCount > header else {
            throw .truncated(at: packet.byteCount, needed: 1)
        }
        let bits = packet.byte(at: codec.headerCount)
        if bits & 0x80 != 0 {
            draft.beginUnit()
            let unit = FragmentHeader(fromFragment: packet, codec).unitHeader
            draft.append(unit.first)
            if let second = unit.second { draft.append(second) }
        } else if draft.openCount == 0 {
            throw .invalid("fragment without a start", value: UInt64(bits), at: 0)
        }
        try draft.append(packet.extracting(header..<packet.byteCount))
        if bits & 0x40 != 0 { draft.endUnit() }
    }
}

/// The units of an aggregate, each behind 16 bits of length (RFC 6184 §5.7.1, RFC 7798 §4.4.2).
/// Empty ones are passed over; a length past the end throws.
struct AggregateUnits: ~Escapable {
    private var reader: ByteReader
    private var isAtStart = true
    private let headerCount: Int

    @_lifetime(copy packet)
    init(_ packet: RawSpan, _ codec: NALCodec) {
        reader = ByteReader(packet)
        headerCount = codec.headerCount
    }

    @_lifetime(self: copy self)
    mutating func next() throws(ParseError) -> Range<Int>? {
        if isAtStart {
            try reader.skip(headerCount)
            isAtStart = false
        }
        while reader.remaining > 0 {
            let count = Int(try reader.read(UInt16.self))
            let start = reader.offset
            try reader.skip(count)
            if count > 0 { return start..<start + count }
        }
        return nil
    }
}
