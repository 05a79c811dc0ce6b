package import Crypto
import Media
import RTP
package import Stream
package import Wire

/// What is the same for all packets of one call of `flush`.
struct Turn {
    let instant: Instant
    let milliseconds: UInt32
    /// As records of sent packets have it.
    let stamp: UInt32
    let wall: WallClockModel

    init(at now: Instant, _ wall: WallClockModel) {
        instant = now
        self.wall = wall
        milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
        stamp = SentRing.stamp(now)
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

/// What was stored since the last turn, as all viewers of a stream find it.
private struct New: ~Escapable {
    let heads: Span<LaneHead>
    let items: Span<GatherItem>

    @_lifetime(copy heads, copy items)
    init(heads: Span<LaneHead>, items: Span<GatherItem>) {
        self.heads = heads
        self.items = items
    }
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
        if !isResuming || !isGathered(at: now) { gather(at: now) }
        if !isResuming { dueAt = .distantFuture }
        let turn = Turn(at: now, wall)
        isResuming = serveAll(turn, &engine, &batch, &framed)
        engine.finish()
        guard !isResuming else { return .batchFull }
        for number in heads.indices { heads[number].from = heads[number].end }
        tellDemand(in: stream, at: now, into: &orders)
        requestKeys(in: stream, at: now, into: &orders)
        return .done
    }

    /// - Returns: Whether the batch became full.
    private func serveAll(
        _ turn: Turn, _ engine: inout CryptoEngine, _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) -> Bool {
        let news = (heads: gatheredHeads, items: gathered)
        let new = New(heads: news.heads.span, items: news.items.span)
        let seats = table.seats
        var (place, due) = (resumeAt, dueAt)
        defer { (resumeAt, dueAt) = (place, due) }
        while place < seats.end {
            if seats.isUsed(place) {
                prefetch(behind: place, seats, engine)
                let viewer = seats[place]
                if serve(viewer, new, turn, &engine, &batch, &framed) == .full { return true }
                due = min(due, viewer.hot.dueAt)
                if viewer.hot.flags[.isHopeless] { sayHopeless(place) }
            }
            place += 1
        }
        return false
    }

    private func serve(
        _ viewer: Viewer, _ new: New, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let isDue = viewer.hot.dueAt <= turn.instant
        // The steps say when they want to be called again.
        if isDue { viewer.hot.dueAt = .distantFuture }
        guard viewer.hot.flags[.isWritable] else { return .done }
        batch.begin(to: viewer.hot.destination, from: viewer.hot.source)
        var step = sendMedia(viewer, new, turn, &engine, &batch, &framed)
        guard isDue || viewer.hot.flags[.reportsNow] else { return step }
        if step != .full, viewer.cold.reportAt <= turn.instant {
            step = sendReports(viewer, turn, &engine, &batch, &framed)
        }
        if step == .full {
            viewer.hot.dueAt = turn.instant
        } else {
            viewer.hot.flags[.reportsNow] = false
            viewer.hot.dueAt = min(viewer.hot.dueAt, viewer.nextDue(after: turn.instant))
        }
        return step
    }

    private func sendMedia(
        _ viewer: Viewer, _ new: New, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let sound = viewer.slot(ViewerHot.audio)
        let audio = send(sound, viewer, new, turn, &engine, &batch, &framed)
        guard audio == .done else { return audio }
        if viewer.hot.flags[.hasRepairs] {
            let repairs = sendRepairs(viewer, turn, &engine, &batch, &framed)
            guard repairs == .done else { return repairs }
        }
        let picture = viewer.slot(ViewerHot.video)
        return send(picture, viewer, new, turn, &engine, &batch, &framed)
    }

    /// One slot of one viewer: the short way if it is where the turn began, else by the history.
    private func send(
        _ slot: ViewerSlot, _ viewer: Viewer, _ new: New, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        switch slot.hot.state {
        case .absent, .paused: return .done
        case .empty, .waitKey, .join:
            return read(slot, viewer, turn, &engine, &batch, &framed)
        case .live: break
        }
        let head = new.heads[Int(slot.hot.lane)]
        let isPlain =
            head.isOrdinary && (head.isBest || slot.hot.flags[.isPinned])
            && slot.hot.repairsSeen == head.repairCount && !slot.hot.flags[.isSelective]
            && !slot.hot.flags[.needsRun] && !slot.hot.flags[.isSkipping]
            && !viewer.hot.flags[.isPaced]
        if isPlain, slot.hot.next == head.end { return .done }
        guard isPlain, slot.hot.next == head.from,
            slot.hot.generation == head.generation
        else {
            return read(slot, viewer, turn, &engine, &batch, &framed)
        }
        // A run that is cut in two costs a message more.
        guard batch.isEmpty || batch.fits(Int(head.room)) else { return .full }
        for place in Int(head.itemsFrom)..<Int(head.itemsEnd) {
            let step = emit(new.items[place], slot, viewer, turn, &engine, &batch, &framed)
            guard step == .done else { return step }
        }
        slot.hot.next = head.end
        return .done
    }

    /// What the next viewer needs comes nearer while this one is served: its key, where its next
    /// packets are recorded, and, so that this is known in time, the record's place of the one
    /// after it.
    private func prefetch(
        behind place: Int, _ seats: Seats, _ engine: borrowing CryptoEngine
    ) {
        if seats.isUsed(place + 2) { seats[place + 2].prefetch() }
        guard seats.isUsed(place + 1) else { return }
        let viewer = seats[place + 1]
        viewer.cold.sent.prefetch(viewer.hot.transport)
        engine.prefetch(viewer.hot.key, isGCM: viewer.hot.flags[.isGCM])
    }

    private func sayHopeless(_ place: Int) {
        table[place].hot.flags[.isHopeless] = false
        guard !table[place].cold.wasHopeless else { return }
        table[place].cold.wasHopeless = true
        events.append(.hopeless(table.id(at: place)))
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
