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
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let late = sendLate(slot, &hot, &cold, turn, &engine, &batch, &framed)
        guard late == .done else { return late }
        while true {
            switch find(slot, &hot, &cold, turn.instant) {
            case .again: continue
            case .nothing:
                if slot == ViewerHot.video, hot.isPaced, hot.slots[slot].state == .live {
                    cold.pace.unlimit()
                    hot.isPaced = false
                }
                return .done
            case .item(let index):
                guard let lane = lane(hot.slots[slot].lane),
                    let item = GatherItem(lane.history, index)
                else { return .done }
                guard isPaid(item, slot, &hot, &cold, turn.instant) else { return .held }
                prepare(item, slot, &hot, &cold, turn.instant)
                let step = emit(item, slot, &hot, &cold, turn, &engine, &batch, &framed)
                guard step == .done else { return step }
            }
        }
    }

    private func find(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ now: Instant
    ) -> Found {
        switch hot.slots[slot].state {
        case .absent, .paused: return .nothing
        case .empty, .waitKey: return begin(slot, &hot, &cold, now) ? .again : .nothing
        case .join, .live: break
        }
        guard let lane = lane(hot.slots[slot].lane) else {
            hot.slots[slot].state = .waitKey
            return .again
        }
        let history = lane.history
        guard hot.slots[slot].next >= history.start else {
            rejoin(slot, &hot, &cold, keyAfter: .start)
            return .again
        }
        guard let index = history.nextPresent(from: hot.slots[slot].next),
            let meta = history.meta(index)
        else { return idle(lane, slot, &hot, &cold, now) ? .again : .nothing }
        guard meta.startsFrame else {
            guard hot.slots[slot].isSkipping else { return .item(index) }
            skip(index, slot, &hot)
            return .again
        }
        return decide(index, meta, lane, slot, &hot, &cold, now)
    }

    /// At the start of a frame: go on, leave it out, change layer, or give up what is too late.
    private func decide(
        _ index: Int64, _ meta: ItemMeta, _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Found {
        let wasSkipping = hot.slots[slot].isSkipping
        hot.slots[slot].isSkipping = false
        if hot.slots[slot].state == .join {
            if index >= cold.slots[slot].joinEnd { arrive(slot, &hot, &cold, now) }
        } else if isLate(index, meta, lane, slot, &hot, &cold, now) {
            return .again
        }
        if hot.slots[slot].state == .join, jumpAhead(index, lane, slot, &hot, &cold, now) {
            return .again
        }
        if let target = wantedLane(slot, hot, cold), target != hot.slots[slot].lane,
            change(to: target, slot, &hot, &cold, now)
        {
            return .again
        }
        guard isWanted(meta, slot, hot, cold) else {
            if !wasSkipping, !hot.slots[slot].needsRun { endRun(&hot, &cold, slot) }
            skip(index, slot, &hot)
            hot.slots[slot].isSkipping = true
            hot.slots[slot].needsRun = true
            return .again
        }
        return .item(index)
    }

    private func skip(_ index: Int64, _ slot: Int, _ hot: inout ViewerHot) {
        hot.slots[slot].next = index + 1
    }

    private func isWanted(
        _ meta: ItemMeta, _ slot: Int, _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold
    ) -> Bool {
        guard slot == ViewerHot.video else { return true }
        if cold.slots[slot].isKeyOnly, !meta.isKey { return false }
        if meta.temporal > cold.slots[slot].temporalMaximum { return false }
        return hot.slots[slot].state != .join || !meta.flags.contains(.discardable)
    }

    // MARK: Too late

    /// - Returns: True if the viewer goes on somewhere else.
    private func isLate(
        _ index: Int64, _ meta: ItemMeta, _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        let history = lane.history
        let lag = history.newestArrival - meta.arrival
        if let close = cold.rule.close, lag > close { cold.isHopeless = true }
        guard lag > cold.rule.budget else { return false }
        let behind = Int32(clamping: lag.milliseconds)
        if history.beginsAnywhere {
            guard history.end - 1 > index else { return false }
            endRun(&hot, &cold, slot)
            hot.slots[slot].next = history.end - 1
            hot.slots[slot].needsRun = true
            cold.decisions.note(.skippedToNewest, behind, at: now)
            return true
        }
        // A key frame that is itself too old would only begin the next lag.
        if let key = history.lastKey, key > index, let start = history.meta(key),
            !cold.rule.waitsAtHead || history.newestArrival - start.arrival <= cold.rule.budget
        {
            endRun(&hot, &cold, slot)
            hot.slots[slot].next = key
            hot.slots[slot].needsRun = true
            cold.decisions.note(.skippedToKey, behind, at: now)
            return true
        }
        guard cold.rule.waitsAtHead else { return false }
        cold.decisions.note(.skippedToNewest, behind, at: now)
        rejoin(slot, &hot, &cold, keyAfter: history.newestArrival)
        heads[Int(hot.slots[slot].lane)].isKeyWished = true
        return true
    }

    /// Ends the run and looks for a key frame that came after `keyAfter`.
    func rejoin(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, keyAfter: Instant
    ) {
        endRun(&hot, &cold, slot)
        hot.slots[slot].state = .waitKey
        hot.slots[slot].isSkipping = false
        cold.slots[slot].keyAfter = keyAfter
        cold.slots[slot].keyFloor = keyAfter
        cold.slots[slot].waitUntil = .distantFuture
        cold.slots[slot].requestFailed = false
    }

    // MARK: Layers

    /// The lane this viewer should be in; nil: it has no choice.
    func wantedLane(
        _ slot: Int, _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold
    ) -> UInt8? {
        let feed = hot.slots[slot].feed
        guard feed != Feed.none else { return nil }
        if case .rid(let rid) = cold.slots[slot].wanted {
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
        to number: UInt8, _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold,
        _ now: Instant
    ) -> Bool {
        guard let present = lane(hot.slots[slot].lane), let target = lane(number),
            !present.encoding.isEnded, present.leftAt == nil
        else { return false }
        let read = present.history.meta(hot.slots[slot].next - 1)?.arrival
        guard let key = target.history.lastKey, let start = target.history.meta(key),
            start.arrival >= read ?? present.history.newestArrival
        else {
            heads[Int(number)].isKeyWished = true
            return false
        }
        endRun(&hot, &cold, slot)
        enterLane(&hot, slot, number)
        hot.slots[slot].next = key
        hot.slots[slot].needsRun = true
        cold.decisions.note(.switchedEncoding, Int32(target.encoding.id.layer), at: now)
        return true
    }

    /// Nothing new where it reads: its publisher may have been replaced, its layer have died.
    private func idle(
        _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold,
        _ now: Instant
    ) -> Bool {
        guard let target = wantedLane(slot, hot, cold), target != hot.slots[slot].lane,
            let other = self.lane(target)
        else { return false }
        guard lane.encoding.isEnded || lane.leftAt != nil else {
            return !heads[Int(hot.slots[slot].lane)].isAlive
                && change(to: target, slot, &hot, &cold, now)
        }
        guard !other.encoding.isEnded, !other.history.isEmpty else { return false }
        rejoin(slot, &hot, &cold, keyAfter: .start)
        leaveLane(&hot, slot)
        cold.decisions.note(.switchedEncoding, Int32(other.encoding.id.layer), at: now)
        return true
    }

    // MARK: Spreading

    /// Whether the pace allows another packet of pictures.
    private func isPaid(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        guard slot == ViewerHot.video else { return true }
        let head = heads[Int(hot.slots[slot].lane)]
        if !hot.isPaced, item.isKey, item.startsFrame, hot.slots[slot].state == .live,
            keyFrameSize(slot, hot) > Self.keyFrameUnspread
        {
            let rate = max(JoinPlan.rateMinimum, 4 * head.bitsPerSecond)
            cold.pace.limit(to: rate, averageFrame: head.averageFrame, at: now)
            hot.isPaced = true
        }
        guard hot.isPaced else { return true }
        if cold.pace.maySend(at: now, averageFrame: head.averageFrame) { return true }
        if let due = cold.pace.dueAt { hot.dueAt = min(hot.dueAt, due) }
        return false
    }

    /// Bytes of what lies ahead of this viewer, up to what is spread anyway.
    private func keyFrameSize(_ slot: Int, _ hot: borrowing ViewerHot) -> Int {
        lane(hot.slots[slot].lane)?.history.bytesAhead(of: hot.slots[slot].next) ?? 0
    }
}
