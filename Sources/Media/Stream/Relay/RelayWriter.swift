import Media
import Wire

/// The home's end of a relay: a reader like any other, whose socket is a ring.
///
/// A full ring stops it where it is; it never blocks the home and never drops silently. When what
/// it was to send has left the history it says which indexes are gone and goes on with the last
/// key frame: the relay's rule.
package struct RelayWriter {
    /// One turn's share, as for every back-fill.
    package static let bytesPerTurn = 256 << 10
    /// Refills asked for and not answered yet. A reader asks once per hole, so more are noise.
    private static let refillMaximum = 64

    package struct Figures: Equatable, Sendable {
        package var records: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Times the ring was full.
        package var stalls: UInt64 = 0
        package var jumps: UInt64 = 0
        package var refilled: UInt64 = 0
    }

    private struct Layer {
        let encoding: Encoding
        var next: Int64
        /// Bytes of the item at `next` that have been sent.
        var sent = 0
        var isAnnounced = false
        var saidEnded = false
        var generation: UInt16
        var repairsSeen: UInt64
    }

    private struct Refill {
        var id: EncodingID
        var next: Int64
        var to: Int64
        /// Bytes of the item at `next` that have been sent.
        var sent = 0
    }

    package let relay: UInt32
    package let rendition: Rendition
    private var layers: [Layer] = []
    private var refills: [Refill] = []
    private var gone: [(id: EncodingID, from: Int64, to: Int64)] = []
    private var header: [UInt8] = []
    /// The other side has heard that the home gave the rendition up: nothing follows.
    package private(set) var isOver = false
    package private(set) var figures = Figures()

    package init(relay: UInt32, of rendition: Rendition) {
        self.relay = relay
        self.rendition = rendition
        header.reserveCapacity(256)
    }

    /// Writes what there is, for at most one turn's share.
    ///
    /// - Parameter put: Copies a record's two parts into the ring; false: it is full.
    /// - Returns: True if nothing is left to write now; false: call again, next turn or when the
    ///   ring has room.
    package mutating func write(_ put: (RawSpan, RawSpan) -> Bool) -> Bool {
        guard !isOver else { return true }
        takeNewEncodings()
        var budget = Self.bytesPerTurn
        while budget > 0 {
            guard let written = writeNext(put) else { return true }
            guard written >= 0 else {
                figures.stalls += 1
                return false
            }
            budget -= written
            figures.records += 1
            figures.bytes += UInt64(written)
        }
        return false
    }

    /// Asked from the other side.
    package mutating func refill(_ id: EncodingID, from: Int64, to: Int64) {
        guard from < to, to - from <= 1_024, refills.count < Self.refillMaximum else { return }
        refills.append(Refill(id: id, next: from, to: to))
    }

    /// A new epoch's encodings are read after the old ones have been read to their end.
    private mutating func takeNewEncodings() {
        let present = rendition.encodings
        layers.removeAll { layer in
            layer.saidEnded && !present.contains { $0 === layer.encoding }
        }
        for encoding in present
        where !layers.contains(where: { $0.encoding === encoding }) {
            let history = encoding.history
            let start = history.beginsAnywhere ? history.start : history.lastKey ?? history.end
            layers.append(
                Layer(
                    encoding: encoding, next: start, generation: encoding.format.generation,
                    repairsSeen: history.repairCount))
        }
    }
}

// MARK: - One record

extension RelayWriter {
    /// - Returns: Bytes written, at least 1; -1 if there was no room; nil if there is nothing.
    private mutating func writeNext(_ put: (RawSpan, RawSpan) -> Bool) -> Int? {
        // An item that is under way is finished first: its pieces follow each other.
        if let place = layers.firstIndex(where: { $0.sent > 0 }) { return writeLayer(place, put) }
        if let notice = gone.first {
            begin(.gone, notice.id)
            header.append(bigEndian: notice.from)
            header.append(bigEndian: notice.to)
            let written = send(put)
            if written > 0 { gone.removeFirst() }
            return written
        }
        if let written = writeRefill(put) { return written }
        var index = 0
        while index < layers.count {
            if let written = writeLayer(index, put) { return written }
            index += 1
        }
        return rendition.isGivenUp ? sayClosed(put) : nil
    }

    private mutating func writeLayer(_ place: Int, _ put: (RawSpan, RawSpan) -> Bool) -> Int? {
        let encoding = layers[place].encoding
        if !layers[place].isAnnounced { return announce(place, put) }
        if layers[place].sent == 0, let written = writeRepair(place, put) { return written }
        let history = encoding.history
        if layers[place].next < history.start {
            jump(place)
            return writeNext(put)
        }
        guard let index = history.nextPresent(from: layers[place].next),
            let meta = history.meta(index)
        else { return sayEnded(place, put) }
        if meta.formatGeneration != layers[place].generation {
            begin(.format, encoding.id)
            RelayRecord.append(encoding.format(at: index), to: &header)
            let written = send(put)
            if written > 0 { layers[place].generation = meta.formatGeneration }
            return written
        }
        if index != layers[place].next {
            layers[place].next = index
            layers[place].sent = 0
        }
        var sent = layers[place].sent
        let written = sendItem(encoding, index, meta, from: &sent, put)
        layers[place].sent = sent
        if written > 0, sent == 0 { layers[place].next = index + 1 }
        return written
    }

    private mutating func announce(_ place: Int, _ put: (RawSpan, RawSpan) -> Bool) -> Int {
        let encoding = layers[place].encoding
        let history = encoding.history
        if layers[place].next < history.start { layers[place].next = history.start }
        let format = encoding.format(at: layers[place].next)
        begin(.encoding, encoding.id)
        header.append(bigEndian: layers[place].next)
        RelayRecord.append(bytes: Array(encoding.rid.utf8), to: &header)
        RelayRecord.append(format, to: &header)
        let written = send(put)
        if written > 0 {
            layers[place].isAnnounced = true
            layers[place].generation = format.generation
        }
        return written
    }

    /// Everything of it has been sent, and no more will come.
    private mutating func sayEnded(_ place: Int, _ put: (RawSpan, RawSpan) -> Bool) -> Int? {
        guard layers[place].encoding.isEnded, !layers[place].saidEnded else { return nil }
        begin(.ended, layers[place].encoding.id)
        let written = send(put)
        if written > 0 { layers[place].saidEnded = true }
        return written
    }

    private mutating func sayClosed(_ put: (RawSpan, RawSpan) -> Bool) -> Int? {
        guard !isOver else { return nil }
        begin(.closed, EncodingID(epoch: 0, layer: 0))
        let written = send(put)
        if written > 0 { isOver = true }
        return written
    }

    /// What was to be sent has left the history.
    private mutating func jump(_ place: Int) {
        let history = layers[place].encoding.history
        let from = layers[place].next
        let to = max(history.start, history.lastKey ?? history.start)
        gone.append((layers[place].encoding.id, from, to))
        layers[place].next = to
        layers[place].sent = 0
        figures.jumps += 1
    }

    private mutating func writeRepair(
        _ place: Int, _ put: (RawSpan, RawSpan) -> Bool
    ) -> Int? {
        let encoding = layers[place].encoding
        let history = encoding.history
        while layers[place].repairsSeen < history.repairCount {
            guard let index = history.repair(layers[place].repairsSeen),
                index < layers[place].next, let meta = history.meta(index)
            else {
                layers[place].repairsSeen += 1
                continue
            }
            var sent = 0
            let written = sendItem(encoding, index, meta, from: &sent, put)
            // A repair is a packet: it goes in one piece.
            if written > 0 { layers[place].repairsSeen += 1 }
            return written
        }
        return nil
    }

    private mutating func writeRefill(_ put: (RawSpan, RawSpan) -> Bool) -> Int? {
        while let refill = refills.first {
            guard let encoding = layers.first(where: { $0.encoding.id == refill.id })?.encoding,
                refill.next < refill.to
            else {
                refills.removeFirst()
                continue
            }
            let present = encoding.history.nextPresent(from: refill.next) ?? refill.to
            let index = min(present, refill.to)
            if index > refill.next {
                refills[0].sent = 0
                gone.append((refill.id, refill.next, index))
                refills[0].next = index
                return writeNext(put)
            }
            guard let meta = encoding.history.meta(index) else { continue }
            var sent = refill.sent
            let written = sendItem(encoding, index, meta, from: &sent, put)
            refills[0].sent = sent
            if written > 0, sent == 0 {
                refills[0].next = index + 1
                figures.refilled += 1
            }
            return written
        }
        return nil
    }
}

// MARK: - Bytes

extension RelayWriter {
    private mutating func begin(_ kind: RelayRecord.Kind, _ id: EncodingID) {
        RelayRecord.begin(RelayRecord.Head(relay: relay, kind: kind, id: id), in: &header)
    }

    private func send(_ put: (RawSpan, RawSpan) -> Bool) -> Int {
        put(header.raw, RawSpan()) ? header.count : -1
    }

    /// Sends an item or its next piece. `offset` is 0 again when the last piece is out.
    private mutating func sendItem(
        _ encoding: Encoding, _ index: Int64, _ meta: ItemMeta, from offset: inout Int,
        _ put: (RawSpan, RawSpan) -> Bool
    ) -> Int {
        let history = encoding.history
        guard let bytes = history.bytes(index) else { return 0 }
        let total = bytes.byteCount
        let end = min(total, offset + PieceHead.pieceMaximum)
        begin(.item, encoding.id)
        RelayRecord.append(
            RelayRecord.Item(index: index, meta: meta, total: total, offset: offset), to: &header)
        guard put(header.raw, bytes.extracting(offset..<end)) else { return -1 }
        let written = header.count + end - offset
        offset = end == total ? 0 : end
        return written
    }
}
