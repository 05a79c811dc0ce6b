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
        var piece: PieceHead
    }

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
        return Item(
            feed: feed, slot: slot, layer: layer, sequence: sequence, piece: try PieceHead(&reader))
    }

    func write(into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        switch self {
        case .item(let item):
            out.append(1)
            out.append(bigEndian: item.feed)
            out.append(item.slot.kind.rawValue)
            out.append(item.slot.number)
            out.append(item.layer)
            out.append(bigEndian: item.sequence)
            item.piece.write(into: &out)
        case .effect(let feed, let number):
            out.append(2)
            out.append(bigEndian: feed)
            out.append(bigEndian: number)
        }
    }
}
