package import Crypto
import Media
import RTP
package import Stream
package import Wire

/// What is the same for all packets of one call of `flush`.
struct Turn {
    let instant: Instant
    let milliseconds: UInt32
    let wall: WallClockModel

    init(at now: Instant, _ wall: WallClockModel) {
        instant = now
        self.wall = wall
        milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
    }
}

/// What became of a step towards one viewer.
enum Step {
    case done
    /// The batch has no room: the same step again with an empty one.
    case full
    /// The viewer takes nothing now: its path, its connection or its pace.
    case held
}

extension FanOut {
    /// Everything that is new or due, to every viewer: sound, repairs, pictures, reports.
    ///
    /// - Parameters:
    ///   - batch: Datagrams. After `.batchFull` the caller sends it and calls again.
    ///   - framed: Packets for ICE-TCP connections, as `.send(route, range)`.
    package func flush(
        at now: Instant, wall: WallClockModel, in stream: any ReadableStream,
        engine: inout CryptoEngine, batch: inout SendBatch, framed: inout RTCOutput,
        orders: inout Orders
    ) -> Flushed {
        if needsResolve { resolve(in: stream, at: now, into: &orders) }
        if !isResuming {
            turn &+= 1
            resumeAt = 0
        }
        gather(at: now)
        if !isResuming { dueAt = .distantFuture }
        let turn = Turn(at: now, wall)
        isResuming = serveAll(turn, &engine, &batch, &framed)
        protectJobs(&engine, &batch)
        guard !isResuming else { return .batchFull }
        for number in heads.indices { heads[number].from = heads[number].end }
        requestKeys(in: stream, at: now, into: &orders)
        return .done
    }

    /// - Returns: Whether the batch became full.
    private func serveAll(
        _ turn: Turn, _ engine: inout CryptoEngine, _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) -> Bool {
        let items = gathered
        while resumeAt < table.end {
            let place = resumeAt
            if table.isUsed(place) {
                let step = serve(
                    &table[hot: place], &table[cold: place], items.span, turn, &engine, &batch,
                    &framed)
                if step == .full { return true }
                dueAt = min(dueAt, table[hot: place].dueAt)
                noteHopeless(place)
            }
            resumeAt += 1
        }
        return false
    }

    private func noteHopeless(_ place: Int) {
        guard table[cold: place].isHopeless, !table[cold: place].wasToldHopeless else { return }
        table[cold: place].wasToldHopeless = true
        events.append(.hopeless(table.id(at: place)))
    }

    private func serve(
        _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ items: Span<GatherItem>,
        _ turn: Turn, _ engine: inout CryptoEngine, _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) -> Step {
        guard hot.isWritable else {
            hot.dueAt = .distantFuture
            return .done
        }
        batch.begin(to: hot.destination, from: hot.source)
        hot.dueAt = .distantFuture
        defer { hot.dueAt = min(hot.dueAt, cold.nextDue) }
        let audio = send(ViewerHot.audio, &hot, &cold, items, turn, &engine, &batch, &framed)
        if audio == .full { return .full }
        if hot.hasRepairs {
            let repairs = sendRepairs(&hot, &cold, turn, &engine, &batch, &framed)
            if repairs == .full { return .full }
        }
        if audio != .held {
            let video = send(ViewerHot.video, &hot, &cold, items, turn, &engine, &batch, &framed)
            if video == .full { return .full }
        }
        guard cold.reportAt <= turn.instant else { return .done }
        return sendReports(&hot, &cold, turn, &engine, &batch, &framed)
    }

    /// One slot of one viewer: the short way if it is where the turn began, else by the history.
    private func send(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold,
        _ items: Span<GatherItem>, _ turn: Turn, _ engine: inout CryptoEngine,
        _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        switch hot.slots[slot].state {
        case .absent, .paused: return .done
        case .empty, .waitKey, .join:
            return read(slot, &hot, &cold, turn, &engine, &batch, &framed)
        case .live: break
        }
        let head = heads[Int(hot.slots[slot].lane)]
        let isPlain =
            head.isOrdinary && (head.isBest || hot.slots[slot].isPinned)
            && hot.slots[slot].repairsSeen == head.repairCount && !hot.slots[slot].isSelective
            && !hot.slots[slot].needsRun && !hot.slots[slot].isSkipping && !hot.isPaced
        if isPlain, hot.slots[slot].next == head.end { return .done }
        guard isPlain, hot.slots[slot].next == head.from,
            hot.slots[slot].generation == head.generation
        else {
            return read(slot, &hot, &cold, turn, &engine, &batch, &framed)
        }
        for place in Int(head.itemsFrom)..<Int(head.itemsEnd) {
            let step = emit(items[place], slot, &hot, &cold, turn, &engine, &batch, &framed)
            guard step == .done else { return step }
        }
        hot.slots[slot].next = head.end
        return .done
    }

    /// Packets of AES-CM viewers, all at once.
    private func protectJobs(_ engine: inout CryptoEngine, _ batch: inout SendBatch) {
        guard !jobs.isEmpty else { return }
        var arena = batch.arenaBytes()
        engine.protect(jobs, in: &arena)
        jobs.removeAll(keepingCapacity: true)
    }

    private func requestKeys(
        in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        for number in heads.indices where heads[number].isKeyWished {
            heads[number].isKeyWished = false
            guard let lane = lanes[number] else { continue }
            stream.requestKey(lane.encoding.id, of: lane.rendition, at: now, into: &orders)
        }
    }
}
