import Wire

/// JPEG over RTP (RFC 2435), where its senders are not quite right.
enum RTSPJPEG {
    /// With eight bits a value.
    private static let tableSize = 64

    /// FFmpeg sends one quantization table where RFC 2435 §4.2 has two, one for brightness and one
    /// for colours (it says so itself: "suggests two quantization tables, 1 provided"), and as a
    /// player refuses such a packet ("Invalid qtable length 64"). The one table holds for both: it
    /// is sent twice.
    ///
    /// - Returns: False: the packet is right as it is, and nothing was written.
    static func doubleTable(_ payload: RawSpan, into out: inout [UInt8]) -> Bool {
        var reader = ByteReader(payload)
        do throws(ParseError) {
            // §3.1: type-specific and offset; only the first fragment of a picture has tables.
            guard try reader.read(UInt32.self) & 0xff_ffff == 0 else { return false }
            let type = try reader.read(UInt8.self)
            let quality = try reader.read(UInt8.self)
            guard type & 0x3f <= 1, quality >= 128 else { return false }
            try reader.skip(2)
            // §3.1.7: with restart markers.
            if type & 0x40 != 0 { try reader.skip(4) }
            // §3.1.8: must be zero, precision, length.
            guard try reader.read(UInt16.self) == 0 else { return false }
            let length = reader.offset
            guard Int(try reader.read(UInt16.self)) == tableSize else { return false }
            let end = reader.offset + tableSize
            guard end <= payload.byteCount else { return false }
            out.removeAll(keepingCapacity: true)
            out.append(copying: payload.extracting(0..<length))
            out.append(bigEndian: UInt16(2 * tableSize))
            out.append(copying: payload.extracting(reader.offset..<end))
            out.append(copying: payload.extracting(reader.offset..<payload.byteCount))
            return true
        } catch {
            return false
        }
    }
}
