import Media
import Wire

/// VP8 in RTP (RFC 7741).
enum VP8Payload {
    /// The payload descriptor (§4.2), and what of it lies where.
    struct Descriptor {
        /// Its length; the frame's bytes follow.
        var count = 1
        var startsFrame: Bool
        var isDiscardable: Bool
        /// Where the picture id lies; 0: there is none. Readers who leave frames out patch it.
        var pictureIDOffset: UInt8 = 0
        var baseOffset: UInt8 = 0
        var temporal: UInt8 = 0

        init(_ payload: RawSpan) throws(ParseError) {
            var reader = ByteReader(payload)
            let first = try reader.read(UInt8.self)
            isDiscardable = first & 0x20 != 0
            startsFrame = first & 0x17 == 0x10  // S, and partition 0.
            guard first & 0x80 != 0 else { return }
            let fields = try reader.read(UInt8.self)
            if fields & 0x80 != 0 {
                pictureIDOffset = UInt8(reader.offset)
                if try reader.read(UInt8.self) & 0x80 != 0 { try reader.skip(1) }
            }
            if fields & 0x40 != 0 {
                baseOffset = UInt8(reader.offset)
                try reader.skip(1)
            }
            if fields & 0x30 != 0 {
                let layer = try reader.read(UInt8.self)
                if fields & 0x20 != 0 { temporal = layer >> 6 }
            }
            count = reader.offset
        }
    }

    /// The frame's first byte says whether it is a key frame (RFC 6386 §9.1: 0 is "yes").
    static func isKey(_ payload: RawSpan, _ descriptor: Descriptor) -> Bool {
        descriptor.startsFrame && payload.byteCount > descriptor.count
            && payload.byte(at: descriptor.count) & 1 == 0
    }

    /// A picture id of 15 bits, and no layers: the frames come from a source that has none.
    static func packetize(
        _ frame: RawSpan, _ meta: ItemMeta, _ pictures: PictureCounter, _ maximum: Int,
        into out: inout ItemBatch
    ) {
        let descriptorCount = 4
        let size = Packetizer.partSize(frame.byteCount, maximum: maximum - descriptorCount)
        var meta = meta
        meta.vp8PictureIDOffset = 2
        for offset in stride(from: 0, to: frame.byteCount, by: size) {
            out.begin()
            let unused: UInt8 = meta.flags.contains(.discardable) ? 0x20 : 0
            out.write(0x80 | unused | (offset == 0 ? 0x10 : 0))
            out.write(0x80)  // A picture id follows.
            out.write(0x80 | UInt8(truncatingIfNeeded: pictures.picture >> 8))
            out.write(UInt8(truncatingIfNeeded: pictures.picture))
            out.write(frame.extracting(offset..<min(offset + size, frame.byteCount)))
            out.end(meta)
        }
    }

    static func depacketize(
        _ payload: RawSpan, to draft: inout FrameDraft
    ) throws(ParseError) {
        let descriptor = try Descriptor(payload)
        if draft.isEmpty {
            guard descriptor.startsFrame else {
                throw .invalid("VP8 frame without a start", value: 0, at: 0)
            }
            draft.temporal = descriptor.temporal
            if descriptor.isDiscardable { draft.flags.insert(.discardable) }
            if isKey(payload, descriptor) {
                draft.flags.insert(.key)
                readSize(payload.extracting(descriptor.count..<payload.byteCount), &draft)
            }
        }
        try draft.append(payload.extracting(descriptor.count..<payload.byteCount))
    }

    /// RFC 6386 §9.1: a start code, then 14 bits each of width and height, little-endian.
    private static func readSize(_ frame: RawSpan, _ draft: inout FrameDraft) {
        guard frame.byteCount >= 10, frame.byte(at: 3) == 0x9d, frame.byte(at: 4) == 0x01,
            frame.byte(at: 5) == 0x2a
        else { return }
        draft.width = Int32(frame.byte(at: 6)) | Int32(frame.byte(at: 7) & 0x3f) << 8
        draft.height = Int32(frame.byte(at: 8)) | Int32(frame.byte(at: 9) & 0x3f) << 8
    }
}
