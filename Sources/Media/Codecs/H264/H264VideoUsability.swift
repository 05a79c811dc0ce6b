import Wire

/// The video usability information of an H.264 sequence parameter set (§E.1.1).
package struct H264VideoUsability: Equatable, Sendable {
    package var signal = VideoSignal()
    package var frameRate: FrameRate?
    /// max_num_reorder_frames; `nil` without bitstream_restriction.
    package var reorderFrames: Int?

    init(_ bits: inout BitReader) throws(ParseError) {
        if try bits.flag(), try bits.read(8) == 255 { try bits.skip(32) }  // Aspect ratio.
        if try bits.flag() { try bits.skip(1) }  // Overscan.
        if try bits.flag() { signal = try VideoSignal(usability: &bits) }
        if try bits.flag() { try bits.skipGolomb(2) }  // Position of chroma samples.
        if try bits.flag() {
            let unitsInTick = try bits.read(32)
            let timeScale = try bits.read(32)
            try bits.skip(1)  // fixed_frame_rate_flag
            // A tick is a field: two of them make a frame (§E.2.1).
            frameRate = FrameRate(timeScale, over: unitsInTick * 2)
        }
        let hasNALTiming = try bits.flag()
        if hasNALTiming { try Self.skipHypotheticalDecoder(&bits) }
        let hasVCLTiming = try bits.flag()
        if hasVCLTiming { try Self.skipHypotheticalDecoder(&bits) }
        if hasNALTiming || hasVCLTiming { try bits.skip(1) }  // low_delay_hrd_flag
        try bits.skip(1)  // pic_struct_present_flag
        guard try bits.flag() else { return }
        try bits.skip(1)  // motion_vectors_over_pic_boundaries_flag
        try bits.skipGolomb(4)
        reorderFrames = try bits.golomb("max_num_reorder_frames", atMost: 16)
    }

    private static func skipHypotheticalDecoder(_ bits: inout BitReader) throws(ParseError) {
        let count = 1 + (try bits.golomb("cpb_cnt_minus1", atMost: 31))
        try bits.skip(8)
        for _ in 0..<count {
            try bits.skipGolomb(2)
            try bits.skip(1)
        }
        try bits.skip(20)
    }
}

extension VideoSignal {
    /// video_format, range and colour description: the same bits in H.264 and H.265.
    init(usability bits: inout BitReader) throws(ParseError) {
        self.init()
        try bits.skip(3)  // video_format
        isFullRange = try bits.flag()
        guard try bits.flag() else { return }
        colourPrimaries = UInt8(try bits.read(8))
        transferCharacteristics = UInt8(try bits.read(8))
        matrixCoefficients = UInt8(try bits.read(8))
    }
}
