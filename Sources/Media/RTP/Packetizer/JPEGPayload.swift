import Media
import Wire

/// JPEG in RTP (RFC 2435), read only: the headers of the image are left out on the wire and are
/// made again from type, quality and size. Cameras and printers send it, nobody here does.
struct JPEGPayload: Sendable {
    /// Tables of a dynamic quality (128 to 254) come once and hold until others come.
    private var tables: [UInt8: [UInt8]] = [:]

    mutating func depacketize(
        _ payload: RawSpan, marker: Bool, to draft: inout FrameDraft
    ) throws(ParseError) {
        var reader = ByteReader(payload)
        try reader.skip(1)
        let offset = try reader.readUInt24()
        let type = try reader.read(UInt8.self)
        let quality = try reader.read(UInt8.self)
        let width = Int32(try reader.read(UInt8.self)) * 8
        let height = Int32(try reader.read(UInt8.self)) * 8
        guard type & 0x3f < 2, quality > 0 else {
            throw .invalid("JPEG type or quality", value: UInt64(type), at: 4)
        }
        let interval = type & 0x40 == 0 ? 0 : try reader.read(UInt16.self)
        if type & 0x40 != 0 { try reader.skip(2) }
        if offset == 0 {
            let quantisation = try quantisation(quality, &reader)
            draft.clear()
            draft.flags.insert(.key)
            (draft.width, draft.height) = (width, height)
            try draft.append(
                Self.header(
                    type: type & 0x3f, width, height, quantisation, restart: interval
                ).raw)
        } else if draft.isEmpty {
            throw .invalid("JPEG without a start", value: UInt64(offset), at: 1)
        }
        try draft.append(reader.rest)
        // The end of image may be left out on the wire (§3.1.9).
        if marker, !draft.bytes.suffix(2).elementsEqual([0xff, 0xd9]) {
            draft.append(0xff)
            draft.append(0xd9)
        }
    }

    /// §3.1.8 and §4.2: in the packet from 128 on, else computed; two tables of 64 bytes.
    private mutating func quantisation(
        _ quality: UInt8, _ reader: inout ByteReader
    ) throws(ParseError) -> [UInt8] {
        guard quality >= 128 else { return Self.scaled(quality) }
        try reader.skip(2)  // MBZ and precision: 8 bits is all that anybody sends.
        let count = Int(try reader.read(UInt16.self))
        let span = try reader.read(count: count)
        if count == 128 {
            let new = [UInt8](copying: span)
            if quality < 255 { tables[quality] = new }  // 255: holds for this image only.
            return new
        }
        guard count == 0, let known = tables[quality] else {
            throw .invalid("JPEG quantisation tables", value: UInt64(count), at: 8)
        }
        return known
    }

    /// RFC 2435 appendix A: the example tables of ITU-T T.81, scaled by the quality.
    private static func scaled(_ quality: UInt8) -> [UInt8] {
        let q = Int(min(max(quality, 1), 99))
        let factor = q < 50 ? 5000 / q : 200 - 2 * q
        return JPEGTables.quantisation.map { base in
            UInt8(min(max((Int(base) * factor + 50) / 100, 1), 255))
        }
    }

    private static func header(
        type: UInt8, _ width: Int32, _ height: Int32, _ quantisation: [UInt8], restart: UInt16
    ) -> [UInt8] {
        var out: [UInt8] = [0xff, 0xd8]
        for table in 0..<2 {
            out += [0xff, 0xdb, 0, 67, UInt8(table)]
            out += quantisation[table * 64..<table * 64 + 64]
        }
        if restart > 0 {
            out += [0xff, 0xdd, 0, 4, UInt8(restart >> 8), UInt8(truncatingIfNeeded: restart)]
        }
        // Baseline; the luminance is sampled twice as often across (type 0) and down (type 1).
        out += [0xff, 0xc0, 0, 17, 8]
        for side in [height, width] {
            out += [UInt8(truncatingIfNeeded: side >> 8), UInt8(truncatingIfNeeded: side)]
        }
        out += [3, 0, type == 0 ? 0x21 : 0x22, 0, 1, 0x11, 1, 2, 0x11, 1]
        for (index, table) in JPEGTables.huffman.enumerated() {
            let count = UInt16(2 + 1 + table.count)
            out += [0xff, 0xc4, UInt8(count >> 8), UInt8(truncatingIfNeeded: count)]
            out.append(JPEGTables.huffmanIDs[index])
            out += table
        }
        return out + [0xff, 0xda, 0, 12, 3, 0, 0, 1, 0x11, 2, 0x11, 0, 63, 0]
    }
}

/// The example tables of ITU-T T.81 annex K, which RFC 2435 relies upon.
enum JPEGTables {
    /// K.1 and K.2, in zigzag order.
    static let quantisation: [UInt8] = [
        16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40,
        26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51,
        56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87,
        95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99,
        17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
        99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    ]

    /// Class (0: DC, 1: AC) and number of each table below.
    static let huffmanIDs: [UInt8] = [0x00, 0x10, 0x01, 0x11]

    /// K.3 to K.6: sixteen counts by code length, then the values.
    static let huffman: [[UInt8]] = [
        [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0] + Array(0...11),
        [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d] + luminance,
        [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0] + Array(0...11),
        [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77] + chrominance,
    ]

    private static let luminance: [UInt8] = [
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61,
        0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52,
        0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25,
        0x26, 0x27, 0x28, 0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
        0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64,
        0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x83,
        0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
        0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
        0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3,
        0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8,
        0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ]

    private static let chrominance: [UInt8] = [
        0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61,
        0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33,
        0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1, 0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18,
        0x19, 0x1a, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
        0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x63,
        0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a,
        0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97,
        0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4,
        0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca,
        0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7,
        0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ]
}
