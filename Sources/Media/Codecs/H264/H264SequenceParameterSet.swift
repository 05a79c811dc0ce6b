package import Wire

/// An H.264 sequence parameter set (§7.3.2.1): what a stream is, as far as a gateway asks.
///
/// Not a decoder's view: scaling lists are walked and forgotten. Every number that a loop or a size
/// depends on is bounded by the standard's limit.
package struct H264SequenceParameterSet: Equatable, Sendable {
    package var profile: UInt8
    /// The byte of constraint_set flags, set 0 in the highest bit.
    package var constraints: UInt8
    package var level: UInt8
    package var id: Int
    package var chromaFormat = 1
    package var separatePlanes = false
    package var bitDepthLuma = 8
    package var bitDepthChroma = 8
    package var frameNumberBits: Int
    package var pictureOrderCountType: Int
    package var referenceFrames: Int
    package var framesOnly: Bool
    /// Shown, after cropping.
    package var width: Int
    package var height: Int
    /// `nil` also if it is there but broken: size and profile stand before it and still hold.
    package var usability: H264VideoUsability?

    /// - Parameter unit: The NAL unit with its header byte, without start code.
    package init(_ unit: RawSpan) throws(ParseError) {
        let payload = try RawBytePayload(unit, .h264)
        var bits = BitReader(payload.bytes.raw)
        profile = UInt8(try bits.read(8))
        constraints = UInt8(try bits.read(8))
        level = UInt8(try bits.read(8))
        id = try bits.golomb("seq_parameter_set_id", atMost: 31)
        if Self.hasChromaFormat(profile) {
            chromaFormat = try bits.golomb("chroma_format_idc", atMost: 3)
            if chromaFormat == 3 { separatePlanes = try bits.flag() }
            bitDepthLuma = 8 + (try bits.golomb("bit_depth_luma_minus8", atMost: 6))
            bitDepthChroma = 8 + (try bits.golomb("bit_depth_chroma_minus8", atMost: 6))
            try bits.skip(1)  // qpprime_y_zero_transform_bypass_flag
            if try bits.flag() { try Self.skipScaling(&bits, lists: chromaFormat == 3 ? 12 : 8) }
        }
        frameNumberBits = 4 + (try bits.golomb("log2_max_frame_num_minus4", atMost: 12))
        pictureOrderCountType = try Self.readPictureOrder(&bits)
        // The standard's bound is 16, but the figure is only a hint to us.
        referenceFrames = try bits.golomb("max_num_ref_frames", atMost: 255)
        try bits.skip(1)  // gaps_in_frame_num_value_allowed_flag
        let columns = 1 + (try bits.golomb("pic_width_in_mbs_minus1", atMost: 1023))
        let rows = 1 + (try bits.golomb("pic_height_in_map_units_minus1", atMost: 1023))
        framesOnly = try bits.flag()
        if !framesOnly { try bits.skip(1) }  // mb_adaptive_frame_field_flag
        try bits.skip(1)  // direct_8x8_inference_flag
        width = columns * 16
        height = rows * (framesOnly ? 16 : 32)
        if try bits.flag() { try crop(&bits) }
        guard PictureSize.range.contains(width), PictureSize.range.contains(height) else {
            throw .tooMuch("picture size", limit: PictureSize.range.upperBound)
        }
        if try bits.flag() { usability = try? H264VideoUsability(&bits) }
    }

    /// The profiles whose set carries chroma format and bit depth (§7.3.2.1.1).
    package static func hasChromaFormat(_ profile: UInt8) -> Bool {
        switch profile {
        case 100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135: true
        default: false
        }
    }

    private static func readPictureOrder(_ bits: inout BitReader) throws(ParseError) -> Int {
        let type = try bits.golomb("pic_order_cnt_type", atMost: 2)
        if type == 0 {
            _ = try bits.golomb("log2_max_pic_order_cnt_lsb_minus4", atMost: 12)
        } else if type == 1 {
            try bits.skip(1)  // delta_pic_order_always_zero_flag
            try bits.skipGolomb(2)  // offset_for_non_ref_pic, offset_for_top_to_bottom_field
            try bits.skipGolomb(
                try bits.golomb("num_ref_frames_in_pic_order_cnt_cycle", atMost: 255))
        }
        return type
    }

    /// §7.3.2.1.1.1: a list ends early with a scale of zero.
    private static func skipScaling(_ bits: inout BitReader, lists: Int) throws(ParseError) {
        for list in 0..<lists where try bits.flag() {
            var last: Int64 = 8
            for _ in 0..<(list < 6 ? 16 : 64) {
                let delta = try bits.signedGolomb()
                guard (-128...127).contains(delta) else {
                    throw .invalid(
                        "delta_scale", value: delta.magnitude, at: bits.offset / 8)
                }
                last = (last + delta + 256) % 256
                if last == 0 { break }
            }
        }
    }

    /// §7.4.2.1.1: the unit of cropping is a chroma sample, of a field where there are fields.
    private mutating func crop(_ bits: inout BitReader) throws(ParseError) {
        let limit = UInt64(PictureSize.range.upperBound)
        let left = try bits.golomb("frame_crop_left_offset", atMost: limit)
        let right = try bits.golomb("frame_crop_right_offset", atMost: limit)
        let top = try bits.golomb("frame_crop_top_offset", atMost: limit)
        let bottom = try bits.golomb("frame_crop_bottom_offset", atMost: limit)
        let subsamplesWidth = !separatePlanes && (chromaFormat == 1 || chromaFormat == 2)
        let subsamplesHeight = !separatePlanes && chromaFormat == 1
        width -= (left + right) * (subsamplesWidth ? 2 : 1)
        height -= (top + bottom) * (subsamplesHeight ? 2 : 1) * (framesOnly ? 1 : 2)
    }

    /// `profile-level-id` of RFC 6184 §8.1: profile, constraints and level as one number.
    package var profileLevelID: UInt32 {
        UInt32(profile) << 16 | UInt32(constraints) << 8 | UInt32(level)
    }

    /// From the set alone. Baseline has no B slices; order count type 2 says output order is
    /// decoding order (§8.2.1.3); else only the usability part tells.
    package var reordering: Reordering {
        if profile == 66 || pictureOrderCountType == 2 { return .none }
        guard let frames = usability?.reorderFrames else { return .unknown }
        return frames > 0 ? .present : .none
    }
}
