import Codecs
import Media
import Wire

/// Finds out what one given packet is to its frame: start, end, key, layers. It changes nothing and
/// waits for nothing; packets may come late and again.
struct PacketClassifier: Sendable {
    /// What was found for a recent packet: neighbours of one frame tell each other.
    private struct Trace: Sendable {
        var index = Int64.min
        var ticks: Int64 = 0
        var flags: ItemMeta.Flags = []
    }

    /// As far as packets overtake each other: half a second of 500 packets a second.
    private static let depth: Int64 = 256
    /// Every packet of a frame has these, once one of them has.
    private static let shared: ItemMeta.Flags = [.key, .discardable, .bidirectional]

    private let codec: Codec
    private let nal: NALCodec?
    private var traces = [Trace](repeating: Trace(), count: Int(Self.depth))

    init(_ codec: Codec) {
        self.codec = codec
        nal = NALCodec(codec)
    }

    /// - Parameter meta: With time stamp, arrival and the marker as it came.
    /// - Returns: The same with what the packet is; unchanged but for the marker if it cannot be
    ///   read: whether it is worth forwarding is not for us to say.
    mutating func classify(_ payload: RawSpan, _ index: Int64, _ meta: ItemMeta) -> ItemMeta {
        var meta = meta
        guard codec.kind == .video else {
            meta.flags.formUnion(.soundFrame)
            return meta
        }
        var begins = false
        switch codec {
        case .h264, .h265: if let nal { begins = Self.readUnits(payload, nal, &meta) }
        case .vp8: begins = Self.readVP8(payload, &meta)
        case .vp9: begins = Self.readVP9(payload, &meta)
        case .av1: begins = Self.readAV1(payload, &meta)
        case .mjpeg: begins = Self.readJPEG(payload, &meta)
        default: break
        }
        join(index, &meta, begins: begins)
        if meta.flags.contains(.marker) { meta.flags.insert(.frameEnd) }
        traces[Int(index & (Self.depth - 1))] = Trace(
            index: index, ticks: meta.ticks, flags: meta.flags)
        return meta
    }

    /// What the packet before says of this one; without it, the packet's own word has to do.
    private func join(_ index: Int64, _ meta: inout ItemMeta, begins: Bool) {
        let before = traces[Int((index - 1) & (Self.depth - 1))]
        guard before.index == index - 1 else {
            if begins { meta.flags.insert(.frameStart) }
            return
        }
        if before.ticks != meta.ticks || before.flags.contains(.marker) {
            meta.flags.insert(.frameStart)
        } else {
            // A delimiter came first, or a message: who starts at the key frame starts here.
            if meta.isKey, !before.flags.contains(.key) { meta.flags.insert(.frameStart) }
            meta.flags.formUnion(before.flags.intersection(Self.shared))
        }
    }

    private static func readUnits(
        _ payload: RawSpan, _ codec: NALCodec, _ meta: inout ItemMeta
    ) -> Bool {
        guard let packet = try? NALPacket(payload, codec) else { return false }
        switch packet {
        case .unit(let unit):
            return note(unit, payload, codec, &meta)
        case .fragment:
            guard payload.byteCount > codec.headerCount + 1 else { return false }
            let header = FragmentHeader(fromFragment: payload, codec)
            guard let unit = header.unit else { return false }
            let isFirst = payload.byte(at: codec.headerCount) & 0x80 != 0
            // The fragment header lies where the unit's own would.
            let slice = payload.extracting(1..<payload.byteCount)
            let begins = note(unit, isFirst ? slice : slice.extracting(0..<0), codec, &meta)
            return begins && isFirst
        case .aggregate:
            var begins = false
            var units = AggregateUnits(payload, codec)
            while let range = (try? units.next()) ?? nil {
                let unit = payload.extracting(range)
                guard let header = NALUnit(unit, codec) else { continue }
                if note(header, unit, codec, &meta) { begins = true }
            }
            return begins
        }
    }

    /// - Returns: Whether an access unit may begin with this unit.
    private static func note(
        _ unit: NALUnit, _ bytes: RawSpan, _ codec: NALCodec, _ meta: inout ItemMeta
    ) -> Bool {
        switch unit.role {
        case .keySlice, .slice:
            if unit.role == .keySlice { meta.flags.insert(.key) }
            if !unit.isReference { meta.flags.insert(.discardable) }
            meta.temporal = max(meta.temporal, unit.temporal)
            if codec.isBidirectional(bytes) { meta.flags.insert(.bidirectional) }
            return codec.startsPicture(bytes)
        case .videoParameterSet, .sequenceParameterSet:
            // A sender shows these before a picture from which decoding can begin.
            meta.flags.insert(.key)
            return true
        case .pictureParameterSet, .information, .delimiter, .otherPrefix: return true
        case .suffixInformation, .filler, .end, .other: return false
        }
    }

    private static func readVP8(_ payload: RawSpan, _ meta: inout ItemMeta) -> Bool {
        guard let descriptor = try? VP8Payload.Descriptor(payload) else { return false }
        meta.vp8PictureIDOffset = descriptor.pictureIDOffset
        meta.vp8TL0PICIDXOffset = descriptor.baseOffset
        meta.temporal = descriptor.temporal
        if descriptor.isDiscardable { meta.flags.insert(.discardable) }
        if VP8Payload.isKey(payload, descriptor) { meta.flags.insert(.key) }
        return descriptor.startsFrame
    }

    private static func readVP9(_ payload: RawSpan, _ meta: inout ItemMeta) -> Bool {
        guard let descriptor = try? VP9Payload.Descriptor(payload) else { return false }
        meta.temporal = descriptor.temporal
        meta.spatial = descriptor.spatial
        if descriptor.isKey { meta.flags.insert(.key) }
        return descriptor.startsPicture
    }

    /// Every picture stands alone; its first packet has fragment offset 0 (RFC 2435 §3.1).
    private static func readJPEG(_ payload: RawSpan, _ meta: inout ItemMeta) -> Bool {
        meta.flags.insert(.key)
        guard payload.byteCount >= 4 else { return false }
        return (1...3).allSatisfy { payload.byte(at: $0) == 0 }
    }

    private static func readAV1(_ payload: RawSpan, _ meta: inout ItemMeta) -> Bool {
        guard payload.byteCount > 0 else { return false }
        let header = AV1Payload.Aggregation(payload.byte(at: 0))
        if header.startsSequence { meta.flags.insert(.key) }
        return !header.continues
    }
}

extension PacketClassifier {
    /// See `KeyPacket`.
    static func showsKey(_ payload: RawSpan, _ codec: Codec) -> Bool {
        var meta = ItemMeta(ticks: 0, arrival: .start, length: payload.byteCount, flags: [])
        switch codec {
        case .h264, .h265:
            if let nal = NALCodec(codec) { _ = readUnits(payload, nal, &meta) }
        case .vp8: _ = readVP8(payload, &meta)
        case .vp9: _ = readVP9(payload, &meta)
        case .av1: _ = readAV1(payload, &meta)
        default: return true
        }
        return meta.isKey
    }
}
