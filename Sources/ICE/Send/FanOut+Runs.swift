import Crypto
import Media
import RTP
import Stream
import Wire

/// Runs: where the outgoing numbers and time stamps of a slot go on after a seam.
extension FanOut {
    /// Ends the open run before the packet that would be read next, and keeps what the next run
    /// has to go on from.
    func endRun(_ hot: inout ViewerHot, _ cold: inout ViewerCold, _ slot: Int) {
        hot.slots[slot].needsRun = true
        guard cold.slots[slot].runs.isOpen else { return }
        let run = cold.slots[slot].runs.current
        let next = max(hot.slots[slot].next, run.sourceFirst)
        cold.slots[slot].runs.close(before: next)
        cold.slots[slot].outNext = run.outIndex(of: next)
        guard next > run.sourceFirst else { return }
        let ticks = hot.slots[slot].lastTicks
        cold.slots[slot].lastTimestamp = run.timestamp(of: ticks)
        cold.slots[slot].lastTicks = ticks
        cold.slots[slot].lastLane = run.encoding
        guard let lane = lane(run.encoding) else { return }
        cold.slots[slot].lastCapture = lane.encoding.capture(of: ticks)
        if lane.encoding.format.codec == .vp8 {
            notePicture(lane, before: next, run, &cold.slots[slot])
        }
    }

    /// What the last picture was called on the way out.
    private func notePicture(
        _ lane: Lane, before next: Int64, _ run: Run, _ cold: inout SlotCold
    ) {
        var index = next - 1
        while index >= run.sourceFirst, index >= lane.history.start {
            if let item = GatherItem(lane.history, index) {
                var picture = VP8Picture(
                    item.payload, idOffset: item.pictureIDOffset, tl0Offset: item.tl0Offset)
                picture.id = picture.id.map { ($0 &+ run.pictureIDDelta) & 0x7fff }
                picture.tl0 = picture.tl0.map { $0 &+ run.tl0Delta }
                cold.lastPicture = picture
                return
            }
            index -= 1
        }
    }

    /// Before a packet leaves: a run if there is none, the payload type if the format changed.
    func prepare(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) {
        if hot.slots[slot].needsRun {
            beginRun(item, slot, &hot, &cold, now)
        } else if hot.slots[slot].generation != UInt8(truncatingIfNeeded: item.generation),
            item.startsFrame
        {
            let before = hot.slots[slot].payloadType
            chooseType(item, slot, &hot, &cold)
            guard hot.slots[slot].payloadType != before else { return }
            // A run has one type, so that what is sent again is the same again.
            cold.slots[slot].runs.current.payloadType = before
            endRun(&hot, &cold, slot)
            beginRun(item, slot, &hot, &cold, now)
        }
    }

    /// The payload type by codec and profile: a format may change in the middle of an encoding.
    private func chooseType(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold
    ) {
        hot.slots[slot].generation = UInt8(truncatingIfNeeded: item.generation)
        guard let lane = lane(hot.slots[slot].lane),
            let codec = cold.slots[slot].media?.codec(for: lane.encoding.format(at: item.index))
        else { return }
        hot.slots[slot].payloadType = codec.payloadType
        cold.slots[slot].runs.current.payloadType = codec.payloadType
        cold.slots[slot].runs.current.repairType = codec.rtx ?? 0
    }

    private func beginRun(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) {
        guard let lane = lane(hot.slots[slot].lane) else { return }
        let shift = hot.slots[slot].state == .join ? cold.slots[slot].shift : 0
        var run = Run(
            encoding: hot.slots[slot].lane, sourceFirst: item.index,
            outFirst: cold.slots[slot].outNext, ticksFirst: item.ticks,
            timestampFirst: cold.slots[slot].lastTimestamp
                &+ advance(item, lane, slot, hot, cold),
            ticksShift: shift)
        if lane.encoding.format.codec == .vp8 {
            patch(&run, item, slot, hot, cold)
        }
        cold.slots[slot].runs.begin(run)
        hot.slots[slot].needsRun = false
        hot.slots[slot].next = item.index
        hot.slots[slot].lastTicks = item.ticks
        hot.slots[slot].outDelta = Int64(bitPattern: run.outFirst) &- item.index
        hot.slots[slot].isLinear = shift == 0
        hot.slots[slot].timestampDelta =
            run.timestampFirst &- UInt32(truncatingIfNeeded: item.ticks)
        hot.slots[slot].isPatched = run.pictureIDDelta != 0 || run.tl0Delta != 0
        hot.slots[slot].repairsSeen = UInt32(truncatingIfNeeded: lane.history.repairCount)
        // Each run says at its start when it was taken.
        let milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
        hot.slots[slot].capturedAt = milliseconds &- 1000
        chooseType(item, slot, &hot, &cold)
    }

    /// By how much the time stamp goes on: inside of one encoding as the source's own does, over
    /// to another by when the two pictures were taken (model.md "One clock per stream").
    private func advance(
        _ item: borrowing GatherItem, _ lane: Lane, _ slot: Int, _ hot: borrowing ViewerHot,
        _ cold: borrowing ViewerCold
    ) -> UInt32 {
        guard let before = cold.slots[slot].lastCapture else { return 0 }
        var ticks: Int64
        if cold.slots[slot].lastLane == hot.slots[slot].lane {
            ticks = item.ticks &- cold.slots[slot].lastTicks
            // What was left out of a join burst counts as little as what was sent of it.
            if hot.slots[slot].state == .join { ticks >>= Int64(cold.slots[slot].shift) }
        } else {
            let rate = lane.encoding.format(at: item.index).clockRate
            let passed = lane.encoding.capture(of: item.ticks) - before
            ticks = Timebase.ticks(nanoseconds: passed.nanoseconds, rate: rate)
        }
        return UInt32(truncatingIfNeeded: max(1, ticks))
    }

    private func patch(
        _ run: inout Run, _ item: borrowing GatherItem, _ slot: Int, _ hot: borrowing ViewerHot,
        _ cold: borrowing ViewerCold
    ) {
        guard let last = cold.slots[slot].lastPicture else { return }
        let first = VP8Picture(
            item.payload, idOffset: item.pictureIDOffset, tl0Offset: item.tl0Offset)
        run.pictureIDDelta = last.idDelta(to: first)
        // Frames that were left out belong to higher layers: the count of the lowest goes on.
        let isKey = item.isKey
        let isContinued = cold.slots[slot].lastLane == hot.slots[slot].lane && !isKey
        run.tl0Delta =
            isContinued && cold.slots[slot].runs.count > 0
            ? cold.slots[slot].runs.current.tl0Delta : last.tl0Delta(to: first)
    }

    // MARK: What came late

    /// Holes of the present run that have been filled since: sent at once, under the numbers that
    /// were kept for them.
    func sendLate(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        guard cold.slots[slot].runs.isOpen, !hot.slots[slot].needsRun,
            let lane = lane(hot.slots[slot].lane)
        else { return .done }
        let history = lane.history
        let first = cold.slots[slot].runs.current.sourceFirst
        while hot.slots[slot].repairsSeen != UInt32(truncatingIfNeeded: history.repairCount) {
            let behind =
                UInt32(truncatingIfNeeded: history.repairCount)
                &- hot.slots[slot].repairsSeen
            if let index = history.repair(history.repairCount &- UInt64(behind)), index >= first,
                index < hot.slots[slot].next, let item = GatherItem(history, index)
            {
                let step = emit(item, slot, &hot, &cold, turn, &engine, &batch, &framed)
                guard step == .done else { return step }
            }
            hot.slots[slot].repairsSeen &+= 1
        }
        return .done
    }
}
