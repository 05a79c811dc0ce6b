package import Media
package import Wire

/// AAC in LATM (ISO/IEC 14496-3 §1.7): `MP4A-LATM` of RTP (RFC 6416) and LOAS of transport streams.
///
/// Only what is in use: one program, one layer, frames that carry their length. The configuration
/// is in the session description (cpresent=0) or repeated in the stream.
package struct LATM: Sendable {
    package private(set) var configuration: AACConfiguration?
    private var subframes = 1

    package init() {}

    /// - Parameter config: StreamMuxConfig, as `config=` of an SDP has it.
    package init(config: RawSpan) throws(ParseError) {
        var bits = BitReader(config)
        try readConfig(&bits)
    }

    /// One AudioMuxElement: an item for each access unit in it.
    /// - Parameter hasConfig: cpresent, the default of RFC 6416; always so in LOAS.
    package mutating func read(
        _ element: RawSpan, hasConfig: Bool, meta: ItemMeta, into out: inout ItemBatch
    ) throws(ParseError) {
        var bits = BitReader(element)
        if hasConfig, try !bits.flag() { try readConfig(&bits) }
        guard let configuration else { throw .invalid("LATM configuration", value: 0, at: 0) }
        var meta = meta
        for _ in 0..<subframes {
            let count = try Self.frameLength(&bits)
            out.begin()
            // Not on byte borders when a configuration stands before it.
            for _ in 0..<count { out.write(UInt8(try bits.read(8))) }
            out.end(meta)
            meta.ticks &+= Int64(configuration.samples)
        }
    }

    /// PayloadLengthInfo (§1.7.3): how many bytes of a frame follow, counted by bytes of 255.
    package static func frameLength(_ bits: inout BitReader) throws(ParseError) -> Int {
        var count = 0
        while true {
            let byte = try bits.bits(8)
            count += byte
            if byte < 255 { break }
        }
        guard count * 8 <= bits.remaining else {
            throw .truncated(at: bits.offset / 8, needed: count)
        }
        return count
    }

    /// Asynchronous framing of transport streams: 11 bits of sync, 13 of length (§1.7.2).
    package static func loasFrame(_ bytes: RawSpan) throws(ParseError) -> Range<Int> {
        var reader = ByteReader(bytes)
        let head = Int(try reader.readUInt24())
        guard head >> 13 == 0x2b7 else {
            throw .invalid("LOAS sync", value: UInt64(head >> 13), at: 0)
        }
        let count = head & 0x1fff
        try reader.skip(count)
        return 3..<3 + count
    }

    /// §1.7.3.2.3.
    private mutating func readConfig(_ bits: inout BitReader) throws(ParseError) {
        let isVersion1 = try bits.flag()
        if isVersion1 {
            guard try !bits.flag() else { throw .invalid("LATM version", value: 2, at: 0) }
            _ = try Self.readValue(&bits)  // taraBufferFullness
        }
        guard try bits.flag() else { throw .invalid("LATM framing", value: 0, at: 0) }
        subframes = 1 + (try bits.bits(6))
        guard try bits.read(4) == 0, try bits.read(3) == 0 else {
            throw .invalid("LATM programs", value: 1, at: 1)
        }
        if isVersion1 {
            let count = try Self.readValue(&bits)
            let start = bits.offset
            configuration = try AACConfiguration(&bits, mayHaveTail: false)
            try bits.skip(count - (bits.offset - start))
        } else {
            configuration = try AACConfiguration(&bits, mayHaveTail: false)
        }
        let lengthType = try bits.read(3)
        guard lengthType == 0 else {
            throw .invalid("LATM frame length type", value: lengthType, at: bits.offset / 8)
        }
        try bits.skip(8)
        try skipOtherData(&bits, isVersion1)
        if try bits.flag() { try bits.skip(8) }  // Checksum.
    }

    private mutating func skipOtherData(
        _ bits: inout BitReader, _ isVersion1: Bool
    ) throws(ParseError) {
        guard try bits.flag() else { return }
        if isVersion1 {
            _ = try Self.readValue(&bits)
            return
        }
        while try bits.flag() { try bits.skip(8) }
        try bits.skip(8)
    }

    /// LatmGetValue: one to four bytes.
    private static func readValue(_ bits: inout BitReader) throws(ParseError) -> Int {
        let count = 1 + (try bits.bits(2))
        return try bits.bits(8 * count)
    }
}
