import Wire

/// Whether a supplemental enhancement information unit holds a recovery point message: decoding may
/// begin here although no IDR follows (H.264 §D.1.8, H.265 §D.2.8). Encoders with intra refresh and
/// open GOPs have nothing else to offer.
package enum RecoveryPoint {
    private static let payloadType = 6
    /// A unit carries one to three messages; more are somebody's private data.
    private static let messagesMaximum = 16

    package static func isIn(_ unit: RawSpan, _ codec: NALCodec) -> Bool {
        guard unit.byteCount > codec.headerCount else { return false }
        var reader = ByteReader(unit.extracting(codec.headerCount..<unit.byteCount))
        for _ in 0..<messagesMaximum {
            // The last byte is the stop bit. Emulation prevention bytes inside earlier messages
            // would shift what follows: encoders put the recovery point first.
            guard reader.remaining > 1, let type = try? number(&reader),
                let count = try? number(&reader)
            else { return false }
            if type == payloadType { return true }
            guard (try? reader.skip(count)) != nil else { return false }
        }
        return false
    }

    /// Bytes of 255 and a last one below, added up.
    private static func number(_ reader: inout ByteReader) throws(ParseError) -> Int {
        var sum = 0
        while true {
            let byte = try reader.read(UInt8.self)
            sum += Int(byte)
            if byte < 255 { return sum }
        }
    }
}
