import Crypto
import Media
import RTP
import Stream
import Wire

/// What viewers ask for again: read from the shared history once more, within a budget.
extension FanOut {
    func sendRepairs(
        _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let (refused, missing) = (cold.traffic.repairsRefused, cold.traffic.repairsMissing)
        while let entry = cold.asked.first {
            let step = repeatPacket(entry, &hot, &cold, turn, &engine, &batch, &framed)
            guard step == .done else { return step }
            cold.asked.removeFirst()
        }
        hot.hasRepairs = false
        if cold.traffic.repairsRefused > refused {
            let count = cold.traffic.repairsRefused - refused
            cold.decisions.note(.repairRefused, Int32(clamping: count), at: turn.instant)
        }
        if cold.traffic.repairsMissing > missing {
            let count = cold.traffic.repairsMissing - missing
            cold.decisions.note(.repairMissing, Int32(clamping: count), at: turn.instant)
            // What cannot be repaired has to be begun anew.
            let lane = hot.slots[ViewerHot.video].lane
            if lane != Lane.none { heads[Int(lane)].isKeyWished = true }
        }
        return .done
    }

    private func repeatPacket(
        _ entry: AskedPackets.Entry, _ hot: inout ViewerHot, _ cold: inout ViewerCold,
        _ turn: Turn, _ engine: inout CryptoEngine, _ batch: inout SendBatch,
        _ framed: inout RTCOutput
    ) -> Step {
        let slot = Int(entry.slot)
        let interval = RepairBudget.interval(
            roundTrip: cold.estimator.roundTrip ?? Estimator.assumedRoundTrip)
        guard cold.asked.isDue(entry, every: interval, at: turn.instant) else { return .done }
        guard let run = cold.slots[slot].runs.run(out: entry.outIndex),
            let lane = lane(run.encoding),
            let item = GatherItem(lane.history, run.sourceIndex(of: entry.outIndex)),
            run.sourceEnd != Run.openEnd || item.index < hot.slots[slot].next
        else {
            cold.traffic.repairsMissing += 1
            return .done
        }
        let room = Self.headerMaximum + Int(item.length) + 2 + 2 * Self.tagMaximum
        guard batch.fits(room) else { return .full }
        if hot.isConnection { return .done }  // TCP repairs by itself.
        let hasStream = cold.slots[slot].hasRTX && run.repairType != 0
        let original =
            hasStream ? nil : cold.sent.media(slot: slot, outIndex: entry.outIndex)
        guard hasStream || (original != nil && cold.slots[slot].repeatsPlainly) else {
            cold.traffic.repairsMissing += 1
            return .done
        }
        let rate = heads[Int(run.encoding)].bitsPerSecond
        guard cold.budget.take(Int(item.length), mediaRate: rate, at: turn.instant) else {
            cold.traffic.repairsRefused += 1
            return .done
        }
        let start = batch.byteCount
        var window = batch.window(room)
        let total: Int
        if let original {
            total = writeAgain(
                item, run, entry, original, start: start, hot, cold, &engine, &window)
        } else {
            total = writeRTX(item, run, entry, start: start, hot, cold, &engine, &window)
        }
        guard total > 0,
            hot.isValidated || cold.session.admitSending(total, on: cold.route)
        else {
            jobs.removeAll { $0.start == start }
            return .done
        }
        batch.commit(total)
        noteRepair(item, run, entry, total, isRTX: original == nil, &hot, &cold, turn)
        return .done
    }

    private func noteRepair(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry, _ total: Int,
        isRTX: Bool, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn
    ) {
        cold.asked.note(entry, at: turn.instant)
        cold.traffic.repairs += 1
        cold.traffic.bytes += UInt64(total)
        if hot.isPaced { cold.pace.charge(total) }
        guard isRTX else { return }
        cold.sent.note(
            transport: hot.transport, slot: Int(entry.slot), kind: .repair,
            outIndex: entry.outIndex, sourceIndex: item.index, size: total, at: turn.instant)
        hot.transport &+= 1
        cold.slots[Int(entry.slot)].rtxNext += 1
    }

    /// RFC 4588: a stream of its own, with the lost number in front of the payload.
    @_lifetime(window: copy window)
    private func writeRTX(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry, start: Int,
        _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold,
        _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) -> Int {
        let slot = Int(entry.slot)
        let index = cold.slots[slot].rtxNext
        let ssrc = cold.slots[slot].rtxSSRC
        var headerCount = 0
        do {
            var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum + 2))
            var header = RTPHeaderWriter(
                payloadType: run.repairType, marker: item.hasMarker,
                sequence: UInt16(truncatingIfNeeded: index),
                timestamp: run.timestamp(of: item.ticks), ssrc: ssrc, padded: item.padding > 0,
                into: &out)
            header.write(id: hot.slots[slot].transportID, uint16: hot.transport, into: &out)
            if hot.slots[slot].needsMid, !cold.omitsMidOnRTX, let mid = cold.slots[slot].mid {
                header.write(id: hot.slots[slot].midID, mid, into: &out)
            }
            headerCount = header.finish(into: &out)
            out.write(UInt16(truncatingIfNeeded: entry.outIndex))
        }
        let payload = headerCount + 2
        copy(item, run, at: payload, &window)
        finish(
            headerCount: headerCount, count: payload + Int(item.length), ssrc, index,
            start: start, hot, &engine, &window)
        return payload + Int(item.length) + hot.tagCount
    }

    /// The very same packet, to the last byte: its number would otherwise be used twice
    /// (RFC 7714 §8.4). So only what the record of it says again goes into its header.
    @_lifetime(window: copy window)
    private func writeAgain(
        _ item: borrowing GatherItem, _ run: Run, _ entry: AskedPackets.Entry,
        _ original: (record: SentRing.Record, transport: UInt16), start: Int,
        _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold,
        _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) -> Int {
        let slot = Int(entry.slot)
        let wanted = Int(original.record.size) - Int(item.length) - hot.tagCount
        let plain = hot.slots[slot].transportID == 0 ? 12 : 20
        var headerCount = 0
        do {
            var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum))
            var header = RTPHeaderWriter(
                payloadType: run.payloadType, marker: item.hasMarker,
                sequence: UInt16(truncatingIfNeeded: entry.outIndex),
                timestamp: run.timestamp(of: item.ticks), ssrc: hot.slots[slot].ssrc,
                padded: item.padding > 0, into: &out)
            header.write(id: hot.slots[slot].transportID, uint16: original.transport, into: &out)
            if wanted != plain, let mid = cold.slots[slot].mid {
                header.write(id: hot.slots[slot].midID, mid, into: &out)
            }
            headerCount = header.finish(into: &out)
        }
        guard headerCount == wanted else { return 0 }
        copy(item, run, at: headerCount, &window)
        finish(
            headerCount: headerCount, count: headerCount + Int(item.length),
            hot.slots[slot].ssrc, entry.outIndex, start: start, hot, &engine, &window)
        return headerCount + Int(item.length) + hot.tagCount
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
