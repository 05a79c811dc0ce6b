import Media
import Wire

/// NAL units in RTP payloads: RFC 6184 §5.6-5.8 (packetization-mode 1) and RFC 7798 §4.4.
enum NALPayload {
    /// - Parameter frame: Units behind their lengths. One that reaches outside ends the frame: what
    ///   was before it is sent.
    static func packetize(
        _ frame: RawSpan, sets: [[UInt8]], _ scheme: NALScheme, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        if !sets.isEmpty { writeSets(sets, scheme, meta, maximum, into: &out) }
        var reader = ByteReader(frame)
        while reader.remaining > 4 {
            do throws(ParseError) {
                let count = Int(try reader.read(UInt32.self))
                write(try reader.read(count: count), scheme, meta, maximum, into: &out)
            } catch { return }
        }
    }

    /// Delimiters, filler and in-band sets have no place in the packet normal form.
    private static func write(
        _ unit: RawSpan, _ scheme: NALScheme, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        switch scheme.role(of: unit) {
        case .slice, .other:
            var meta = meta
            if case .slice = scheme.role(of: unit), scheme.isDiscardable(unit) {
                meta.flags.insert(.discardable)
            }
            meta.temporal = scheme.temporal(of: unit)
            if unit.byteCount <= maximum {
                out.append(unit, meta)
            } else {
                fragment(unit, scheme, meta, maximum, into: &out)
            }
        case .parameterSet, .delimiter, .filler, .aggregate, .fragment, .unknown: return
        }
    }

    /// Cuts a unit into equal fragments. Its own header is not sent: the fragments' headers have
    /// all of it.
    static func fragment(
        _ unit: RawSpan, _ scheme: NALScheme, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let body = unit.extracting(scheme.headerCount..<unit.byteCount)
        let header = FragmentHeader(of: unit, scheme)
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

    /// All parameter sets in one aggregate, which every receiver takes; one by one if they are too
    /// large for it.
    static func writeSets(
        _ sets: [[UInt8]], _ scheme: NALScheme, _ meta: ItemMeta, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let count = sets.reduce(scheme.headerCount) { $0 + 2 + $1.count }
        guard sets.count > 1, count <= maximum else {
            for set in sets where set.count > scheme.headerCount {
                set.count <= maximum
                    ? out.append(set.raw, meta)
                    : fragment(set.raw, scheme, meta, maximum, into: &out)
            }
            return
        }
        out.begin()
        switch scheme {
        case .h264: out.write(0x60 | H264Payload.aggregateType)  // The highest NRI of those inside.
        case .h265:
            out.write(H265Payload.aggregateType << 1)
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

/// What the fragments of one unit begin with: FU indicator and FU header (RFC 6184 §5.8), payload
/// header and FU header (RFC 7798 §4.4.3).
struct FragmentHeader: Sendable {
    private let scheme: NALScheme
    private let first: UInt8
    private let second: UInt8
    /// Of the unit that is cut.
    let type: UInt8

    /// - Parameter unit: A whole unit.
    init(of unit: RawSpan, _ scheme: NALScheme) {
        self.scheme = scheme
        type = scheme.type(of: unit)
        switch scheme {
        case .h264: (first, second) = (unit.byte(at: 0) & 0xe0 | H264Payload.fragmentType, 0)
        case .h265:
            first = unit.byte(at: 0) & 0x81 | H265Payload.fragmentType << 1
            second = unit.byte(at: 1)
        }
    }

    /// - Parameter packet: A fragment, at least `count` long.
    init(fromFragment packet: RawSpan, _ scheme: NALScheme) {
        self.scheme = scheme
        first = packet.byte(at: 0)
        second = scheme == .h264 ? 0 : packet.byte(at: 1)
        type = packet.byte(at: scheme.headerCount) & (scheme == .h264 ? 0x1f : 0x3f)
    }

    var count: Int { scheme.headerCount + 1 }

    func write(start: Bool, end: Bool, into out: inout ItemBatch) {
        out.write(first)
        if scheme == .h265 { out.write(second) }
        out.write((start ? 0x80 : 0) | (end ? 0x40 : 0) | type)
    }

    /// The header of the unit that was cut: one byte, or two.
    var unit: (UInt8, UInt8?) {
        switch scheme {
        case .h264: (first & 0xe0 | type, nil)
        case .h265: (first & 0x81 | type << 1, second)
        }
    }
}

// MARK: - Taking packets apart

extension NALPayload {
    static func depacketize(
        _ packet: RawSpan, _ scheme: NALScheme, to draft: inout FrameDraft
    ) throws(ParseError) {
        switch scheme.role(of: packet) {
        case .aggregate: try forEachUnit(in: packet, scheme, &draft, take)
        case .fragment: try takeFragment(packet, scheme, to: &draft)
        case .unknown:
            throw .invalid("NAL packet type", value: UInt64(packet.byte(at: 0)), at: 0)
        case .slice, .parameterSet, .delimiter, .filler, .other:
            try take(packet, scheme, to: &draft)
        }
    }

    /// Each unit of an aggregate, behind 16 bits of length (RFC 6184 §5.7.1, RFC 7798 §4.4.2).
    /// An empty one is passed over; one that reaches outside makes the rest unreadable.
    static func forEachUnit<State>(
        in packet: RawSpan, _ scheme: NALScheme, _ state: inout State,
        _ body: (RawSpan, NALScheme, inout State) throws(ParseError) -> Void
    ) throws(ParseError) {
        var reader = ByteReader(packet)
        try reader.skip(scheme.headerCount)
        while reader.remaining > 0 {
            let unit = try reader.read(count: Int(try reader.read(UInt16.self)))
            if unit.byteCount > 0 { try body(unit, scheme, &state) }
        }
    }

    /// Some cameras leave start codes in: before a unit, or between units of one packet.
    private static func take(
        _ packet: RawSpan, _ scheme: NALScheme, to draft: inout FrameDraft
    ) throws(ParseError) {
        draft.cancelUnit()
        switch scheme.role(of: packet) {
        case .slice(let key):
            if key { draft.flags.insert(.key) }
            if scheme.isDiscardable(packet) { draft.flags.insert(.discardable) }
            draft.temporal = scheme.temporal(of: packet)
            try draft.appendUnit(packet)
        case .other: try draft.appendUnit(packet)
        case .parameterSet: draft.appendSet(packet)
        case .delimiter, .filler: return
        case .aggregate, .fragment, .unknown:
            throw .invalid("NAL unit type", value: UInt64(packet.byte(at: 0)), at: 0)
        }
    }

    /// S and E together are one whole unit: forbidden, and sent by OpenIPC.
    private static func takeFragment(
        _ packet: RawSpan, _ scheme: NALScheme, to draft: inout FrameDraft
    ) throws(ParseError) {
        let header = scheme.headerCount + 1
        guard packet.byteCount > header else {
            throw .truncated(at: packet.byteCount, needed: header + 1 - packet.byteCount)
        }
        let bits = packet.byte(at: scheme.headerCount)
        let fragment = FragmentHeader(fromFragment: packet, scheme)
        if bits & 0x80 != 0 {
            draft.beginUnit()
            let (first, second) = fragment.unit
            draft.append(first)
            if let second { draft.append(second) }
        } else if draft.open == nil {
            throw .invalid("fragment without a start", value: UInt64(bits), at: 0)
        }
        try draft.append(packet.extracting(header..<packet.byteCount))
        if bits & 0x40 != 0 {
            endFragment(of: scheme.role(of: fragment.type), packet, scheme, &draft)
        }
    }

    private static func endFragment(
        of role: NALRole, _ packet: RawSpan, _ scheme: NALScheme, _ draft: inout FrameDraft
    ) {
        switch role {
        case .slice(let key):
            if key { draft.flags.insert(.key) }
            if case .h264 = scheme, scheme.isDiscardable(packet) {
                draft.flags.insert(.discardable)
            }
            draft.temporal = scheme.temporal(of: packet)
            draft.endUnit()
        case .other: draft.endUnit()
        case .parameterSet: draft.moveUnitToSets()
        case .delimiter, .filler, .aggregate, .fragment, .unknown: draft.dropUnit()
        }
    }
}
