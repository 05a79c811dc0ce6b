import Stream
import System
import Wire

// Readers on connections: fed at the end of a turn, from the histories, as much as they take.
extension Worker {
    func requestKey(_ connection: Connection, _ channel: ChannelID, _ slot: SlotName) {
        guard let reader = connection.readers[channel] else { return }
        reader.requestKey(slot, at: now, into: &orders)
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
            feedTranscoders(of: local)
            feedCutters(of: local)
            for reader in local.readers { feed(reader) }
            local.audience?.isDue = true
            feedChannels(of: local)
            writeRelays(of: local)
            setDeadline(of: local)
        }
        dirtyStreams.removeAll(keepingCapacity: true)
        runPendingEffects()
        closeHopeless()
    }

    func feed(_ reader: ConnectionReader) {
        guard connections[reader.connection.identity] != nil else { return }
        guard !reader.connection.isBlocked else {
            reader.holdBack()
            if reader.isHopeless { endHopeless(reader) }
            return
        }
        switch reader.feed(at: now, into: &orders) {
        case .some(let count):
            counters.itemsSent += Int64(count)
            // It may have had something to say though it does not begin yet.
            if count > 0 || !reader.connection.out.isEmpty { wantFlush(reader.connection) }
        case .hopeless: endHopeless(reader)
        }
        if reader.isHeldBack, let lines = reader.connection.lines {
            setDeadline(of: lines, reader.connection.pace.next)
        }
        runOrders(of: reader.stream)
    }

    /// Ten seconds behind: such a connection does not come back.
    private func endHopeless(_ reader: ConnectionReader) {
        log.info("too slow, closed", ["ip": "\(reader.connection.peer)"])
        hopeless.append(reader.connection)
    }

    private func closeHopeless() {
        while let connection = hopeless.popLast() { close(connection) }
    }
}
