import Stream
import System
import Wire

// FLUSH, the end of a turn: what has come and what has been said leaves together.
extension Worker {
    func wantFlush(_ connection: Connection) {
        if let lines = connection.lines, !lines.queue.isEmpty { wantFlush(lines) }
        guard !connection.isInFlush else { return }
        connection.isInFlush = true
        toFlush.append(connection.identity.index)
    }

    func flush() {
        feedReaders()
        flushAudiences()
        runPendingEffects()
        flushFeeds()
        flushRings()
        for index in toFlush {
            guard let connection = connections[index] else { continue }
            connection.isInFlush = false
            if !connection.isBlocked { write(connection) }
        }
        toFlush.removeAll(keepingCapacity: true)
        flushLines()
        sendBatch()
    }

    private func write(_ connection: Connection) {
        guard let count = connection.write(), !connection.isOverflowing else {
            close(connection)
            return
        }
        counters.connectionBytesOut += Int64(count)
        connection.session.wrote(count, at: now, out: &connection.out)
        if connection.framed != nil { noteWritten(connection) }
        if connection.isEnding, connection.waiting == 0 {
            connection.finish()
            close(connection)
            return
        }
        setInterest(of: connection)
        if !connection.isBlocked { feedOn(connection) }
    }

    /// Readers that were held back have room again: they are fed in the next turn, which comes at
    /// once, so that one fast connection with a long way to catch up does not hold up the others.
    func feedOn(_ connection: Connection) {
        for reader in connection.readers.values where reader.isHeldBack {
            markDirty(reader.stream)
            retryAt = now
        }
    }

    /// The poller would spin on a writable socket that nothing is to be written to.
    private func setInterest(of connection: Connection) {
        guard let registration = connection.registration else { return }
        var interest: Poller.Interest = connection.wantsBytes ? .read : []
        if connection.isBlocked { interest.insert(.write) }
        do throws(SystemError) {
            try poller.modify(registration, interest)
        } catch {
            log.warning("\(connection.service) \(connection.peer): \(error)")
            close(connection)
        }
    }
}
