package import Wire

/// The header of a PES packet (ISO/IEC 13818-1 §2.4.3.6): transport and program streams have it.
package struct PESHeader: Equatable, Sendable {
    package var streamID: UInt8
    /// Of all behind the first six bytes; 0: until the next one begins.
    package var packetCount: Int
    /// At 90 kHz in 33 bits.
    package var presentation: UInt64?
    package var decoding: UInt64?
    /// Header and all: where the payload begins.
    package var headerCount: Int

    package init(_ bytes: RawSpan) throws(ParseError) {
        var reader = ByteReader(bytes)
        let prefix = try reader.readUInt24()
        guard prefix == 1 else { throw .invalid("PES start code", value: UInt64(prefix), at: 0) }
        streamID = try reader.read(UInt8.self)
        packetCount = Int(try reader.read(UInt16.self))
        headerCount = 6
        guard Self.hasHeader(streamID) else { return }
        let marks = try reader.read(UInt8.self)
        guard marks & 0xc0 == 0x80 else {
            throw .invalid("PES header", value: UInt64(marks), at: 6)
        }
        let flags = try reader.read(UInt8.self)
        let count = Int(try reader.read(UInt8.self))
        headerCount = 9 + count
        var fields = ByteReader(try reader.read(count: count))
        // Some writers announce times and have no room for them: then there are none.
        if flags & 0x80 != 0 { presentation = try? Self.time(&fields) }
        if flags & 0xc0 == 0xc0 { decoding = try? Self.time(&fields) }
    }

    /// §2.4.3.7, table 2-22: maps, padding and private_stream_2 begin with their data.
    private static func hasHeader(_ streamID: UInt8) -> Bool {
        switch streamID {
        case 0xbc, 0xbe, 0xbf, 0xf0, 0xf1, 0xf2, 0xf8, 0xff: false
        default: true
        }
    }

    /// The bits between are markers; writers get them wrong and mean no harm.
    private static func time(_ reader: inout ByteReader) throws(ParseError) -> UInt64 {
        let high = UInt64(try reader.read(UInt8.self) >> 1 & 7)
        let middle = UInt64(try reader.read(UInt16.self) >> 1)
        let low = UInt64(try reader.read(UInt16.self) >> 1)
        return high << 30 | middle << 15 | low
    }
}
