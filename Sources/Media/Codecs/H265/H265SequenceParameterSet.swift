package import Wire

/// An H.265 sequence parameter set (§7.3.2.2), as far as a gateway asks: profile, size, colour,
/// frame rate, reordering.
package struct H265SequenceParameterSet: Equatable, Sendable {
    package var id: Int
    package var videoID: Int
    /// 1 to 7.
    package var subLayers: Int
    package var temporalIDNested: Bool
    package var profile: H265ProfileTierLevel
    package var chromaFormat: Int
    package var bitDepthLuma: Int
    package var bitDepthChroma: Int
    /// Shown, after the conformance window.
    package var width: Int
    package var height: Int
    /// Of the highest sub-layer.
    package var reorderPictures: Int
    /// `nil` also if what follows the size is broken: the size still holds.
    package var usability: H265VideoUsability?

    /// - Parameter unit: The NAL unit with its header, without start code.
    package init(_ unit: RawSpan) throws(ParseError) {
        let payload = try RawBytePayload(unit, .h265)
        var bits = BitReader(payload.bytes.raw)
        videoID = try bits.bits(4)
        subLayers = 1 + (try bits.bits(3))
        guard subLayers <= 7 else {
            throw .invalid("sps_max_sub_layers_minus1", value: 7, at: 0)
        }
        temporalIDNested = try bits.flag()
        profile = try H265ProfileTierLevel(&bits, subLayers: subLayers)
        id = try bits.golomb("sps_seq_parameter_set_id", atMost: 15)
        chromaFormat = try bits.golomb("chroma_format_idc", atMost: 3)
        let separatePlanes = chromaFormat == 3 ? try bits.flag() : false
        let limit = UInt64(PictureSize.range.upperBound)
        width = try bits.golomb("pic_width_in_luma_samples", atMost: limit)
        height = try bits.golomb("pic_height_in_luma_samples", atMost: limit)
        if try bits.flag() {
            let horizontal = !separatePlanes && (chromaFormat == 1 || chromaFormat == 2) ? 2 : 1
            let vertical = !separatePlanes && chromaFormat == 1 ? 2 : 1
            let left = try bits.golomb("conf_win_left_offset", atMost: limit)
            let right = try bits.golomb("conf_win_right_offset", atMost: limit)
            let top = try bits.golomb("conf_win_top_offset", atMost: limit)
            let bottom = try bits.golomb("conf_win_bottom_offset", atMost: limit)
            width -= (left + right) * horizontal
            height -= (top + bottom) * vertical
        }
        guard PictureSize.range.contains(width), PictureSize.range.contains(height) else {
            throw .tooMuch("picture size", limit: PictureSize.range.upperBound)
        }
        bitDepthLuma = 8 + (try bits.golomb("bit_depth_luma_minus8", atMost: 8))
        bitDepthChroma = 8 + (try bits.golomb("bit_depth_chroma_minus8", atMost: 8))
        let orderBits = 4 + (try bits.golomb("log2_max_pic_order_cnt_lsb_minus4", atMost: 12))
        reorderPictures = 0
        let listsAll = try bits.flag()
        for _ in 0..<(listsAll ? subLayers : 1) {
            _ = try bits.golomb("sps_max_dec_pic_buffering_minus1", atMost: 16)
            reorderPictures = try bits.golomb("sps_max_num_reorder_pics", atMost: 16)
            try bits.skipGolomb()  // sps_max_latency_increase_plus1
        }
        usability = try? Self.readUsability(&bits, orderBits: orderBits, subLayers)
    }

    /// The long way to the usability part: coding tools, scaling lists, reference picture sets.
    private static func readUsability(
        _ bits: inout BitReader, orderBits: Int, _ subLayers: Int
    ) throws(ParseError) -> H265VideoUsability? {
        try bits.skipGolomb(6)  // Block sizes and transform depths.
        if try bits.flag(), try bits.flag() { try skipScaling(&bits) }
        try bits.skip(2)  // amp_enabled_flag, sample_adaptive_offset_enabled_flag
        if try bits.flag() {
            try bits.skip(8)  // Sample depths of PCM blocks.
            try bits.skipGolomb(2)
            try bits.skip(1)
        }
        try H265ReferencePictureSets.skip(&bits)
        if try bits.flag() {
            let count = try bits.golomb("num_long_term_ref_pics_sps", atMost: 32)
            try bits.skip(count * (orderBits + 1))
        }
        try bits.skip(2)  // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
        return try bits.flag() ? try H265VideoUsability(&bits) : nil
    }

    /// §7.3.4.
    private static func skipScaling(_ bits: inout BitReader) throws(ParseError) {
        for size in 0..<4 {
            for _ in stride(from: 0, to: 6, by: size == 3 ? 3 : 1) {
                guard try bits.flag() else {
                    try bits.skipGolomb()  // scaling_list_pred_matrix_id_delta
                    continue
                }
                if size > 1 { try bits.skipGolomb() }  // scaling_list_dc_coef_minus8
                try bits.skipGolomb(min(64, 1 << (4 + size << 1)))
            }
        }
    }

    package var reordering: Reordering { reorderPictures > 0 ? .present : .none }
}
