import Stream
import System
import Wire

// What sessions want done, done after they have returned: so no session is ever entered twice.
extension Worker {
    /// Runs what the session wrote, and what it writes when it is answered, until it is silent.
    func runEffects(of participant: Participant) {
        // In the middle of somebody's effects: what was written now is among the pending ones.
        guard current == nil else { return }
        current = participant
        while !effects.isEmpty {
            // The session may be called from here; what it then writes goes into fresh effects.
            swap(&effects, &running)
            for effect in running.list { run(effect, of: participant) }
            running.clear()
        }
        current = nil
        participant.effectsWereRun(at: self)
    }

    /// Calls a session while another one may be served: what it writes is its own, and is run when
    /// the other is done.
    func apart(_ participant: Participant, _ call: () -> Void) {
        if current === participant { return call() }
        var own = Effects()
        swap(&own, &effects)
        call()
        swap(&own, &effects)
        if !own.isEmpty { pendingEffects.append((participant, own)) }
    }

    /// Sessions that were told something may have asked for something, in that order.
    func runPendingEffects() {
        while !pendingEffects.isEmpty {
            var (participant, own) = pendingEffects.removeFirst()
            swap(&own, &effects)
            runEffects(of: participant)
            // The memory of the worker's own effects is kept.
            swap(&own, &effects)
        }
    }

    private func run(_ effect: Effects.Effect, of participant: Participant) {
        guard participant.isHere(at: self) else { return }
        switch effect {
        case .ask(let question, let id): answer(question, id, for: participant)
        case .media(let channel, let slot, let layer, let items):
            store(items, slot, layer, of: participant, channel)
        case .announce(let channel, _), .format(let channel, _, _, _),
            .tracksComplete(let channel), .clock(let channel, _, _, _, _),
            .roundTrip(let channel, _), .lost(let channel, _, _, _),
            .silence(let channel, _):
            switch participant.publications[channel] {
            case .here(let local, let epoch):
                if let stream = local.stream { apply(effect, to: stream, epoch) }
                runOrders(of: local)
            case .elsewhere(let feed): forward(effect, by: feed)
            case nil: break
            }
        case .unpublish(let channel, let reason): unpublish(participant, channel, reason)
        case .unsubscribe, .keyRequest, .demand, .pause, .resume:
            if let connection = participant.connection { runReading(effect, of: connection) }
        case .closeLines:
            if let connection = participant.connection { closeLines(of: connection) }
        case .close(let reason):
            leaveStreams(participant, because: reason)
            participant.end(at: self)
        }
    }

    private func runReading(_ effect: Effects.Effect, of connection: Connection) {
        switch effect {
        case .unsubscribe(let channel): unsubscribe(connection, channel)
        case .keyRequest(let channel, let slot): requestKey(connection, channel, slot)
        case .demand(let channel, let slot, let demand):
            guard let reader = connection.readers[channel] else { return }
            reader.limit(slot, to: demand, at: now, into: &orders)
            runOrders(of: reader.stream)
            setDeadline(of: reader.stream)
        case .pause(let channel, let slot):
            connection.readers[channel]?.change(slot) { $0.pause($1) }
        case .resume(let channel, let slot):
            connection.readers[channel]?.change(slot) { $0.resume($1, at: now) }
            if let reader = connection.readers[channel] { markDirty(reader.stream) }
        default: preconditionFailure("not about reading")
        }
    }

    /// What a publisher says of its tracks, done to the stream at its home.
    func apply(_ effect: Effects.Effect, to stream: Stream, _ epoch: Epoch) {
        switch effect {
        case .announce(_, let announced):
            do throws(Refusal) {
                try stream.announce(announced, epoch: epoch, at: now, into: &orders)
            } catch {
                log.warning("\(announced.slot) refused: \(error)", ["stream": stream.name])
            }
        case .format(_, let slot, let layer, let format):
            stream.change(
                format, slot: slot, layer: layer, epoch: epoch, at: now, into: &orders)
        case .tracksComplete: stream.tracksAreComplete(epoch: epoch, into: &orders)
        case .clock(_, let slot, let layer, let ntp, let ticks):
            stream.noteClock(
                slot: slot, layer: layer, ntp: ntp, ticks: ticks, epoch: epoch, at: now)
        case .roundTrip(_, let measured): stream.noteRoundTrip(measured, epoch: epoch)
        case .lost(_, let slot, let layer, let numbers):
            stream.noteLoss(
                numbers, slot: slot, layer: layer, epoch: epoch, at: now, into: &orders)
        case .silence(_, let isSilent):
            stream.noteSilence(isSilent, epoch: epoch, into: &orders)
        default: preconditionFailure("not about tracks")
        }
    }

    private func store(
        _ items: Range<Int>, _ slot: SlotName, _ layer: UInt8, of participant: Participant,
        _ channel: ChannelID
    ) {
        switch participant.publications[channel] {
        case .here(let local, let epoch):
            local.stream?.store(
                running, items: items, slot: slot, layer: layer, epoch: epoch, at: now,
                into: &orders)
            runOrders(of: local)
            markDirty(local)
        case .elsewhere(let feed): forward(items, slot, layer, by: feed)
        case nil: break
        }
    }
}
