package import Media
package import Wire

/// The beginning of an AC-3 or E-AC-3 frame (ETSI TS 102 366 §4.3 and §E.1.2): enough to name it,
/// and to pass it on where it may go.
package struct AC3Header: Equatable, Sendable {
    package var isEnhanced: Bool
    package var sampleRate: Int
    package var channels: Int
    package var samples: Int
    package var frameCount: Int

    package init(_ frame: RawSpan) throws(ParseError) {
        var bits = BitReader(frame)
        let sync = try bits.read(16)
        guard sync == 0x0b77 else { throw .invalid("AC-3 sync", value: sync, at: 0) }
        guard bits.remaining >= 40 else { throw .truncated(at: 2, needed: 5) }
        // The version stands at the same place in both: bits 40 to 44.
        let version = frame.byte(at: 5) >> 3
        guard version <= 16 else { throw .invalid("AC-3 version", value: UInt64(version), at: 5) }
        isEnhanced = version > 10
        if isEnhanced {
            try bits.skip(5)  // Stream type and id.
            frameCount = 2 * (1 + (try bits.bits(11)))
            let rateIndex = try bits.bits(2)
            let second = try bits.bits(2)
            guard rateIndex < 3 || second < 3 else {
                throw .invalid("E-AC-3 rate", value: 3, at: 4)
            }
            // Index 3: half the rate, and always six blocks.
            sampleRate = [48_000, 44_100, 32_000][rateIndex < 3 ? rateIndex : second]
            if rateIndex == 3 { sampleRate /= 2 }
            samples = 256 * (rateIndex < 3 ? [1, 2, 3, 6][second] : 6)
            let mode = try bits.bits(3)
            channels = [2, 1, 2, 3, 3, 4, 4, 5][mode] + (try bits.bits(1))
        } else {
            try bits.skip(16)
            let rateIndex = try bits.bits(2)
            let sizeCode = try bits.bits(6)
            guard rateIndex < 3, sizeCode < 38 else {
                throw .invalid("AC-3 rate", value: UInt64(rateIndex), at: 4)
            }
            sampleRate = [48_000, 44_100, 32_000][rateIndex]
            samples = 1536
            frameCount = Self.frameCount(rateIndex: rateIndex, sizeCode)
            try bits.skip(8)
            let mode = try bits.bits(3)
            if mode & 1 == 1 && mode != 1 { try bits.skip(2) }
            if mode & 4 != 0 { try bits.skip(2) }
            if mode == 2 { try bits.skip(2) }
            channels = [2, 1, 2, 3, 3, 4, 4, 5][mode] + (try bits.bits(1))
        }
    }

    /// Table 4.13: 1,536 samples at the bit rate, in words; one more where 44.1 kHz needs it.
    private static func frameCount(rateIndex: Int, _ sizeCode: Int) -> Int {
        let kilobits = [
            32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640,
        ][sizeCode / 2]
        switch rateIndex {
        case 0: return kilobits * 4
        case 1: return 2 * (kilobits * 96_000 / 44_100 + (sizeCode & 1))
        default: return kilobits * 6
        }
    }
}

extension Format {
    package init(ac3 frame: RawSpan) throws(ParseError) {
        let header = try AC3Header(frame)
        self.init(
            codec: header.isEnhanced ? .eac3 : .ac3, clockRate: Int32(header.sampleRate))
        sampleRate = Int32(header.sampleRate)
        channels = Int32(header.channels)
    }
}
