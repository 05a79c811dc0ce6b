import Crypto
import Media
import RTP
import Stream
import Wire

/// Runs: where the outgoing numbers and time stamps of a slot go on after a seam.
extension FanOut {
    /// Ends the open run before the packet that would be read next, and keeps what the next run
    /// has to go on from.
    func endRun(_ slot: ViewerSlot) {
        slot.hot.flags[.needsRun] = true
        guard slot.cold.runs.isOpen else { return }
        let run = slot.cold.runs.current
        let next = max(slot.hot.next, run.sourceFirst)
        slot.cold.runs.close(before: next)
        slot.cold.outNext = run.outIndex(of: next)
        guard next > run.sourceFirst else { return }
        let ticks = slot.hot.lastTicks
        slot.cold.lastTimestamp = run.timestamp(of: ticks)
        slot.cold.lastTicks = ticks
        slot.cold.lastLane = run.encoding
        guard let lane = lane(run.encoding) else { return }
        slot.cold.lastCapture = lane.encoding.capture(of: ticks)
        if lane.encoding.format.codec == .vp8 {
            notePicture(lane, before: next, run, slot)
        }
    }

    /// What the last picture was called on the way out.
    private func notePicture(
        _ lane: Lane, before next: Int64, _ run: Run, _ slot: ViewerSlot
    ) {
        var index = next - 1
        while index >= run.sourceFirst, index >= lane.history.start {
            if let item = GatherItem(lane.history, index) {
                var picture = VP8Picture(
                    item.payload, idOffset: item.pictureIDOffset, tl0Offset: item.tl0Offset)
                picture.id = picture.id.map { ($0 &+ run.pictureIDDelta) & 0x7fff }
                picture.tl0 = picture.tl0.map { $0 &+ run.tl0Delta }
                slot.cold.lastPicture = picture
                return
            }
            index -= 1
        }
    }

    /// Before a packet leaves: a run if there is none, the payload type if the format changed.
    func prepare(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) {
        if slot.hot.flags[.needsRun] {
            beginRun(item, slot, viewer, now)
        } else if slot.hot.generation != UInt8(truncatingIfNeeded: item.generation),
            item.startsFrame
        {
            let before = slot.hot.payloadType
            chooseType(item, slot, viewer)
            guard slot.hot.payloadType != before else { return }
            // A run has one type, so that what is sent again is the same again.
            slot.cold.runs.current.payloadType = before
            endRun(slot)
            beginRun(item, slot, viewer, now)
        }
    }

    /// The payload type by codec and profile: a format may change in the middle of an encoding.
    private func chooseType(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer
    ) {
        slot.hot.generation = UInt8(truncatingIfNeeded: item.generation)
        guard let lane = lane(slot.hot.lane),
            let codec = slot.cold.media?.codec(for: lane.encoding.format(at: item.index))
        else { return }
        slot.hot.payloadType = codec.payloadType
        slot.cold.runs.current.payloadType = codec.payloadType
        slot.cold.runs.current.repairType = codec.rtx ?? 0
    }

    private func beginRun(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) {
        guard let lane = lane(slot.hot.lane) else { return }
        let shift = slot.hot.state == .join ? slot.cold.shift : 0
        var run = Run(
            encoding: slot.hot.lane, sourceFirst: item.index,
            outFirst: slot.cold.outNext, ticksFirst: item.ticks,
            timestampFirst: slot.cold.lastTimestamp
                &+ advance(item, lane, slot, viewer),
            ticksShift: shift)
        if lane.encoding.format.codec == .vp8 {
            patch(&run, item, slot, viewer)
        }
        slot.cold.runs.begin(run)
        slot.hot.flags[.needsRun] = false
        slot.hot.next = item.index
        slot.hot.lastTicks = item.ticks
        slot.hot.outDelta = Int64(bitPattern: run.outFirst) &- item.index
        slot.hot.flags[.isLinear] = shift == 0
        slot.hot.timestampDelta =
            run.timestampFirst &- UInt32(truncatingIfNeeded: item.ticks)
        slot.hot.flags[.isPatched] = run.pictureIDDelta != 0 || run.tl0Delta != 0
        slot.hot.repairsSeen = UInt32(truncatingIfNeeded: lane.history.repairCount)
        // Each run says at its start when it was taken.
        let milliseconds = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
        slot.hot.capturedAt = milliseconds &- 1000
        chooseType(item, slot, viewer)
    }

    /// By how much the time stamp goes on: inside of one encoding as the source's own does, over
    /// to another by when the two pictures were taken (model.md "One clock per stream").
    private func advance(
        _ item: borrowing GatherItem, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer
    ) -> UInt32 {
        guard let before = slot.cold.lastCapture else { return 0 }
        var ticks: Int64
        if slot.cold.lastLane == slot.hot.lane {
            ticks = item.ticks &- slot.cold.lastTicks
            // What was left out of a join burst counts as little as what was sent of it.
            if slot.hot.state == .join { ticks >>= Int64(slot.cold.shift) }
        } else {
            let rate = lane.encoding.format(at: item.index).clockRate
            let passed = lane.encoding.capture(of: item.ticks) - before
            ticks = Timebase.ticks(nanoseconds: passed.nanoseconds, rate: rate)
        }
        return UInt32(truncatingIfNeeded: max(1, ticks))
    }

    private func patch(
        _ run: inout Run, _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer
    ) {
        guard let last = slot.cold.lastPicture else { return }
        let first = VP8Picture(
            item.payload, idOffset: item.pictureIDOffset, tl0Offset: item.tl0Offset)
        run.pictureIDDelta = last.idDelta(to: first)
        // Frames that were left out belong to higher layers: the count of the lowest goes on.
        let isKey = item.isKey
        let isContinued = slot.cold.lastLane == slot.hot.lane && !isKey
        run.tl0Delta =
            isContinued && slot.cold.runs.count > 0
            ? slot.cold.runs.current.tl0Delta : last.tl0Delta(to: first)
    }

    // MARK: What came late

    /// Holes of the present run that have been filled since: sent at once, under the numbers that
    /// were kept for them.
    func sendLate(
        _ slot: ViewerSlot, _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        guard slot.cold.runs.isOpen, !slot.hot.flags[.needsRun],
            let lane = lane(slot.hot.lane)
        else { return .done }
        let history = lane.history
        let first = slot.cold.runs.current.sourceFirst
        while slot.hot.repairsSeen != UInt32(truncatingIfNeeded: history.repairCount) {
            let behind =
                UInt32(truncatingIfNeeded: history.repairCount)
                &- slot.hot.repairsSeen
            if let index = history.repair(history.repairCount &- UInt64(behind)), index >= first,
                index < slot.hot.next, let item = GatherItem(history, index)
            {
                let step = emit(item, slot, viewer, turn, &engine, &batch, &framed)
                guard step == .done else { return step }
            }
            slot.hot.repairsSeen &+= 1
        }
        return .done
    }
}
