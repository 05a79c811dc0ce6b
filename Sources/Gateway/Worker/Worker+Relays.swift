import Stream
import System
import Wire

// Streams that are read at another worker than their home: down through the ring goes media, up by
// letter what its readers need.
extension Worker {
    /// Beyond this a ring is left for the next turn: the media of others waits, too.
    private static let drainPerTurn = 512 * 1024
    /// A full ring is looked at again after this: its reader has a turn of its own in between.
    private static let retryAfter = Interval.milliseconds(1)

    // MARK: At home

    func receive(_ up: RelayUp, from worker: Int) {
        if case .open(let relay, let name, let key) = up {
            return openRelay(relay, name, key, to: worker)
        }
        guard let local = relayOuts[RelayAddress(worker: worker, relay: up.relay)],
            let index = local.relays.firstIndex(where: {
                $0.worker == worker && $0.writer.relay == up.relay
            })
        else { return }
        switch up {
        case .open: break
        case .key(_, let id):
            local.stream?.requestKey(
                id, of: local.relays[index].writer.rendition, at: now, into: &orders)
        case .refill(_, let id, let from, let to):
            local.relays[index].writer.refill(id, from: from, to: to)
            markDirty(local)
        case .demand(_, let bits, let highestLayer):
            local.stream?.setDemand(
                Demand(bits: bits, highestLayer: highestLayer),
                of: local.relays[index].writer.rendition,
                by: RelayAddress(worker: worker, relay: up.relay).number, at: now, into: &orders)
        case .close(let relay):
            closeRelays(of: local) { $0.worker == worker && $0.writer.relay == relay }
        }
        runOrders(of: local)
        setDeadline(of: local)
    }

    private func openRelay(
        _ relay: UInt32, _ name: String, _ key: RenditionKey, to worker: Int
    ) {
        // Gone meanwhile: that worker hears of it by the change that took it away.
        guard let local = streams[name], let stream = local.stream,
            let rendition = stream.open(key, at: now, into: &orders)
        else { return }
        local.relays.append(.init(to: worker, RelayWriter(relay: relay, of: rendition)))
        relayOuts[RelayAddress(worker: worker, relay: relay)] = local
        markDirty(local)
        runOrders(of: local)
    }

    func closeRelays(of local: LocalStream, where isOver: (LocalStream.RelayOut) -> Bool) {
        for relay in local.relays where isOver(relay) {
            let address = RelayAddress(worker: relay.worker, relay: relay.writer.relay)
            local.stream?.setDemand(
                nil, of: relay.writer.rendition, by: address.number, at: now, into: &orders)
            local.stream?.close(
                relay.writer.rendition, ReaderFigures(), at: now, into: &orders)
            relayOuts[address] = nil
        }
        local.relays.removeAll(where: isOver)
    }

    /// A relay is a reader whose socket is a ring: full, it lags, and nobody waits for it.
    func writeRelays(of local: LocalStream) {
        for relay in local.relays {
            let ring = ring(to: relay.worker)
            let isDone = relay.writer.write { ring.write(.relay, $0, $1) }
            if !isDone { retry(local) }
        }
        if local.relays.contains(where: \.writer.isOver) {
            closeRelays(of: local, where: \.writer.isOver)
            runOrders(of: local)
        }
    }

    private func retry(_ local: LocalStream) {
        retryAt = min(retryAt, now + Self.retryAfter)
        if !toRetry.contains(where: { $0 === local }) { toRetry.append(local) }
    }

    func retryRelays() {
        guard retryAt <= now else { return }
        retryAt = .distantFuture
        for local in toRetry { markDirty(local) }
        toRetry.removeAll(keepingCapacity: true)
    }

    /// The ring to another worker, made at first use; its reading end travels by letter.
    func ring(to worker: Int) -> RingOut {
        if let ring = ringsOut[worker] { return ring }
        let ring = PacketRing(bell: neighbours.bell(of: worker))
        neighbours.post(.ring(from: plan.index, Parcel(ring.makeReader())), to: worker)
        let out = RingOut(ring.makeWriter())
        ringsOut[worker] = out
        return out
    }

    func flushRings() {
        for ring in ringsOut.values { ring.flush() }
    }

    // MARK: Elsewhere

    func sendHome(_ up: RelayUp, of local: LocalStream) {
        guard let entry = hub.entry(local.name) else { return }
        neighbours.post(.relay(up, from: plan.index), to: entry.home)
    }

    func readRings() {
        for ring in ringsIn {
            ring.drain(upTo: Self.drainPerTurn) { kind, record in
                counters.relayRecordsIn += 1
                counters.relayBytesIn += Int64(record.byteCount)
                switch RingOut.Kind(rawValue: kind) {
                case .relay: return receiveRelayed(record)
                case .feed: return receiveFed(record, from: ring.from)
                case .packet:
                    receiveForwarded(record, from: ring.from)
                    return true
                case nil: preconditionFailure("a record of no kind we write")
                }
            }
        }
    }

    var hasRingRecords: Bool { ringsIn.contains { !$0.isEmpty } }

    private func receiveRelayed(_ record: RawSpan) -> Bool {
        do throws(ParseError) {
            let number = try RelayReader.relay(of: record)
            guard let local = relayOwners[number / Self.relaysPerStream],
                let stream = local.relayed
            else {
                counters.relayRecordsStale += 1
                return true
            }
            try stream.receive(record, at: now)
            setDeadline(of: local)
            if stream.takeDirty() { markDirty(local) }
        } catch {
            // Both ends are ours: this is a mistake, and must not become somebody's picture.
            log.error(code: "relay", "a record of a relay was refused: \(error)")
        }
        return true
    }

    /// The home says that something has changed: what the Hub knows is what holds.
    func changed(_ name: String) {
        guard let local = streams[name], let stream = local.relayed,
            let entry = hub.entry(name)
        else { return }
        stream.update(entry.snapshot, into: &orders)
        if entry.snapshot.isReady { local.waiters.release(.ready) }
        tellWaiters(of: local)
        runOrders(of: local)
        setDeadline(of: local)
    }

    func tellWaiters(of local: LocalStream) {
        var results: [(Waiters.ID, Waiters.Result)] = []
        local.waiters.takeReleased { results.append(($0, $1)) }
        while let id = local.waiters.expire(at: now) {
            results.append(
                (id, .failed(Refusal(.timeout, "nobody published \(local.name) in time"))))
        }
        for (id, result) in results { tell(id, result, at: local) }
    }
}

/// A relay as its home knows it: the number is the other worker's own.
struct RelayAddress: Hashable {
    let worker: Int
    let relay: UInt32

    /// Its place among the readers of a rendition.
    var number: UInt64 { UInt64(UInt32(truncatingIfNeeded: worker)) << 32 | UInt64(relay) }
}
