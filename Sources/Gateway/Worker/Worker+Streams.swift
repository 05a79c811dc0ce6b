import Stream
import System
import Wire

// Streams of this worker: opened by the first who names them, ordered about, freed when nobody
// holds them.
extension Worker {
    /// The stream of this name, made if there is none.
    func openStream(_ name: String) throws(Refusal) -> LocalStream {
        if let local = streams[name] { return local }
        do throws(ParseError) { _ = try StreamName(name) } catch {
            throw Refusal(.badName, "\"\(LabelText(name))\" is not a stream name: \(error)")
        }
        guard streams.count < plan.limits.streams else {
            throw Refusal(.tooMany, "there are \(plan.limits.streams) streams already")
        }
        let local = LocalStream(
            Stream(name: name, rules: plan.rules(name), memory: memory))
        local.deadlineSlot = streamSlots.insert(local).index
        streams[name] = local
        return local
    }

    func markDirty(_ local: LocalStream) {
        guard !local.isInDirtyList else { return }
        local.isInDirtyList = true
        dirtyStreams.append(local)
    }

    func setDeadline(of local: LocalStream) {
        streamDeadlines.set(local.deadlineSlot, local.stream.deadline)
    }

    func expire(_ local: LocalStream) {
        local.stream.expire(at: now, into: &orders)
        runOrders(of: local)
        setDeadline(of: local)
    }

    /// Does what the stream has asked for, and what it asks for while that is done.
    func runOrders(of local: LocalStream) {
        while !orders.list.isEmpty {
            let list = orders.list
            orders.clear()
            for order in list { run(order, of: local) }
        }
    }

    private func run(_ order: Orders.Order, of local: LocalStream) {
        switch order {
        case .keyFrame(let epoch, let slot, let layer):
            tellPublisher(of: local, epoch) { .keyWanted($0, slot, layer: layer) }
        case .endPublisher(let epoch, let reason):
            tellPublisher(of: local, epoch) { .ended($0, reason) }
            if local.publisher?.epoch == epoch { forgetPublisher(of: local) }
        case .changed: streamChanged(local)
        case .tell(let waiter, let result): tell(waiter, result, at: local)
        case .endReaders(let reason): endReaders(of: local, because: reason)
        case .free: free(local)
        // Sources that we start, and transcoding, come with the protocols that need them.
        case .startSource:
            local.stream.sourceFailed(
                Refusal(.sourceFailed, "\(local.name) has no source that could be started"))
        case .stopSource, .startTranscode, .stopTranscode, .toHome: break
        }
    }

    private func tellPublisher(
        of local: LocalStream, _ epoch: Epoch, _ notice: (ChannelID) -> Notice
    ) {
        guard let publisher = local.publisher, publisher.epoch == epoch else { return }
        tell(notice(publisher.channel), publisher.connection)
    }

    private func tell(_ notice: Notice, _ connection: Connection) {
        guard connections[connection.identity] != nil else { return }
        connection.session.notice(notice, at: now, into: &effects, out: &connection.out)
        wantFlush(connection)
        pendingEffects.append(connection)
    }

    private func forgetPublisher(of local: LocalStream) {
        guard let publisher = local.publisher else { return }
        publisher.connection.publications[publisher.channel] = nil
        local.publisher = nil
    }

    /// Slots were filled, emptied or changed: readers find what they can read now.
    private func streamChanged(_ local: LocalStream) {
        let snapshot = local.stream.snapshot(at: now)
        for reader in local.readers {
            fill(reader)
            tell(.changed(reader.channel, snapshot), reader.connection)
        }
        markDirty(local)
        setDeadline(of: local)
    }

    private func endReaders(of local: LocalStream, because reason: EndReason) {
        for reader in local.readers {
            reader.connection.readers[reader.channel] = nil
            close(reader)
            tell(.ended(reader.channel, reason), reader.connection)
        }
        local.readers.removeAll()
    }

    private func free(_ local: LocalStream) {
        guard local.stream.isFree, local.readers.isEmpty else { return }
        streamDeadlines.clear(local.deadlineSlot)
        streamSlots.remove(local.deadlineSlot)
        streams[local.name] = nil
    }

    // MARK: Leaving

    func unpublish(_ connection: Connection, _ channel: ChannelID, _ reason: EndReason) {
        guard let publication = connection.publications.removeValue(forKey: channel) else {
            return
        }
        let local = publication.stream
        if local.publisher?.epoch == publication.epoch { local.publisher = nil }
        local.stream.unpublish(epoch: publication.epoch, reason, at: now, into: &orders)
        runOrders(of: local)
        setDeadline(of: local)
    }

    func unsubscribe(_ connection: Connection, _ channel: ChannelID) {
        guard let reader = connection.readers.removeValue(forKey: channel) else { return }
        reader.stream.readers.removeAll { $0 === reader }
        close(reader)
        setDeadline(of: reader.stream)
    }

    /// The connection is over: nothing of it stays in any stream.
    func leaveStreams(_ connection: Connection, because reason: EndReason) {
        for channel in Array(connection.publications.keys) {
            unpublish(connection, channel, reason)
        }
        for channel in Array(connection.readers.keys) { unsubscribe(connection, channel) }
        for (id, parked) in waiting where parked.connection === connection {
            waiting[id] = nil
        }
    }
}
