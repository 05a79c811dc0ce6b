package import Media
package import Wire

/// The head of an item, or of a piece of one, on its way between two workers: all that is known of
/// the item but its bytes. In both directions the same.
package struct PieceHead: Equatable {
    /// Pieces of 60 KiB: a small part of the ring, and an ordinary key frame in one.
    package static let pieceMaximum = 60 << 10
    /// The largest item a history takes; a head that says more is out of step.
    package static let itemMaximum = 8 << 20

    package var meta: ItemMeta
    /// Bytes of the whole item; the piece here begins at `offset`.
    package var total: Int
    package var offset: Int

    package init(meta: ItemMeta, total: Int, offset: Int) {
        self.meta = meta
        self.total = total
        self.offset = offset
    }

    package init(_ reader: inout ByteReader) throws(ParseError) {
        let ticks = try reader.read(Int64.self)
        let arrival = Instant(nanoseconds: try reader.read(Int64.self))
        total = Int(try reader.read(UInt32.self))
        offset = Int(try reader.read(UInt32.self))
        let composition = try reader.read(Int32.self)
        let flags = ItemMeta.Flags(rawValue: try reader.read(UInt16.self))
        meta = ItemMeta(
            ticks: ticks, arrival: arrival, length: total, flags: flags,
            compositionOffset: composition)
        meta.temporal = try reader.read(UInt8.self)
        meta.spatial = try reader.read(UInt8.self)
        meta.vp8PictureIDOffset = try reader.read(UInt8.self)
        meta.vp8TL0PICIDXOffset = try reader.read(UInt8.self)
        meta.padding = try reader.read(UInt8.self)
        guard total <= Self.itemMaximum else {
            throw .tooMuch("item between workers", limit: Self.itemMaximum)
        }
        guard offset <= total else {
            throw .invalid("piece of an item", value: UInt64(offset), at: reader.offset)
        }
    }

    package func write(into out: inout [UInt8]) {
        out.append(bigEndian: meta.ticks)
        out.append(bigEndian: meta.arrival.nanoseconds)
        out.append(bigEndian: UInt32(truncatingIfNeeded: total))
        out.append(bigEndian: UInt32(truncatingIfNeeded: offset))
        out.append(bigEndian: meta.compositionOffset)
        out.append(bigEndian: meta.flags.rawValue)
        out.append(meta.temporal)
        out.append(meta.spatial)
        out.append(meta.vp8PictureIDOffset)
        out.append(meta.vp8TL0PICIDXOffset)
        out.append(meta.padding)
    }
}
