package import Wire

/// The id of an H.265 video parameter set (§7.3.2.1) and its count of sub-layers.
package struct H265VideoParameterSet: Equatable, Sendable {
    package var id: Int
    package var subLayers: Int
    package var temporalIDNested: Bool

    package init(_ unit: RawSpan) throws(ParseError) {
        let payload = try RawBytePayload(unit.extracting(..<min(unit.byteCount, 16)), .h265)
        var bits = BitReader(payload.bytes.raw)
        id = try bits.bits(4)
        try bits.skip(8)
        subLayers = 1 + (try bits.bits(3))
        temporalIDNested = try bits.flag()
    }
}

/// What of an H.265 picture parameter set (§7.3.2.3) one needs to find a slice's type.
package struct H265PictureParameterSet: Equatable, Sendable {
    package var id: Int
    package var sequenceID: Int
    package var extraSliceHeaderBits: Int

    package init(_ unit: RawSpan) throws(ParseError) {
        let payload = try RawBytePayload(unit.extracting(..<min(unit.byteCount, 16)), .h265)
        var bits = BitReader(payload.bytes.raw)
        id = try bits.golomb("pps_pic_parameter_set_id", atMost: 63)
        sequenceID = try bits.golomb("pps_seq_parameter_set_id", atMost: 15)
        try bits.skip(2)  // dependent_slice_segments_enabled_flag, output_flag_present_flag
        extraSliceHeaderBits = try bits.bits(3)
    }
}
