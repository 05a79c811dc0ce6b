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
                prefetch(behind: place, engine)
                let step = serve(
                    table[place], items.span, turn, &engine, &batch, &framed)
                if step == .full { return true }
                dueAt = min(dueAt, table[place].hot.dueAt)
                if table[place].hot.isHopeless { sayHopeless(place) }
            }
            resumeAt += 1
        }
        return false
    }

    private func serve(
        _ viewer: Viewer, _ items: Span<GatherItem>, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let isDue = viewer.hot.dueAt <= turn.instant
        // The steps say when they want to be called again.
        if isDue { viewer.hot.dueAt = .distantFuture }
        guard viewer.hot.isWritable else { return .done }
        batch.begin(to: viewer.hot.destination, from: viewer.hot.source)
        var step = sendMedia(viewer, items, turn, &engine, &batch, &framed)
        guard isDue || viewer.hot.reportsNow else { return step }
        if step != .full, viewer.cold.reportAt <= turn.instant {
            step = sendReports(viewer, turn, &engine, &batch, &framed)
        }
        if step == .full {
            viewer.hot.dueAt = turn.instant
        } else {
            viewer.hot.reportsNow = false
            viewer.hot.dueAt = min(viewer.hot.dueAt, viewer.nextDue(after: turn.instant))
        }
        return step
    }

    private func sendMedia(
        _ viewer: Viewer, _ items: Span<GatherItem>, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let sound = viewer.slot(ViewerHot.audio)
        let audio = send(sound, viewer, items, turn, &engine, &batch, &framed)
        guard audio == .done else { return audio }
        if viewer.hot.hasRepairs {
            let repairs = sendRepairs(viewer, turn, &engine, &batch, &framed)
            guard repairs == .done else { return repairs }
        }
        let picture = viewer.slot(ViewerHot.video)
        return send(picture, viewer, items, turn, &engine, &batch, &framed)
    }

    /// One slot of one viewer: the short way if it is where the turn began, else by the history.
    private func send(
        _ slot: ViewerSlot, _ viewer: Viewer,
        _ items: Span<GatherItem>, _ turn: Turn, _ engine: inout CryptoEngine,
        _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        switch slot.hot.state {
        case .absent, .paused: return .done
        case .empty, .waitKey, .join:
            return read(slot, viewer, turn, &engine, &batch, &framed)
        case .live: break
        }
        let head = heads[Int(slot.hot.lane)]
        let isPlain =
            head.isOrdinary && (head.isBest || slot.hot.isPinned)
            && slot.hot.repairsSeen == head.repairCount && !slot.hot.isSelective
            && !slot.hot.needsRun && !slot.hot.isSkipping && !viewer.hot.isPaced
        if isPlain, slot.hot.next == head.end { return .done }
        guard isPlain, slot.hot.next == head.from,
            slot.hot.generation == head.generation
        else {
            return read(slot, viewer, turn, &engine, &batch, &framed)
        }
        for place in Int(head.itemsFrom)..<Int(head.itemsEnd) {
            let step = emit(items[place], slot, viewer, turn, &engine, &batch, &framed)
            guard step == .done else { return step }
        }
        slot.hot.next = head.end
        return .done
    }

    /// The key of the next viewer comes nearer while this one is served.
    private func prefetch(behind place: Int, _ engine: borrowing CryptoEngine) {
        guard place + 1 < table.end, table.isUsed(place + 1) else { return }
        engine.prefetch(table[place + 1].hot.key)
    }

    private func sayHopeless(_ place: Int) {
        table[place].hot.isHopeless = false
        guard !table[place].cold.wasHopeless else { return }
        table[place].cold.wasHopeless = true
        events.append(.hopeless(table.id(at: place)))
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
