import Wire

/// profile_tier_level of H.265 (§7.3.3): the twelve bytes that hvcC, the codecs string and RTP
/// repeat.
package struct H265ProfileTierLevel: Equatable, Sendable {
    package var space: UInt8 = 0
    package var isHighTier = false
    package var profile: UInt8
    package var compatibility: UInt32
    /// 48 bits: progressive, interlaced, non-packed, frame-only and the reserved ones.
    package var constraints: UInt64
    package var level: UInt8

    init(_ bits: inout BitReader, subLayers: Int) throws(ParseError) {
        space = UInt8(try bits.read(2))
        isHighTier = try bits.flag()
        profile = UInt8(try bits.read(5))
        compatibility = UInt32(try bits.read(32))
        constraints = try bits.read(48)
        level = UInt8(try bits.read(8))
        guard subLayers > 1 else { return }
        var skipped = 0
        for _ in 0..<subLayers - 1 {
            if try bits.flag() { skipped += 88 }
            if try bits.flag() { skipped += 8 }
        }
        try bits.skip(2 * (8 - (subLayers - 1)))  // Alignment: always eight pairs in all.
        try bits.skip(skipped)
    }

    /// As hvcC has it: 12 bytes.
    init(_ reader: inout ByteReader) throws(ParseError) {
        let first = try reader.read(UInt8.self)
        space = first >> 6
        isHighTier = first & 0x20 != 0
        profile = first & 31
        compatibility = try reader.read(UInt32.self)
        constraints = UInt64(try reader.read(UInt32.self)) << 16
        constraints |= UInt64(try reader.read(UInt16.self))
        level = try reader.read(UInt8.self)
    }

    func append(to out: inout [UInt8]) {
        out.append(space << 6 | (isHighTier ? 0x20 : 0) | profile)
        for shift: UInt32 in [24, 16, 8, 0] {
            out.append(UInt8(truncatingIfNeeded: compatibility >> shift))
        }
        for shift: UInt64 in [40, 32, 24, 16, 8, 0] {
            out.append(UInt8(truncatingIfNeeded: constraints >> shift))
        }
        out.append(level)
    }
}
