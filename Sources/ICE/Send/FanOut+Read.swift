import Crypto
import Media
import RTP
import Stream
import Wire

/// The long way of a slot: joining, lagging, switching, selecting. Decisions fall at the start of a
/// frame and nowhere else.
extension FanOut {
    /// What a viewer that looks for its next packet finds.
    private enum Found {
        case item(Int64)
        case nothing
        /// Something changed: look again.
        case again
    }

    /// Reads the history itself until there is nothing more, or no room for it.
    func read(
        _ slot: ViewerSlot, _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let late = sendLate(slot, viewer, turn, &engine, &batch, &framed)
        guard late == .done else { return late }
        while true {
            switch find(slot, viewer, turn.instant) {
            case .again: continue
            case .nothing:
                if slot.isVideo, viewer.hot.flags[.isPaced], slot.hot.state == .live {
                    viewer.cold.pace.unlimit()
                    viewer.hot.flags[.isPaced] = false
                }
                return .done
            case .item(let index):
                guard let lane = lane(slot.hot.lane),
                    let item = GatherItem(lane.history, index)
                else { return .done }
                guard isPaid(item, slot, viewer, turn.instant) else { return .held }
                prepare(item, slot, viewer, turn.instant)
                let step = emit(item, slot, viewer, turn, &engine, &batch, &framed)
                guard step == .done else { return step }
            }
        }
    }

    private func find(
        _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> Found {
        switch slot.hot.state {
        case .absent, .paused: return .nothing
        case .empty, .waitKey: return begin(slot, viewer, now) ? .again : .nothing
        case .join, .live: break
        }
        guard let lane = lane(slot.hot.lane) else {
            slot.hot.state = .waitKey
            return .again
        }
        let history = lane.history
        guard slot.hot.next >= history.start else {
            rejoin(slot, keyAfter: .start)
            return .again
        }
        guard let index = history.nextPresent(from: slot.hot.next),
            let meta = history.meta(index)
        else { return idle(lane, slot, viewer, now) ? .again : .nothing }
        guard meta.startsFrame else {
            guard slot.hot.flags[.isSkipping] else { return .item(index) }
            skip(index, slot)
            return .again
        }
        return decide(index, meta, lane, slot, viewer, now)
    }

    /// At the start of a frame: go on, leave it out, change layer, or give up what is too late.
    private func decide(
        _ index: Int64, _ meta: ItemMeta, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Found {
        let wasSkipping = slot.hot.flags[.isSkipping]
        slot.hot.flags[.isSkipping] = false
        if slot.hot.state == .join {
            if index >= slot.cold.joinEnd { arrive(slot, viewer, now) }
            guard slot.hot.state != .waitKey else { return .again }
        } else if isLate(index, meta, lane, slot, viewer, now) {
            return .again
        }
        if slot.hot.state == .join, jumpAhead(index, lane, slot, viewer, now) {
            return .again
        }
        if let target = wantedLane(slot, viewer), target != slot.hot.lane,
            change(to: target, slot, viewer, now)
        {
            return .again
        }
        guard isWanted(meta, slot, viewer) else {
            if !wasSkipping, !slot.hot.flags[.needsRun] { endRun(slot) }
            skip(index, slot)
            slot.hot.flags[.isSkipping] = true
            slot.hot.flags[.needsRun] = true
            return .again
        }
        return .item(index)
    }

    private func skip(_ index: Int64, _ slot: ViewerSlot) {
        slot.hot.next = index + 1
    }

    private func isWanted(
        _ meta: ItemMeta, _ slot: ViewerSlot, _ viewer: Viewer
    ) -> Bool {
        guard slot.isVideo else { return true }
        if slot.cold.isKeyOnly, !meta.isKey { return false }
        if meta.temporal > slot.cold.temporalMaximum { return false }
        return slot.hot.state != .join || !meta.flags.contains(.discardable)
    }

    // MARK: Too late

    /// - Returns: True if the viewer goes on somewhere else.
    private func isLate(
        _ index: Int64, _ meta: ItemMeta, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Bool {
        let history = lane.history
        let lag = history.newestArrival - meta.arrival
        if let close = viewer.cold.rule.close, lag > close { viewer.hot.flags[.isHopeless] = true }
        guard lag > viewer.cold.rule.budget else { return false }
        let behind = Int32(clamping: lag.milliseconds)
        if history.beginsAnywhere {
            guard history.end - 1 > index else { return false }
            endRun(slot)
            slot.hot.next = history.end - 1
            slot.hot.flags[.needsRun] = true
            viewer.cold.decisions.note(.skippedToNewest, behind, at: now)
            return true
        }
        // A key frame that is itself too old would only begin the next lag.
        if let key = history.lastKey, key > index, let start = history.meta(key),
            !viewer.cold.rule.waitsAtHead
                || history.newestArrival - start.arrival <= viewer.cold.rule.budget
        {
            endRun(slot)
            slot.hot.next = key
            slot.hot.flags[.needsRun] = true
            viewer.cold.decisions.note(.skippedToKey, behind, at: now)
            return true
        }
        guard viewer.cold.rule.waitsAtHead else { return false }
        viewer.cold.decisions.note(.skippedToNewest, behind, at: now)
        rejoin(slot, keyAfter: history.newestArrival)
        heads[Int(slot.hot.lane)].isKeyWished = true
        return true
    }

    /// Ends the run and looks for a key frame that came after `keyAfter`.
    func rejoin(_ slot: ViewerSlot, keyAfter: Instant) {
        endRun(slot)
        slot.hot.state = .waitKey
        slot.hot.flags[.isSkipping] = false
        slot.cold.keyAfter = keyAfter
        slot.cold.keyFloor = keyAfter
        slot.cold.waitUntil = .distantFuture
        slot.cold.requestFailed = false
    }

    // MARK: Layers

    /// The lane this viewer should be in; nil: it has no choice.
    func wantedLane(
        _ slot: ViewerSlot, _ viewer: Viewer
    ) -> UInt8? {
        let feed = slot.hot.feed
        guard feed != Feed.none else { return nil }
        if case .rid(let rid) = slot.cold.wanted {
            for number in feeds[Int(feed)].lanes {
                guard let encoding = lane(number)?.encoding, encoding.rid == rid else { continue }
                if heads[Int(number)].isAlive { return number }
            }
        }
        let best = feeds[Int(feed)].best
        return best == Lane.none ? nil : best
    }

    /// Over to another layer at its key frame, if that is no older than what was read.
    private func change(
        to number: UInt8, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Bool {
        guard let present = lane(slot.hot.lane), let target = lane(number),
            !present.encoding.isEnded, present.leftAt == nil
        else { return false }
        let read = present.history.meta(slot.hot.next - 1)?.arrival
        guard let key = target.history.lastKey, let start = target.history.meta(key),
            start.arrival >= read ?? present.history.newestArrival
        else {
            heads[Int(number)].isKeyWished = true
            return false
        }
        endRun(slot)
        enterLane(slot, number)
        slot.hot.next = key
        slot.hot.flags[.needsRun] = true
        viewer.cold.decisions.note(.switchedEncoding, Int32(target.encoding.id.layer), at: now)
        return true
    }

    /// Nothing new where it reads: its publisher may have been replaced, its layer have died.
    private func idle(
        _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Bool {
        guard let target = wantedLane(slot, viewer), target != slot.hot.lane,
            let other = self.lane(target)
        else { return false }
        guard lane.encoding.isEnded || lane.leftAt != nil else {
            return !heads[Int(slot.hot.lane)].isAlive
                && change(to: target, slot, viewer, now)
        }
        guard !other.encoding.isEnded, !other.history.isEmpty else { return false }
        rejoin(slot, keyAfter: .start)
        leaveLane(slot)
        viewer.cold.decisions.note(.switchedEncoding, Int32(other.encoding.id.layer), at: now)
        return true
    }

    // MARK: Spreading

    /// Whether the pace allows another packet of pictures.
    private func isPaid(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> Bool {
        guard slot.isVideo else { return true }
        let head = heads[Int(slot.hot.lane)]
        if !viewer.hot.flags[.isPaced], item.isKey, item.startsFrame, slot.hot.state == .live,
            keyFrameSize(slot) > Self.keyFrameUnspread
        {
            let rate = max(JoinPlan.rateMinimum, 4 * head.bitsPerSecond)
            viewer.cold.pace.limit(to: rate, averageFrame: head.averageFrame, at: now)
            viewer.hot.flags[.isPaced] = true
        }
        guard viewer.hot.flags[.isPaced] else { return true }
        if viewer.cold.pace.maySend(at: now, averageFrame: head.averageFrame) { return true }
        if let due = viewer.cold.pace.dueAt { viewer.hot.dueAt = min(viewer.hot.dueAt, due) }
        return false
    }

    /// Bytes of what lies ahead of this viewer, up to what is spread anyway.
    private func keyFrameSize(_ slot: ViewerSlot) -> Int {
        lane(slot.hot.lane)?.history.bytesAhead(of: slot.hot.next) ?? 0
    }
}
