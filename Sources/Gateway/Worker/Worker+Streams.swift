import Stream
import System
import Wire

// Streams of this worker: at home here, or read here by relay. Opened by the first who names them,
// freed when nobody holds them.
extension Worker {
    /// Whose home the name is; ours, if it had none.
    func claim(_ name: String) throws(Refusal) -> Registry.Claim {
        do throws(ParseError) { _ = try StreamName(name) } catch {
            throw Refusal(.badName, "\"\(LabelText(name))\" is not a stream name: \(error)")
        }
        return try hub.claim(name, for: plan.index)
    }

    /// The stream here, for a viewer: made at its home, relayed elsewhere. A name that nobody
    /// publishes and nobody is to wait for leaves no trace.
    func local(_ name: String, patience: Interval) throws(Refusal) -> LocalStream {
        if let local = streams[name] { return local }
        guard patience > .zero || hub.entry(name) != nil else {
            throw Refusal(.notFound, "nobody publishes \(LabelText(name)) now")
        }
        let claim = try claim(name)
        if claim.home == plan.index { return home(name, lastEpoch: claim.lastEpoch) }
        // Told first, asked then: a change in between is heard of.
        hub.setInterest(name, of: plan.index, true)
        guard let entry = hub.entry(name) else {
            throw Refusal(.notFound, "\(name) has just ended")
        }
        let numbers = nextRelay..<nextRelay + Self.relaysPerStream
        nextRelay += Self.relaysPerStream
        let local = LocalStream(
            RelayedStream(entry.snapshot, memory: memory, numbers: numbers))
        relayOwners[numbers.lowerBound / Self.relaysPerStream] = local
        add(local)
        return local
    }

    /// Numbers for the relays of one stream: a rendition for each slot, codec and form.
    static let relaysPerStream: UInt32 = 64

    func home(_ name: String, lastEpoch: Epoch) -> LocalStream {
        if let local = streams[name] { return local }
        let local = LocalStream(
            Stream(name: name, rules: plan.rules(name), memory: memory, lastEpoch: lastEpoch))
        add(local)
        return local
    }

    private func add(_ local: LocalStream) {
        local.deadlineSlot = streamSlots.insert(local).index
        streams[local.name] = local
    }

    func markDirty(_ local: LocalStream) {
        guard !local.isInDirtyList else { return }
        local.isInDirtyList = true
        dirtyStreams.append(local)
    }

    func setDeadline(of local: LocalStream) {
        if streamSlots[local.deadlineSlot] === local {
            streamDeadlines.set(local.deadlineSlot, local.deadline)
        }
    }

    func expire(_ local: LocalStream) {
        switch local.place {
        case .home(let stream): stream.expire(at: now, into: &orders)
        case .relayed(let stream):
            stream.expire(at: now, into: &orders)
            tellWaiters(of: local)
        }
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
            counters.keyRequests += 1
            tellPublisher(of: local, epoch) { .keyWanted($0, slot, layer: layer) }
        case .demand(let epoch, let slot, let demand):
            tellPublisher(of: local, epoch) {
                .demand($0, slot, bits: demand.bits, highestLayer: demand.highestLayer)
            }
        case .endPublisher(let epoch, let reason):
            tellPublisher(of: local, epoch) { .ended($0, reason) }
            if local.publisher?.epoch == epoch { forgetPublisher(of: local) }
        case .changed: streamChanged(local)
        case .tell(let waiter, let result): tell(waiter, result, at: local)
        case .endReaders(let reason): endReaders(of: local, because: reason)
        case .free: free(local)
        case .toHome(let up): sendHome(up, of: local)
        case .startTranscode(let from, let to): startTranscode(from: from, to: to, of: local)
        case .stopTranscode(let to): stopTranscode(to: to, of: local)
        case .startSource: startSource(of: local)
        case .stopSource: stopSource(of: local)
        }
    }

    private func tellPublisher(
        of local: LocalStream, _ epoch: Epoch, _ notice: (ChannelID) -> Notice
    ) {
        guard let publisher = local.publisher, publisher.epoch == epoch else { return }
        switch publisher.source {
        case .participant(let participant, let channel): tell(notice(channel), participant)
        case .feed(let worker, let number):
            neighbours.post(.feedNotice(number, notice(0)), to: worker)
        }
    }

    func tell(_ notice: Notice, _ participant: Participant) {
        guard participant.isHere(at: self) else { return }
        apart(participant) { participant.take(notice, at: self) }
    }

    private func forgetPublisher(of local: LocalStream) {
        if case .participant(let participant, let channel) = local.publisher?.source {
            participant.publications[channel] = nil
        }
        local.publisher = nil
    }

    /// Slots were filled, emptied or changed: readers find what they can read now, and whoever
    /// reads elsewhere hears of it.
    private func streamChanged(_ local: LocalStream) {
        let snapshot = local.snapshot(at: now)
        if local.stream != nil {
            for worker in hub.update(snapshot, from: plan.index) {
                neighbours.post(.changed(local.name), to: worker)
            }
        }
        resolveAudience(of: local)
        resolveCutters(of: local)
        for reader in local.readers {
            reader.resolve(at: now, into: &orders)
            tell(.changed(reader.channel, snapshot), reader.connection)
        }
        markDirty(local)
        setDeadline(of: local)
        updatePushes(of: local)
    }

    func endReaders(of local: LocalStream, because reason: EndReason) {
        let readers = local.readers
        local.readers.removeAll()
        for reader in readers {
            reader.connection.readers[reader.channel] = nil
            reader.close(at: now, into: &orders)
            tell(.ended(reader.channel, reason), reader.connection)
        }
        endAudience(of: local, because: reason)
        endCutters(of: local)
        guard local.stream != nil else { return }
        for worker in Set(local.relays.map(\.worker)) {
            neighbours.post(.ended(local.name, reason), to: worker)
        }
        closeRelays(of: local) { _ in true }
    }

    private func free(_ local: LocalStream) {
        guard local.readers.isEmpty, local.audience == nil, local.cutters.isEmpty else { return }
        switch local.place {
        case .home(let stream):
            guard stream.isFree, local.relays.isEmpty,
                hub.release(local.name, from: plan.index)
            else { return }
        case .relayed(let stream):
            guard stream.isFree, local.waiters.isEmpty else { return }
            hub.setInterest(local.name, of: plan.index, false)
            relayOwners = relayOwners.filter { $0.value !== local }
        }
        streamDeadlines.clear(local.deadlineSlot)
        streamSlots.remove(local.deadlineSlot)
        streams[local.name] = nil
    }
}
