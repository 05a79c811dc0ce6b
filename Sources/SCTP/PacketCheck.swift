import Wire

/// Whether a packet may be shown to the library at all: its chunks fill it, and the parameters of
/// an INIT fill the INIT.
///
/// usrsctp 0.9.5 checks most of this itself. But for an INIT within a running association it walks
/// the parameters without looking whether a length is zero, and then it walks for ever: with it
/// would stand the thread that all associations share.
enum PacketCheck {
    /// Ports, verification tag, checksum.
    private static let header = 12
    /// Of INIT and INIT ACK, what precedes the parameters (RFC 9260 §3.3.2).
    private static let initFields = 16

    static func isSound(_ packet: RawSpan) -> Bool {
        do {
            try check(packet)
            return true
        } catch { return false }
    }

    private static func check(_ packet: RawSpan) throws(ParseError) {
        var reader = ByteReader(packet)
        try reader.skip(header)
        while reader.remaining > 0 {
            let type = try reader.read(UInt8.self)
            try reader.skip(1)
            let chunk = try body(&reader)
            guard type == 1 || type == 2 else { continue }
            var fields = ByteReader(chunk)
            try fields.skip(initFields)
            while fields.remaining > 0 {
                try fields.skip(2)
                _ = try body(&fields)
            }
        }
    }

    /// What follows the type of a chunk or a parameter: a length that counts all four bytes of the
    /// head, the body, and padding to four bytes, which the last one may lack.
    @_lifetime(copy reader)
    private static func body(_ reader: inout ByteReader) throws(ParseError) -> RawSpan {
        let length = Int(try reader.read(UInt16.self))
        guard length >= 4 else {
            throw .invalid("SCTP length", value: UInt64(length), at: reader.offset)
        }
        let bytes = try reader.read(count: length - 4)
        try reader.skip(min(reader.remaining, -length & 3))
        return bytes
    }
}
