import Media
import Wire

/// The numbers of a VP8 picture that count up, as they stand in a payload descriptor (RFC 7741
/// §4.2). A decoder takes a jump in them for loss, so a viewer's go on over every seam.
struct VP8Picture: Equatable {
    var id: UInt16?
    var isLong = false
    var tl0: UInt8?

    init(_ payload: RawSpan, idOffset: UInt8, tl0Offset: UInt8) {
        let place = Int(idOffset)
        if place > 0, place < payload.byteCount {
            let first = payload.byte(at: place)
            isLong = first & 0x80 != 0
            if !isLong {
                id = UInt16(first & 0x7f)
            } else if place + 1 < payload.byteCount {
                id = UInt16(first & 0x7f) << 8 | UInt16(payload.byte(at: place + 1))
            }
        }
        if tl0Offset > 0, Int(tl0Offset) < payload.byteCount {
            tl0 = payload.byte(at: Int(tl0Offset))
        }
    }

    /// What to add to the ids of a source that goes on with `next` where `self` was sent last.
    func idDelta(to next: VP8Picture) -> UInt16 {
        guard let id, let other = next.id else { return 0 }
        return (id &+ 1 &- other) & 0x7fff
    }

    /// - Parameter isKey: A key frame is of the lowest layer and counts; what follows a frame that
    ///   was left out keeps its distance.
    func tl0Delta(to next: VP8Picture) -> UInt8 {
        guard let tl0, let other = next.tl0 else { return 0 }
        return tl0 &+ 1 &- other
    }

    /// Changes the numbers of a payload in place.
    @_lifetime(packet: copy packet)
    static func patch(
        _ packet: inout MutableRawSpan, at payload: Int, _ item: GatherItem, _ run: Run
    ) {
        let count = Int(item.length)
        let place = Int(item.pictureIDOffset)
        if place > 0, place < count, run.pictureIDDelta != 0 {
            let first = packet.bytes.byte(at: payload + place)
            if first & 0x80 == 0 {
                let id = (UInt16(first & 0x7f) &+ run.pictureIDDelta) & 0x7f
                packet.storeBytes(of: UInt8(id), toByteOffset: payload + place, as: UInt8.self)
            } else if place + 1 < count {
                let low = packet.bytes.byte(at: payload + place + 1)
                let id = (UInt16(first & 0x7f) << 8 | UInt16(low)) &+ run.pictureIDDelta
                packet.storeBytes(
                    of: (id | 0x8000).bigEndian, toByteOffset: payload + place, as: UInt16.self)
            }
        }
        let layer = Int(item.tl0Offset)
        if layer > 0, layer < count, run.tl0Delta != 0 {
            let tl0 = packet.bytes.byte(at: payload + layer) &+ run.tl0Delta
            packet.storeBytes(of: tl0, toByteOffset: payload + layer, as: UInt8.self)
        }
    }
}
