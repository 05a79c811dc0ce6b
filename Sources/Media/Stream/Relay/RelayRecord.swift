import Media
import Wire

/// What goes down from a stream's home to a worker with readers, as flat bytes for the ring between
/// them. A record names the relay it belongs to; items lie behind their head, in pieces if large.
///
/// Both ends are ours, yet the decoder checks every bound: a ring that is out of step must end in
/// a counted refusal, not in another stream's bytes.
enum RelayRecord {
    enum Kind: UInt8 {
        /// An encoding begins: its id, rid, first index and format.
        case encoding = 1
        /// The format of an encoding from its next item on.
        case format
        /// An item, or a piece of one.
        case item
        /// Indexes that will never come.
        case gone
        /// The publisher of an encoding has gone.
        case ended
        /// The home has given the rendition up: readers find another one, or none.
        case closed
    }

    struct Head: Equatable {
        var relay: UInt32
        var kind: Kind
        var id: EncodingID
    }

    struct Item {
        var index: Int64
        var piece: PieceHead

        init(index: Int64, meta: ItemMeta, total: Int, offset: Int) {
            self.index = index
            piece = PieceHead(meta: meta, total: total, offset: offset)
        }

        var meta: ItemMeta { piece.meta }
        var total: Int { piece.total }
        var offset: Int { piece.offset }
    }

    static let headSize = 10
}

// MARK: - Writing

extension RelayRecord {
    static func begin(_ head: Head, in out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        out.append(bigEndian: head.relay)
        out.append(head.kind.rawValue)
        out.append(bigEndian: head.id.epoch)
        out.append(head.id.layer)
    }

    static func append(_ item: Item, to out: inout [UInt8]) {
        out.append(bigEndian: item.index)
        item.piece.write(into: &out)
    }

    static func append(_ format: Format, to out: inout [UInt8]) {
        out.append(format.codec.rawValue)
        out.append(bigEndian: format.clockRate)
        out.append(bigEndian: format.generation)
        out.append(bigEndian: format.width)
        out.append(bigEndian: format.height)
        out.append(bigEndian: format.channels)
        out.append(bigEndian: format.sampleRate)
        out.append(bigEndian: format.profile)
        out.append(format.mayHaveBFrames ? 1 : 0)
        out.append(UInt8(truncatingIfNeeded: min(255, format.parameterSets.count)))
        for set in format.parameterSets.prefix(255) { append(bytes: set, to: &out) }
        append(bytes: format.configuration, to: &out)
    }

    static func append(bytes: [UInt8], to out: inout [UInt8]) {
        out.append(bigEndian: UInt32(truncatingIfNeeded: bytes.count))
        out.append(contentsOf: bytes)
    }
}

// MARK: - Reading

extension RelayRecord {
    static func head(_ reader: inout ByteReader) throws(ParseError) -> Head {
        let relay = try reader.read(UInt32.self)
        let raw = try reader.read(UInt8.self)
        guard let kind = Kind(rawValue: raw) else {
            throw .invalid("relay record", value: UInt64(raw), at: 4)
        }
        let epoch = try reader.read(Epoch.self)
        let layer = try reader.read(UInt8.self)
        return Head(relay: relay, kind: kind, id: EncodingID(epoch: epoch, layer: layer))
    }

    static func item(_ reader: inout ByteReader) throws(ParseError) -> Item {
        let index = try reader.read(Int64.self)
        let piece = try PieceHead(&reader)
        guard reader.remaining <= piece.total - piece.offset else {
            throw .invalid("relayed piece", value: UInt64(piece.offset), at: reader.offset)
        }
        return Item(index: index, meta: piece.meta, total: piece.total, offset: piece.offset)
    }

    static func format(_ reader: inout ByteReader) throws(ParseError) -> Format {
        let raw = try reader.read(UInt8.self)
        guard let codec = Codec(rawValue: raw) else {
            throw .invalid("codec", value: UInt64(raw), at: reader.offset)
        }
        let clockRate = try reader.read(Int32.self)
        guard clockRate > 0 else {
            throw .invalid("clock rate", value: 0, at: reader.offset)
        }
        var format = Format(codec: codec, clockRate: clockRate)
        format.generation = try reader.read(UInt16.self)
        format.width = try reader.read(Int32.self)
        format.height = try reader.read(Int32.self)
        format.channels = try reader.read(Int32.self)
        format.sampleRate = try reader.read(Int32.self)
        format.profile = try reader.read(UInt32.self)
        format.mayHaveBFrames = try reader.read(UInt8.self) != 0
        for _ in 0..<Int(try reader.read(UInt8.self)) {
            format.parameterSets.append(try bytes(&reader))
        }
        format.configuration = try bytes(&reader)
        return format
    }

    static func bytes(_ reader: inout ByteReader) throws(ParseError) -> [UInt8] {
        let count = Int(try reader.read(UInt32.self))
        return [UInt8](copying: try reader.read(count: count))
    }
}
