package import Wire

/// The first fields of a slice header: whether a picture begins here, and how it was predicted.
///
/// Reads the unit as it lies: within the fields and limits below no emulation prevention byte can
/// occur, because the first slice begins with a one bit and the rest has too few zeros in a row.
package struct SliceHeader: Equatable, Sendable {
    package enum Prediction: UInt8, Sendable { case intra, forward, bidirectional }

    package var startsPicture: Bool
    /// `nil`: not in this slice, or it needs parameter sets we were not given.
    package var prediction: Prediction?

    /// - Parameter extraBits: H.265 only: num_extra_slice_header_bits of the picture parameter set.
    package init(_ unit: RawSpan, _ codec: NALCodec, extraBits: Int = 0) throws(ParseError) {
        let headerCount = codec.headerCount
        guard unit.byteCount > headerCount else {
            throw .truncated(at: unit.byteCount, needed: 1)
        }
        // 64 bits hold all the fields we read; a slice has many more.
        let end = min(unit.byteCount, headerCount + 8)
        var bits = BitReader(unit.extracting(headerCount..<end))
        switch codec {
        case .h264: try self.init(h264: &bits)
        case .h265: try self.init(h265: &bits, type: unit.byte(at: 0) >> 1 & 63, extraBits)
        }
    }

    /// H.264 §7.3.3: first_mb_in_slice, slice_type.
    private init(h264 bits: inout BitReader) throws(ParseError) {
        // Level 6.2 has 139,264 macroblocks a picture.
        let firstMacroblock = try bits.golomb("first_mb_in_slice", atMost: 139_264)
        let type = try bits.golomb("slice_type", atMost: 9)
        startsPicture = firstMacroblock == 0
        prediction =
            switch type % 5 {
            case 1: .bidirectional
            case 0, 3: .forward
            default: .intra
            }
    }

    /// H.265 §7.3.6.1.
    private init(h265 bits: inout BitReader, type: UInt8, _ extraBits: Int) throws(ParseError) {
        startsPicture = try bits.flag()
        prediction = nil
        // Later slices have an address whose length only the sequence parameter set tells.
        guard startsPicture else { return }
        if (16...23).contains(type) { try bits.skip(1) }
        _ = try bits.golomb("slice_pic_parameter_set_id", atMost: 63)
        try bits.skip(extraBits)
        switch try bits.golomb("slice_type", atMost: 2) {
        case 0: prediction = .bidirectional
        case 1: prediction = .forward
        default: prediction = .intra
        }
    }
}
