package import Wire

/// The ids of an H.264 picture parameter set (§7.3.2.2): which it is, and which sequence it is for.
package struct H264PictureParameterSet: Equatable, Sendable {
    package var id: Int
    package var sequenceID: Int

    package init(_ unit: RawSpan) throws(ParseError) {
        let payload = try RawBytePayload(unit.extracting(..<min(unit.byteCount, 16)), .h264)
        var bits = BitReader(payload.bytes.raw)
        id = try bits.golomb("pic_parameter_set_id", atMost: 255)
        sequenceID = try bits.golomb("seq_parameter_set_id", atMost: 31)
    }
}
