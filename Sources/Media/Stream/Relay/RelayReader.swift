import Media
package import Wire

/// The far end of a relay: fills a rendition of this worker from the ring, with the same indexes as
/// at home, so that NACKs and joins are answered here.
///
/// Its histories are ordinary ones; readers do not see a difference.
package struct RelayReader {
    /// The ring is in order: a hole is the publisher's, or the relay has jumped. A repair needs a
    /// moment to come by itself.
    static let holePatience = Interval.milliseconds(5)
    /// More holes at once are an outage: the next key frame repairs that.
    private static let holeMaximum = 64
    private static let encodingMaximum = 2 * StreamRules.layerMaximum

    package struct Figures: Equatable, Sendable {
        package var items: UInt64 = 0
        package var holes: UInt64 = 0
        package var refused: UInt64 = 0
    }

    private struct Hole {
        var id: EncodingID
        var from: Int64
        var to: Int64
        var askAt: Instant
        var wasAsked = false
    }

    private struct Partial {
        var id: EncodingID
        var item: RelayRecord.Item
    }

    package let relay: UInt32
    package let rendition: Rendition
    private let memory: MediaMemory
    private var holes: [Hole] = []
    private var partial: Partial?
    private var demand: DemandTold
    private var pieces: [UInt8] = []
    package private(set) var isClosed = false
    package private(set) var figures = Figures()

    package init(relay: UInt32, of key: RenditionKey, memory: MediaMemory, at now: Instant) {
        demand = DemandTold(at: now)
        self.relay = relay
        rendition = Rendition(key)
        self.memory = memory
    }

    /// The relay that a record is for; the worker finds the reader by it.
    package static func relay(of record: RawSpan) throws(ParseError) -> UInt32 {
        var reader = ByteReader(record)
        return try RelayRecord.head(&reader).relay
    }

    /// A record from the ring.
    package mutating func receive(_ record: RawSpan, at now: Instant) throws(ParseError) {
        var reader = ByteReader(record)
        let head = try RelayRecord.head(&reader)
        switch head.kind {
        case .encoding: try begin(head.id, &reader)
        case .format:
            let format = try RelayRecord.format(&reader)
            rendition.encoding(head.id)?.adopt(format)
        case .item:
            let item = try RelayRecord.item(&reader)
            take(item, reader.rest, of: head.id, at: now)
        case .gone:
            let from = try reader.read(Int64.self)
            let to = try reader.read(Int64.self)
            closeHoles(of: head.id, from: from, to: to)
        case .ended: rendition.encoding(head.id)?.end()
        case .closed:
            rendition.replaceEncodings([], isGiven: false)
            isClosed = true
        }
    }

    /// A reader here needs a key frame.
    ///
    /// - Returns: What to ask the home; nil if it has been asked lately.
    package func requestKey(_ id: EncodingID, at now: Instant) -> RelayUp? {
        guard let encoding = rendition.encoding(id), encoding.wantKey(at: now) else { return nil }
        return .key(relay: relay, id)
    }

    /// What readers here use at most, to be told at home; nil: it has been told, or just now.
    mutating func takeDemand(at now: Instant) -> RelayUp? {
        guard !isClosed, let change = demand.change(to: rendition.demand(without: 0), at: now)
        else { return nil }
        return .demand(relay: relay, bits: change.bits, highestLayer: change.highestLayer)
    }

    package var deadline: Instant {
        isClosed
            ? .distantFuture
            : min(holeDeadline, demand.deadline(for: rendition.demand(without: 0)))
    }

    private var holeDeadline: Instant {
        holes.lazy.filter { !$0.wasAsked }.map(\.askAt).min() ?? .distantFuture
    }

    /// A hole that is old enough to be asked for, once; call until nil.
    package mutating func expire(at now: Instant) -> RelayUp? {
        guard let index = holes.firstIndex(where: { !$0.wasAsked && $0.askAt <= now }) else {
            return nil
        }
        holes[index].wasAsked = true
        let hole = holes[index]
        return .refill(relay: relay, hole.id, from: hole.from, to: hole.to)
    }

    // MARK: Records

    private mutating func begin(_ id: EncodingID, _ reader: inout ByteReader) throws(ParseError) {
        let first = try reader.read(Int64.self)
        let rid = try RelayRecord.bytes(&reader)
        let format = try RelayRecord.format(&reader)
        guard format.codec == rendition.key.codec else {
            throw .invalid("relayed codec", value: UInt64(format.codec.rawValue), at: 0)
        }
        guard rendition.encodings.count < Self.encodingMaximum else {
            throw .tooMuch("relayed encodings", limit: Self.encodingMaximum)
        }
        let encoding = Encoding(
            id: id, rid: String(decoding: rid, as: UTF8.self), format: format,
            history: History(
                HistoryLimits(of: format.codec), memory: memory, for: .derived, first: first))
        let sameEpoch = rendition.encodings.filter { $0.id.epoch == id.epoch && $0.id != id }
        if sameEpoch.isEmpty {
            rendition.replaceEncodings([encoding], isGiven: true)
            holes.removeAll()
        } else {
            rendition.add(encoding)
        }
    }

    private mutating func take(
        _ item: RelayRecord.Item, _ piece: RawSpan, of id: EncodingID, at now: Instant
    ) {
        if item.offset == 0, piece.byteCount == item.total {
            store(item, piece, of: id, at: now)
            return
        }
        if item.offset == 0 {
            partial = Partial(id: id, item: item)
            pieces.removeAll(keepingCapacity: true)
        }
        guard let begun = partial, begun.id == id, begun.item.index == item.index,
            begun.item.total == item.total, pieces.count == item.offset
        else {
            // The rest of an item whose beginning was dropped: not an item.
            figures.refused += 1
            return
        }
        pieces.append(copying: piece)
        guard pieces.count == item.total else { return }
        partial = nil
        var whole: [UInt8] = []
        swap(&whole, &pieces)
        store(begun.item, whole.raw, of: id, at: now)
        swap(&whole, &pieces)  // Its memory is used again.
    }

    private mutating func store(
        _ item: RelayRecord.Item, _ bytes: RawSpan, of id: EncodingID, at now: Instant
    ) {
        guard let encoding = rendition.encoding(id) else {
            figures.refused += 1
            return
        }
        let expected = encoding.history.end
        figures.items += 1
        encoding.store(bytes, item.meta, at: item.index)
        if item.index > expected, !encoding.history.isEmpty, encoding.history.start < expected {
            open(Hole(id: id, from: expected, to: item.index, askAt: now + Self.holePatience))
        } else if item.index < expected {
            closeHoles(of: id, from: item.index, to: item.index + 1)
        }
    }

    private mutating func open(_ hole: Hole) {
        figures.holes += 1
        if holes.count == Self.holeMaximum { holes.removeFirst() }
        holes.append(hole)
    }

    /// Cuts a range out of the holes: it has come, or never will.
    private mutating func closeHoles(of id: EncodingID, from: Int64, to: Int64) {
        var index = 0
        while index < holes.count {
            let hole = holes[index]
            guard hole.id == id, from < hole.to, to > hole.from else {
                index += 1
                continue
            }
            holes.remove(at: index)
            if hole.from < from {
                var before = hole
                before.to = from
                holes.insert(before, at: index)
                index += 1
            }
            if to < hole.to, holes.count < Self.holeMaximum {
                var after = hole
                after.from = to
                holes.insert(after, at: index)
                index += 1
            }
        }
    }
}
