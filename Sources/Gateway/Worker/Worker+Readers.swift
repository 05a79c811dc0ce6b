import Stream
import System
import Wire

// Readers on connections: fed at the end of a turn, from the histories, as much as they take.
extension Worker {
    /// Opens what the stream has of what the reader wants and has not yet.
    func fill(_ reader: Reader) {
        let stream = reader.stream.stream
        for place in reader.places.indices {
            let present = reader.places[place].rendition
            let wanted = stream.open(reader.places[place].want, at: now, into: &orders)
            guard let wanted else { continue }
            guard wanted !== present else {
                // `open` counts readers: this one was counted before.
                stream.close(wanted, ReaderFigures(), at: now, into: &orders)
                continue
            }
            if let present {
                stream.close(
                    present, reader.places[place].cursor.figures, at: now, into: &orders)
            }
            reader.places[place].rendition = wanted
        }
    }

    func close(_ reader: Reader) {
        for place in reader.places.indices {
            guard let rendition = reader.places[place].rendition else { continue }
            reader.stream.stream.close(
                rendition, reader.places[place].cursor.figures, at: now, into: &orders)
            reader.places[place].rendition = nil
        }
        runOrders(of: reader.stream)
    }

    func change(
        _ connection: Connection, _ channel: ChannelID, _ slot: SlotName,
        _ body: (inout Reader.Place) -> Void
    ) {
        guard let reader = connection.readers[channel],
            let place = reader.places.firstIndex(where: { $0.want.slot == slot })
        else { return }
        body(&reader.places[place])
        markDirty(reader.stream)
    }

    func requestKey(_ connection: Connection, _ channel: ChannelID, _ slot: SlotName) {
        guard let reader = connection.readers[channel],
            let place = reader.places.first(where: { $0.want.slot == slot }),
            let rendition = place.rendition, let encoding = place.cursor.encoding
        else { return }
        reader.stream.stream.requestKey(
            encoding.id, of: rendition, at: now, into: &orders)
        runOrders(of: reader.stream)
    }

    /// Walks the streams that got something in this turn, and those of connections that have room
    /// again: never all readers there are.
    func feedReaders() {
        runPendingEffects()
        var index = 0
        while index < dirtyStreams.count {
            let local = dirtyStreams[index]
            index += 1
            local.isInDirtyList = false
            for reader in local.readers { feed(reader) }
            setDeadline(of: local)
        }
        dirtyStreams.removeAll(keepingCapacity: true)
        runPendingEffects()
    }

    func feed(_ reader: Reader) {
        guard connections[reader.connection.identity] != nil else { return }
        guard !reader.connection.isBlocked else {
            if reader.isHopeless { endHopeless(reader) }
            return
        }
        switch reader.feed(at: now) {
        case .some(let count):
            counters.itemsSent += Int64(count)
            if count > 0 { wantFlush(reader.connection) }
        case .hopeless: endHopeless(reader)
        }
        wishKeys(of: reader)
    }

    /// Ten seconds behind: such a connection does not come back.
    private func endHopeless(_ reader: Reader) {
        log.info("\(reader.connection.service) \(reader.connection.peer): too slow, closed")
        hopeless.append(reader.connection)
    }

    private func wishKeys(of reader: Reader) {
        for place in reader.places.indices {
            guard let id = reader.places[place].cursor.takeKeyWish(),
                let rendition = reader.places[place].rendition
            else { continue }
            reader.stream.stream.requestKey(id, of: rendition, at: now, into: &orders)
            runOrders(of: reader.stream)
        }
    }

    /// Sessions that were told something may have asked for something.
    private func runPendingEffects() {
        while let connection = pendingEffects.popLast() { runEffects(of: connection) }
        while let connection = hopeless.popLast() { close(connection) }
    }
}
