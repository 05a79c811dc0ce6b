import Stream
import Wire

// What is left behind when a publication, a subscription or a whole connection ends: nothing.
extension Worker {
    func unpublish(_ participant: Participant, _ channel: ChannelID, _ reason: EndReason) {
        switch participant.publications.removeValue(forKey: channel) {
        case .here(let local, let epoch): unpublish(local, epoch, reason)
        case .elsewhere(let feed): close(feed, reason)
        case nil: break
        }
    }

    func unpublish(_ local: LocalStream, _ epoch: Epoch, _ reason: EndReason) {
        if local.publisher?.epoch == epoch { local.publisher = nil }
        local.stream?.unpublish(epoch: epoch, reason, at: now, into: &orders)
        runOrders(of: local)
        setDeadline(of: local)
    }

    func unsubscribe(_ connection: Connection, _ channel: ChannelID) {
        guard let reader = connection.readers.removeValue(forKey: channel) else { return }
        reader.stream.readers.removeAll { $0 === reader }
        reader.close(at: now, into: &orders)
        runOrders(of: reader.stream)
        setDeadline(of: reader.stream)
    }

    /// It is over: nothing of it stays in any stream.
    func leaveStreams(_ participant: Participant, because reason: EndReason) {
        for channel in Array(participant.publications.keys) {
            unpublish(participant, channel, reason)
        }
        participant.leaveReading(at: self)
        for (id, parked) in waiting where parked.participant === participant {
            waiting[id] = nil
            hub.waiterLeft(parked.stream.name)
            parked.stream.stream?.stopWaiting(id)
            parked.stream.waiters.remove(id)
        }
    }

    /// The worker is over. Sessions, streams and bridges know each other, and whoever still waits
    /// for an answer knows the worker: all let go, so that nothing stays behind.
    func end() {
        for demo in demos { leaveStreams(demo, because: .shuttingDown) }
        rtc?.peers.forEach { close($0, because: .shuttingDown) }
        connections.forEach(close)
        endLines()
        for local in streams.values {
            for transcoding in local.transcodings { stopTranscode(to: transcoding.to, of: local) }
        }
        gathers = [:]
        rtc = nil
        gb = nil
    }
}
