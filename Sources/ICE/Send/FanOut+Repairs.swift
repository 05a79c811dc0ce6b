import Crypto
import Media
import RTP
import Stream
import Wire

/// What viewers ask for again: read from the shared history once more, within a budget.
extension FanOut {
    func sendRepairs(
        _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let (refused, missing) = (
            viewer.cold.traffic.repairsRefused, viewer.cold.traffic.repairsMissing
        )
        while let entry = viewer.cold.asked.first {
            let step = repeatPacket(entry, viewer, turn, &engine, &batch, &framed)
            guard step == .done else { return step }
            viewer.cold.asked.removeFirst()
        }
        viewer.hot.flags[.hasRepairs] = false
        if viewer.cold.traffic.repairsRefused > refused {
            let count = viewer.cold.traffic.repairsRefused - refused
            viewer.cold.decisions.note(.repairRefused, Int32(clamping: count), at: turn.instant)
        }
        if viewer.cold.traffic.repairsMissing > missing {
            let count = viewer.cold.traffic.repairsMissing - missing
            viewer.cold.decisions.note(.repairMissing, Int32(clamping: count), at: turn.instant)
            // What cannot be repaired has to be begun anew.
            let lane = viewer.slot(ViewerHot.video).hot.lane
            if lane != Lane.none { heads[Int(lane)].isKeyWished = true }
        }
        return .done
    }

    private func repeatPacket(
        _ entry: AskedPackets.Entry, _ viewer: Viewer,
        _ turn: Turn, _ engine: inout CryptoEngine, _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) -> Step {
        let slot = viewer.slot(Int(entry.slot))
        let interval = RepairBudget.interval(
            roundTrip: viewer.cold.estimator.roundTrip ?? Estimator.assumedRoundTrip)
        guard viewer.cold.asked.isDue(entry, every: interval, at: turn.instant) else {
            return .done
        }
        guard let run = slot.cold.runs.run(out: entry.outIndex),
            let lane = lane(run.encoding),
            let item = GatherItem(lane.history, run.sourceIndex(of: entry.outIndex)),
            run.sourceEnd != Run.openEnd || item.index < slot.hot.next
        else {
            viewer.cold.traffic.repairsMissing += 1
            return .done
        }
        let room = Self.headerMaximum + Int(item.length) + 2 + 2 * Self.tagMaximum
        guard batch.fits(room) else { return .full }
        if viewer.hot.flags[.isConnection] { return .done }  // TCP repairs by itself.
        let hasStream = slot.cold.hasRTX && run.repairType != 0
        let original =
            hasStream ? nil : viewer.cold.sent.media(slot: slot.number, outIndex: entry.outIndex)
        guard hasStream || (original != nil && slot.cold.repeatsPlainly) else {
            viewer.cold.traffic.repairsMissing += 1
            return .done
        }
        let rate = heads[Int(run.encoding)].bitsPerSecond
        guard viewer.cold.budget.take(Int(item.length), mediaRate: rate, at: turn.instant) else {
            viewer.cold.traffic.repairsRefused += 1
            return .done
        }
        // Before it is protected: what is submitted is written, whether it leaves or not.
        guard
            viewer.hot.flags[.isValidated]
                || viewer.cold.session.admitSending(room, on: viewer.cold.route)
        else { return .done }
        var window = batch.window(room)
        let total: Int
        if let original {
            total = writeAgain(item, run, entry, original, viewer, &engine, &window)
        } else {
            total = writeRTX(item, run, entry, viewer, &engine, &window)
        }
        guard total > 0 else { return .done }
        batch.commit(total)
        noteRepair(item, run, entry, total, isRTX: original == nil, viewer, turn)
        return .done
    }

    private func noteRepair(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry, _ total: Int,
        isRTX: Bool, _ viewer: Viewer, _ turn: Turn
    ) {
        viewer.cold.asked.note(entry, at: turn.instant)
        viewer.cold.traffic.repairs += 1
        viewer.cold.traffic.repairBytes += UInt64(total)
        if viewer.hot.flags[.isPaced] { viewer.cold.pace.charge(total) }
        guard isRTX else { return }
        viewer.cold.sent.note(
            transport: viewer.hot.transport, slot: Int(entry.slot), kind: .repair,
            outIndex: entry.outIndex, sourceIndex: item.index, size: total, at: turn.stamp)
        viewer.hot.transport &+= 1
        viewer.slot(Int(entry.slot)).cold.rtxNext += 1
    }

    /// RFC 4588: a stream of its own, with the lost number in front of the payload.
    @_lifetime(window: copy window)
    private func writeRTX(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry,
        _ viewer: Viewer, _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) -> Int {
        let slot = viewer.slot(Int(entry.slot))
        let index = slot.cold.rtxNext
        let ssrc = slot.cold.rtxSSRC
        var headerCount = 0
        do {
            var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum + 2))
            var header = RTPHeaderWriter(
                payloadType: run.repairType, marker: item.hasMarker,
                sequence: UInt16(truncatingIfNeeded: index),
                timestamp: run.timestamp(of: item.ticks), ssrc: ssrc, padded: item.padding > 0,
                into: &out)
            header.write(id: slot.hot.transportID, uint16: viewer.hot.transport, into: &out)
            if slot.hot.flags[.needsMid], !viewer.cold.omitsMidOnRTX, let mid = slot.cold.mid {
                header.write(id: slot.hot.midID, mid, into: &out)
            }
            headerCount = header.finish(into: &out)
            out.write(UInt16(truncatingIfNeeded: entry.outIndex))
        }
        let payload = headerCount + 2
        copy(item, run, at: payload, &window)
        finish(headerCount, 2 + Int(item.length), ssrc, index, viewer, &engine, &window)
        return payload + Int(item.length) + viewer.hot.tagCount
    }

    /// The very same packet, to the last byte: its number would otherwise be used twice
    /// (RFC 7714 §8.4). So only what the record of it says again goes into its header.
    @_lifetime(window: copy window)
    private func writeAgain(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry,
        _ original: (record: SentRing.Record, transport: UInt16),
        _ viewer: Viewer, _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) -> Int {
        let slot = viewer.slot(Int(entry.slot))
        let wanted = Int(original.record.size) - Int(item.length) - viewer.hot.tagCount
        let plain = slot.hot.transportID == 0 ? 12 : 20
        var headerCount = 0
        do {
            var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum))
            var header = RTPHeaderWriter(
                payloadType: run.payloadType, marker: item.hasMarker,
                sequence: UInt16(truncatingIfNeeded: entry.outIndex),
                timestamp: run.timestamp(of: item.ticks), ssrc: slot.hot.ssrc,
                padded: item.padding > 0, into: &out)
            header.write(id: slot.hot.transportID, uint16: original.transport, into: &out)
            if wanted != plain, let mid = slot.cold.mid {
                header.write(id: slot.hot.midID, mid, into: &out)
            }
            headerCount = header.finish(into: &out)
        }
        guard headerCount == wanted else { return 0 }
        copy(item, run, at: headerCount, &window)
        finish(
            headerCount, Int(item.length), slot.hot.ssrc, entry.outIndex, viewer, &engine, &window)
        return headerCount + Int(item.length) + viewer.hot.tagCount
    }

    @_lifetime(window: copy window)
    private func copy(
        _ item: borrowing GatherItem, _ run: Run, at offset: Int, _ window: inout MutableRawSpan
    ) {
        window.copy(item.payload, at: offset)
        if run.pictureIDDelta != 0 || run.tl0Delta != 0 {
            VP8Picture.patch(&window, at: offset, item, run)
        }
    }
}
