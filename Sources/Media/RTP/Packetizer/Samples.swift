import Media
import Wire

/// Audio of a constant number of bytes each tick: G.711 and G.722 (RFC 3551 §4.5).
enum Samples {
    /// A frame too large for a packet (some cameras send 100 ms at once) is cut between samples;
    /// each packet has its own time.
    static func packetize(
        _ frame: RawSpan, _ meta: ItemMeta, bytesPerTick: Int, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let ticks = frame.byteCount / bytesPerTick
        let size = Packetizer.partSize(ticks, maximum: maximum / bytesPerTick) * bytesPerTick
        for offset in stride(from: 0, to: frame.byteCount, by: size) {
            var meta = meta
            meta.ticks &+= Int64(offset / bytesPerTick)
            if offset > 0 { meta.flags.remove(.discontinuity) }
            out.append(frame.extracting(offset..<min(offset + size, frame.byteCount)), meta)
        }
    }
}

/// MPEG audio layers I to III in RTP (RFC 2250 §3.5): four bytes before the frames, of which the
/// last two say where in a frame the payload begins. Read only.
enum MPEGAudio {
    static func depacketize(
        _ payload: RawSpan, to draft: inout FrameDraft
    ) throws(ParseError) {
        var reader = ByteReader(payload)
        try reader.skip(2)
        let offset = Int(try reader.read(UInt16.self))
        guard offset == 0 else { return try takeRest(reader.rest, at: offset, to: &draft) }
        var ticks: Int64 = 0
        draft.cancelUnit()
        while reader.remaining > 0 {
            let header = try FrameHeader(reader.rest)
            guard header.count <= reader.remaining else {
                draft.beginPlainUnit()
                return try draft.append(reader.rest)
            }
            try draft.append(try reader.read(count: header.count))
            draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: ticks))
            ticks += header.ticks
        }
    }

    /// A frame larger than a packet: its rest comes with the offset at which it belongs.
    private static func takeRest(
        _ part: RawSpan, at offset: Int, to draft: inout FrameDraft
    ) throws(ParseError) {
        let start = draft.bytes.count - draft.openCount
        guard draft.openCount == offset else {
            throw .invalid("MPEG audio fragment offset", value: UInt64(offset), at: 2)
        }
        try draft.append(part)
        let header = try FrameHeader(draft.bytes.raw.extracting(start..<draft.bytes.count))
        guard draft.openCount >= header.count else { return }
        draft.endPlainUnit()
        draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: 0))
    }

    /// Length and duration of a frame (ISO 11172-3 §2.4.1.3, ISO 13818-3).
    struct FrameHeader {
        var count: Int
        /// At 90 kHz, the clock of payload type 14.
        var ticks: Int64

        private static let rates = [44_100, 48_000, 32_000]
        /// kbit/s by [MPEG-1 layers I, II, III; MPEG-2 layer I; MPEG-2 layers II and III].
        private static let bitRates: [[Int]] = [
            [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
            [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
            [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
            [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
            [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
        ]

        init(_ frame: RawSpan) throws(ParseError) {
            var reader = ByteReader(frame)
            let word = try reader.read(UInt32.self)
            let version = Int(word >> 19 & 3)  // 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5.
            let layer = 4 - Int(word >> 17 & 3)
            let bitRate = Int(word >> 12 & 15)
            let rate = Int(word >> 10 & 3)
            guard word >> 21 == 0x7ff, version != 1, layer < 4, (1...14).contains(bitRate),
                rate < 3
            else { throw .invalid("MPEG audio header", value: UInt64(word), at: 0) }
            let isFirst = version == 3
            let row = isFirst ? layer - 1 : layer == 1 ? 3 : 4
            let bitsPerSecond = Self.bitRates[row][bitRate - 1] * 1000
            let hertz = Self.rates[rate] >> (isFirst ? 0 : version == 2 ? 1 : 2)
            let padding = Int(word >> 9 & 1)
            let samples = layer == 1 ? 384 : layer == 3 && !isFirst ? 576 : 1152
            count =
                layer == 1
                ? (12 * bitsPerSecond / hertz + padding) * 4
                : samples / 8 * bitsPerSecond / hertz + padding
            ticks = Int64(samples) * 90_000 / Int64(hertz)
        }
    }
}
