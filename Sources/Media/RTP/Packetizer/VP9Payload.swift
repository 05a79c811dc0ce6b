import Media
import Wire

/// VP9 in RTP (RFC 9628): read in both modes, written in the non-flexible one.
enum VP9Payload {
    /// The payload descriptor (§4.2).
    struct Descriptor {
        var count: Int
        /// First and last packet of a layer's frame.
        var begins: Bool
        var ends: Bool
        var isPredicted: Bool
        var temporal: UInt8 = 0
        var spatial: UInt8 = 0
        var width: UInt16 = 0
        var height: UInt16 = 0

        var isKey: Bool { begins && !isPredicted && spatial == 0 }
        var startsPicture: Bool { begins && spatial == 0 }

        init(_ payload: RawSpan) throws(ParseError) {
            var reader = ByteReader(payload)
            let flags = try reader.read(UInt8.self)
            isPredicted = flags & 0x40 != 0
            begins = flags & 0x08 != 0
            ends = flags & 0x04 != 0
            let isFlexible = flags & 0x10 != 0
            if flags & 0x80 != 0, try reader.read(UInt8.self) & 0x80 != 0 { try reader.skip(1) }
            if flags & 0x20 != 0 {
                let layer = try reader.read(UInt8.self)
                (temporal, spatial) = (layer >> 5, layer >> 1 & 7)
                if !isFlexible { try reader.skip(1) }  // TL0PICIDX
            }
            if isFlexible && isPredicted { try Self.skipReferences(&reader) }
            count = 0
            if flags & 0x02 != 0 { try readStructure(&reader) }
            count = reader.offset
        }

        /// Up to three; the lowest bit says that another follows.
        private static func skipReferences(_ reader: inout ByteReader) throws(ParseError) {
            for index in 1...4 {
                guard index <= 3 else { throw .tooMuch("VP9 references", limit: 3) }
                if try reader.read(UInt8.self) & 1 == 0 { return }
            }
        }

        /// The scalability structure (§4.2.1): sizes of the layers, then a group of pictures.
        private mutating func readStructure(_ reader: inout ByteReader) throws(ParseError) {
            let first = try reader.read(UInt8.self)
            if first & 0x10 != 0 {
                for _ in 0...(first >> 5) {  // The last layer is the whole picture.
                    width = try reader.read(UInt16.self)
                    height = try reader.read(UInt16.self)
                }
            }
            guard first & 0x08 != 0 else { return }
            for _ in 0..<(try reader.read(UInt8.self)) {
                try reader.skip(Int(try reader.read(UInt8.self) >> 2 & 3))
            }
        }
    }

    /// Browsers drop frames without TL0PICIDX, and key frames without a structure: one layer, each
    /// picture predicted from the one before.
    static func packetize(
        _ frame: RawSpan, _ meta: ItemMeta, _ pictures: PictureCounter, _ format: Format,
        _ maximum: Int, into out: inout ItemBatch
    ) {
        let structureCount = 8
        let room = maximum - 5 - (meta.isKey ? structureCount : 0)
        let size = Packetizer.partSize(frame.byteCount, maximum: room)
        for offset in stride(from: 0, to: frame.byteCount, by: size) {
            let end = min(offset + size, frame.byteCount)
            let describes = meta.isKey && offset == 0
            var flags: UInt8 = 0xa0  // Picture id and layer indices are present.
            if !meta.isKey { flags |= 0x40 }
            if offset == 0 { flags |= 0x08 }
            if end == frame.byteCount { flags |= 0x04 }
            if describes { flags |= 0x02 }
            out.begin()
            out.write(flags)
            out.write(0x80 | UInt8(truncatingIfNeeded: pictures.picture >> 8))
            out.write(UInt8(truncatingIfNeeded: pictures.picture))
            out.write(0)  // Temporal and spatial layer 0.
            out.write(UInt8(truncatingIfNeeded: pictures.picture))  // TL0PICIDX: one layer.
            if describes { writeStructure(format, into: &out) }
            out.write(frame.extracting(offset..<end))
            out.end(meta)
        }
    }

    private static func writeStructure(_ format: Format, into out: inout ItemBatch) {
        out.write(0x18)  // One layer, with its size and a group of pictures.
        for side in [format.width, format.height] {
            out.write(UInt8(truncatingIfNeeded: side >> 8))
            out.write(UInt8(truncatingIfNeeded: side))
        }
        out.write(1)  // One picture in the group:
        out.write(0x04)  // temporal layer 0, one reference,
        out.write(1)  // to the picture before.
    }

    static func depacketize(
        _ payload: RawSpan, to draft: inout FrameDraft
    ) throws(ParseError) {
        let descriptor = try Descriptor(payload)
        if draft.isEmpty {
            guard descriptor.startsPicture else {
                throw .invalid("VP9 picture without a start", value: 0, at: 0)
            }
            if descriptor.isKey { draft.flags.insert(.key) }
            draft.temporal = descriptor.temporal
        }
        draft.spatial = max(draft.spatial, descriptor.spatial)
        if descriptor.width > 0 {
            (draft.width, draft.height) = (Int32(descriptor.width), Int32(descriptor.height))
        }
        try draft.append(payload.extracting(descriptor.count..<payload.byteCount))
    }
}
