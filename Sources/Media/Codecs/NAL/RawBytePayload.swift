package import Wire

/// The payload of a NAL unit without its emulation prevention bytes (H.264 §7.4.1, H.265 §7.3.1.1):
/// every `00 00 03` loses its 3.
///
/// Copies, so it is for parameter sets and supplemental information only, never for pictures.
package struct RawBytePayload: Sendable {
    /// A real parameter set has tens of bytes, one with scaling lists a few hundred.
    package static let countMaximum = 4096

    package private(set) var bytes: [UInt8] = []

    /// - Parameter unit: With its header, whose bytes are left out.
    package init(_ unit: RawSpan, _ codec: NALCodec) throws(ParseError) {
        guard unit.byteCount > codec.headerCount else {
            throw .truncated(at: unit.byteCount, needed: codec.headerCount + 1 - unit.byteCount)
        }
        guard unit.byteCount <= Self.countMaximum else {
            throw .tooMuch("parameter set bytes", limit: Self.countMaximum)
        }
        bytes.reserveCapacity(unit.byteCount)
        var zeros = 0
        for index in codec.headerCount..<unit.byteCount {
            let byte = unit.byte(at: index)
            if zeros >= 2 && byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            bytes.append(byte)
        }
    }
}
