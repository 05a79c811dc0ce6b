import Stream
import System
import Wire

// What sessions want done, done after they have returned: so no session is ever entered twice.
extension Worker {
    /// Runs what the session wrote, and what it writes when it is answered, until it is silent.
    func runEffects(of connection: Connection) {
        while !effects.isEmpty {
            // The session may be called from here; what it then writes goes into fresh effects.
            swap(&effects, &running)
            for effect in running.list { run(effect, of: connection) }
            running.clear()
        }
        serveRequests(of: connection)
    }

    private func run(_ effect: Effects.Effect, of connection: Connection) {
        guard connections[connection.identity] != nil else { return }
        switch effect {
        case .ask(let question, let id): answer(question, id, for: connection)
        case .media(let channel, let slot, let layer, let items):
            store(items, slot, layer, of: connection, channel)
        case .announce(let channel, let announced):
            withPublication(connection, channel) { stream, epoch in
                do throws(Refusal) {
                    try stream.announce(announced, epoch: epoch, at: now, into: &orders)
                } catch {
                    log.warning("\(stream.name): \(announced.slot) refused: \(error)")
                }
            }
        case .format(let channel, let slot, let layer, let format):
            withPublication(connection, channel) { stream, epoch in
                stream.change(
                    format, slot: slot, layer: layer, epoch: epoch, at: now, into: &orders)
            }
        case .tracksComplete(let channel):
            withPublication(connection, channel) { stream, epoch in
                stream.tracksAreComplete(epoch: epoch, into: &orders)
            }
        case .clock(let channel, let slot, let layer, let ntp, let ticks):
            withPublication(connection, channel) { stream, epoch in
                stream.noteClock(
                    slot: slot, layer: layer, ntp: ntp, ticks: ticks, epoch: epoch, at: now)
            }
        case .unpublish(let channel, let reason): unpublish(connection, channel, reason)
        case .unsubscribe(let channel): unsubscribe(connection, channel)
        case .keyRequest(let channel, let slot): requestKey(connection, channel, slot)
        case .pause(let channel, let slot):
            change(connection, channel, slot) { $0.cursor.pause() }
        case .resume(let channel, let slot):
            change(connection, channel, slot) { $0.cursor.resume(at: now) }
        case .close(let reason): end(connection, because: reason)
        }
    }

    /// What is not read any more; what was written is still sent.
    func end(_ connection: Connection, because reason: EndReason) {
        leaveStreams(connection, because: reason)
        connection.end()
        wantFlush(connection)
    }

    private func withPublication(
        _ connection: Connection, _ channel: ChannelID, _ body: (Stream, Epoch) -> Void
    ) {
        guard let publication = connection.publications[channel] else { return }
        body(publication.stream.stream, publication.epoch)
        runOrders(of: publication.stream)
    }

    private func store(
        _ items: Range<Int>, _ slot: SlotName, _ layer: UInt8, of connection: Connection,
        _ channel: ChannelID
    ) {
        withPublication(connection, channel) { stream, epoch in
            stream.store(
                running, items: items, slot: slot, layer: layer, epoch: epoch, at: now,
                into: &orders)
        }
        if let publication = connection.publications[channel] { markDirty(publication.stream) }
    }
}
