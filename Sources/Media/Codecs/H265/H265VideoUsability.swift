import Wire

/// The video usability information of an H.265 sequence parameter set (§E.2.1), up to the frame
/// rate.
package struct H265VideoUsability: Equatable, Sendable {
    package var signal = VideoSignal()
    package var frameRate: FrameRate?

    init(_ bits: inout BitReader) throws(ParseError) {
        if try bits.flag(), try bits.read(8) == 255 { try bits.skip(32) }  // Aspect ratio.
        if try bits.flag() { try bits.skip(1) }  // Overscan.
        if try bits.flag() { signal = try VideoSignal(usability: &bits) }
        if try bits.flag() { try bits.skipGolomb(2) }  // Position of chroma samples.
        try bits.skip(3)  // neutral_chroma_indication, field_seq, frame_field_info_present
        if try bits.flag() { try bits.skipGolomb(4) }  // Default display window.
        guard try bits.flag() else { return }
        let unitsInTick = try bits.read(32)
        // Unlike in H.264 a tick is a picture.
        frameRate = FrameRate(try bits.read(32), over: unitsInTick)
    }
}
