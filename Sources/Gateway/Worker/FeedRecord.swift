import Media
import Stream
import Wire

/// What goes from a worker with a publisher to the home of its stream, through the ring between
/// them: items, whole or in pieces, and marks that say where an effect belongs among them.
///
/// Effects that are not media travel by letter; the mark in the ring keeps their place.
enum FeedRecord: Equatable {
    case item(Item)
    case effect(feed: UInt32, number: UInt32)

    struct Item: Equatable {
        var feed: UInt32
        var slot: SlotName
        var layer: UInt8
        var sequence: Int64
        var meta: ItemMeta
        /// Bytes of the whole item; the piece that follows the head begins at `offset`.
        var total: Int
        var offset: Int
    }

    /// Large enough for an ordinary key frame in one piece, small beside the ring.
    static let pieceMaximum = 60 * 1024
    /// What a session may hand on as one item (the bound of every frame assembly).
    static let itemMaximum = 8 * 1024 * 1024

    var feed: UInt32 {
        switch self {
        case .item(let item): item.feed
        case .effect(let feed, _): feed
        }
    }

    /// - Returns: The record, and where in the span the bytes of its piece begin.
    static func read(_ record: RawSpan) throws(ParseError) -> (FeedRecord, bytes: Int) {
        var reader = ByteReader(record)
        let kind = try reader.read(UInt8.self)
        let feed = try reader.read(UInt32.self)
        switch kind {
        case 1:
            let item = try readItem(feed, &reader)
            return (.item(item), reader.offset)
        case 2: return (.effect(feed: feed, number: try reader.read(UInt32.self)), reader.offset)
        default: throw .invalid("feed record", value: UInt64(kind), at: 0)
        }
    }

    private static func readItem(
        _ feed: UInt32, _ reader: inout ByteReader
    ) throws(ParseError) -> Item {
        let kindNumber = try reader.read(UInt8.self)
        guard let kind = Codec.Kind(rawValue: kindNumber) else {
            throw .invalid("slot kind", value: UInt64(kindNumber), at: reader.offset)
        }
        let slot = SlotName(kind, try reader.read(UInt8.self))
        let layer = try reader.read(UInt8.self)
        let sequence = try reader.read(Int64.self)
        let total = Int(try reader.read(UInt32.self))
        let offset = Int(try reader.read(UInt32.self))
        guard total <= itemMaximum, offset <= total else {
            throw .tooMuch("item of a feed", limit: itemMaximum)
        }
        let ticks = try reader.read(Int64.self)
        let arrival = Instant(nanoseconds: try reader.read(Int64.self))
        let composition = try reader.read(Int32.self)
        let flags = ItemMeta.Flags(rawValue: try reader.read(UInt16.self))
        let meta = ItemMeta(
            ticks: ticks, arrival: arrival, length: total, flags: flags,
            compositionOffset: composition)
        return Item(
            feed: feed, slot: slot, layer: layer, sequence: sequence, meta: meta, total: total,
            offset: offset)
    }

    func write(into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        switch self {
        case .item(let item):
            out.append(1)
            Self.put(item.feed, &out)
            out.append(item.slot.kind.rawValue)
            out.append(item.slot.number)
            out.append(item.layer)
            Self.put(item.sequence, &out)
            Self.put(UInt32(truncatingIfNeeded: item.total), &out)
            Self.put(UInt32(truncatingIfNeeded: item.offset), &out)
            Self.put(item.meta.ticks, &out)
            Self.put(item.meta.arrival.nanoseconds, &out)
            Self.put(item.meta.compositionOffset, &out)
            Self.put(item.meta.flags.rawValue, &out)
        case .effect(let feed, let number):
            out.append(2)
            Self.put(feed, &out)
            Self.put(number, &out)
        }
    }

    private static func put<T: FixedWidthInteger>(_ value: T, _ out: inout [UInt8]) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            out.append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}
