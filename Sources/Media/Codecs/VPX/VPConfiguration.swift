package import Wire

/// VPCodecConfigurationRecord (VP codecs in ISO-BMFF §2.2) with version and flags before it: the
/// contents of the `vpcC` box, and what Enhanced RTMP sends.
package struct VPConfiguration: Equatable, Sendable {
    package var profile: UInt8
    package var level: UInt8
    package var bitDepth: Int
    /// 0: 4:2:0 vertical, 1: 4:2:0 with luma, 2: 4:2:2, 3: 4:4:4.
    package var chroma: UInt8
    package var signal = VideoSignal()

    package init(_ header: VP9FrameHeader) {
        profile = header.profile
        level = Self.level(width: header.width, height: header.height)
        bitDepth = header.bitDepth
        chroma = header.subsamplesHeight ? 1 : header.subsamplesWidth ? 2 : 3
        signal.isFullRange = header.isFullRange
        signal.matrixCoefficients =
            switch header.colourSpace {
            case 1: 6  // BT.601.
            case 2: 1  // BT.709.
            case 3: 6  // SMPTE 170.
            case 4: 7  // SMPTE 240.
            case 5: 9  // BT.2020.
            case 7: 0  // RGB.
            default: 2
            }
        if header.colourSpace == 2 {
            signal.colourPrimaries = 1
            signal.transferCharacteristics = 1
        }
    }

    package init(_ record: RawSpan) throws(ParseError) {
        var reader = ByteReader(record)
        let version = try reader.read(UInt8.self)
        guard version == 1 else {
            throw .invalid("vpcC version", value: UInt64(version), at: 0)
        }
        try reader.skip(3)
        profile = try reader.read(UInt8.self)
        level = try reader.read(UInt8.self)
        let depth = try reader.read(UInt8.self)
        bitDepth = Int(depth >> 4)
        chroma = depth >> 1 & 7
        signal.isFullRange = depth & 1 == 1
        signal.colourPrimaries = try reader.read(UInt8.self)
        signal.transferCharacteristics = try reader.read(UInt8.self)
        signal.matrixCoefficients = try reader.read(UInt8.self)
        guard profile <= 3, bitDepth == 8 || bitDepth == 10 || bitDepth == 12 else {
            throw .invalid("vpcC bit depth", value: UInt64(bitDepth), at: 6)
        }
    }

    package func write(into out: inout [UInt8]) {
        let depth = UInt8(bitDepth) << 4 | chroma << 1 | (signal.isFullRange ? 1 : 0)
        out.append(contentsOf: [1, 0, 0, 0, profile, level, depth])
        out.append(contentsOf: [
            signal.colourPrimaries, signal.transferCharacteristics, signal.matrixCoefficients,
        ])
        out.append(contentsOf: [0, 0])  // VP8 and VP9 have no initialisation data.
    }

    /// The lowest level whose picture is large enough (VP9 levels, table of limits): the frame rate
    /// would raise it by one step at most and no decoder refuses for that.
    static func level(width: Int, height: Int) -> UInt8 {
        let limits: [(samples: Int, level: UInt8)] = [
            (36_864, 10), (73_728, 11), (122_880, 20), (245_760, 21), (552_960, 30),
            (983_040, 31), (2_228_224, 40), (8_912_896, 50),
        ]
        return limits.first { width * height <= $0.samples }?.level ?? 60
    }
}
