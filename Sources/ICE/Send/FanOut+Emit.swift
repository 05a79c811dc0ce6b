import Crypto
import Media
import RTP
import Stream
import Wire

/// One packet to one viewer: stamped, protected, and in the batch.
extension FanOut {
    /// The largest header: 12 bytes and, with a mid of 16 letters, 40 of extensions; the largest
    /// tag.
    static let headerMaximum = 52
    static let tagMaximum = 16
    /// Larger packets do not pass Ethernet, and nothing that is stored should be one.
    private static let payloadMaximum = 1_460
    /// What one turn hands to a connection, the same that the kernel keeps of it unsent.
    private static let connectionMaximum = 64 * 1024

    func emit(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ turn: Turn, _ engine: inout CryptoEngine,
        _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let length = Int(item.length)
        guard length <= Self.payloadMaximum else { return leaveOut(item, slot, &hot, &cold) }
        guard batch.fits(Self.headerMaximum + length + 2 * Self.tagMaximum) else { return .full }
        if hot.isConnection, !admitConnection(&hot, &cold, turn) { return .held }
        if item.startsFrame { beginFrame(item, slot, &hot, &cold, turn) }
        let start = batch.byteCount
        var window = batch.window(Self.headerMaximum + length + Self.tagMaximum)
        let outIndex = UInt64(bitPattern: item.index &+ hot.slots[slot].outDelta)
        let headerCount = writeHeader(item, outIndex, slot, hot, cold, turn, &window)
        let total = headerCount + length + hot.tagCount
        if !hot.isValidated, !cold.session.admitSending(total, on: cold.route) { return .held }
        protect(
            item, headerCount, outIndex, slot, start: start, hot, cold, &engine, &window)
        if hot.isConnection {
            framed.send(window.bytes.extracting(0..<total), on: cold.route)
            cold.connectionBytes += total
        } else {
            batch.commit(total)
        }
        note(item, outIndex, slot, total, &hot, &cold, turn)
        return .done
    }

    private func note(
        _ item: borrowing GatherItem, _ outIndex: UInt64, _ slot: Int, _ total: Int,
        _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn
    ) {
        cold.sent.note(
            transport: hot.transport, slot: slot, kind: .media, outIndex: outIndex,
            sourceIndex: item.index, size: total, at: turn.instant)
        hot.transport &+= 1
        hot.slots[slot].packets &+= 1
        hot.slots[slot].octets &+= UInt32(item.length)
        if hot.isPaced { cold.pace.charge(total) }
        cold.traffic.packets &+= 1
        cold.traffic.bytes &+= UInt64(total)
        guard item.index >= hot.slots[slot].next else { return }
        hot.slots[slot].next = item.index + 1
        hot.slots[slot].lastTicks = item.ticks
    }

    /// Passed over: its number stays a hole, which the viewer asks for and does not get.
    private func leaveOut(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold
    ) -> Step {
        cold.traffic.tooLarge += 1
        hot.slots[slot].next = max(hot.slots[slot].next, item.index + 1)
        return .done
    }

    private func admitConnection(
        _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ turn: Turn
    ) -> Bool {
        if cold.connectionTurn != self.turn {
            cold.connectionTurn = self.turn
            cold.connectionBytes = 0
        }
        guard cold.connectionBytes < Self.connectionMaximum else {
            hot.dueAt = min(hot.dueAt, turn.instant + Pace.interval)
            return false
        }
        return true
    }

    /// What the packets of a frame carry besides their transport number: the same for all of them,
    /// so that they have one size.
    private func beginFrame(
        _ item: borrowing GatherItem, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ turn: Turn
    ) {
        var carried: UInt8 = 0
        if hot.slots[slot].needsMid { carried |= SlotHot.Extensions.mid }
        if hot.slots[slot].captureID != 0, hot.slots[slot].isLinear,
            turn.milliseconds &- hot.slots[slot].capturedAt >= 1000
        {
            carried |= SlotHot.Extensions.capture
            hot.slots[slot].capturedAt = turn.milliseconds
        }
        let isKey = item.isKey
        if hot.slots[slot].playoutID != 0, hot.slots[slot].tellsPlayout || isKey {
            carried |= SlotHot.Extensions.playout
            if turn.instant >= cold.slots[slot].playoutUntil {
                hot.slots[slot].tellsPlayout = false
            }
        }
        hot.slots[slot].frameExtensions = carried
    }

    // MARK: Header

    @_lifetime(window: copy window)
    private func writeHeader(
        _ item: borrowing GatherItem, _ outIndex: UInt64, _ slot: Int, _ hot: borrowing ViewerHot,
        _ cold: borrowing ViewerCold, _ turn: Turn, _ window: inout MutableRawSpan
    ) -> Int {
        let timestamp =
            hot.slots[slot].isLinear
            ? UInt32(truncatingIfNeeded: item.ticks) &+ hot.slots[slot].timestampDelta
            : cold.slots[slot].runs.current.timestamp(of: item.ticks)
        let sequence = UInt16(truncatingIfNeeded: outIndex)
        guard hot.slots[slot].frameExtensions == 0 else {
            return writeExtensions(item, sequence, timestamp, slot, hot, cold, turn, &window)
        }
        var type = UInt32(hot.slots[slot].payloadType)
        if item.hasMarker { type |= 0x80 }
        var first: UInt32 = item.padding > 0 ? 0xa000_0000 : 0x8000_0000
        first |= type << 16 | UInt32(sequence)
        let transportID = hot.slots[slot].transportID
        if transportID != 0 { first |= 0x1000_0000 }
        window.store(first, at: 0)
        window.store(timestamp, at: 4)
        window.store(hot.slots[slot].ssrc, at: 8)
        guard transportID != 0 else { return 12 }
        // One word of one-byte extensions (RFC 8285 §4.2): two bytes of number, one of padding.
        window.store(0xbede_0001, at: 12)
        window.store(
            (UInt32(transportID) << 4 | 1) << 24 | UInt32(hot.transport) << 8, at: 16)
        return 20
    }

    /// The few packets that carry more are written the general way.
    @_lifetime(window: copy window)
    private func writeExtensions(
        _ item: borrowing GatherItem, _ sequence: UInt16, _ timestamp: UInt32, _ slot: Int,
        _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold, _ turn: Turn,
        _ window: inout MutableRawSpan
    ) -> Int {
        let carried = hot.slots[slot].frameExtensions
        var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum))
        var header = RTPHeaderWriter(
            payloadType: hot.slots[slot].payloadType, marker: item.hasMarker, sequence: sequence,
            timestamp: timestamp, ssrc: hot.slots[slot].ssrc, padded: item.padding > 0, into: &out)
        header.write(id: hot.slots[slot].transportID, uint16: hot.transport, into: &out)
        if carried & SlotHot.Extensions.mid != 0, let mid = cold.slots[slot].mid {
            header.write(id: hot.slots[slot].midID, mid, into: &out)
        }
        if carried & SlotHot.Extensions.playout != 0 {
            let delay =
                hot.slots[slot].state == .join ? PlayoutDelay.none : cold.playoutDelay
            header.write(id: hot.slots[slot].playoutID, uint24: delay, into: &out)
        }
        if carried & SlotHot.Extensions.capture != 0, let lane = lane(hot.slots[slot].lane) {
            let capture = turn.wall.utc(at: lane.encoding.capture(of: item.ticks))
            header.write(
                id: hot.slots[slot].captureID,
                uint64: NTPTime(unixNanoseconds: capture).bits, into: &out)
        }
        return header.finish(into: &out)
    }

    // MARK: Protection

    /// Out of place from the history, or copied where something is changed on the way or many keys
    /// are worked on at once.
    @_lifetime(window: copy window)
    private func protect(
        _ item: borrowing GatherItem, _ headerCount: Int, _ outIndex: UInt64, _ slot: Int,
        start: Int, _ hot: borrowing ViewerHot, _ cold: borrowing ViewerCold,
        _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) {
        let ssrc = hot.slots[slot].ssrc
        let isPatched = hot.slots[slot].isPatched
        guard hot.isBatched || isPatched else {
            _ = engine.protect(
                &window, headerCount: headerCount, payload: item.payload, ssrc: ssrc,
                index: outIndex, key: hot.key)
            return
        }
        window.copy(item.payload, at: headerCount)
        if hot.slots[slot].isPatched {
            VP8Picture.patch(&window, at: headerCount, item, cold.slots[slot].runs.current)
        }
        finish(
            headerCount: headerCount, count: headerCount + Int(item.length), ssrc, outIndex,
            start: start, hot, &engine, &window)
    }

    /// A packet whose payload is in place: protected now, or with the others of this turn.
    @_lifetime(window: copy window)
    func finish(
        headerCount: Int, count: Int, _ ssrc: UInt32, _ index: UInt64, start: Int,
        _ hot: borrowing ViewerHot, _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) {
        var job = SRTPJob(
            start: start, headerCount: headerCount, count: count, ssrc: ssrc, index: index,
            key: hot.key)
        let isConnection = hot.isConnection
        if hot.isBatched, !isConnection {
            jobs.append(job)
        } else {
            job.start = 0
            engine.protectInPlace(job, in: &window)
        }
    }
}

extension MutableRawSpan {
    /// A 32-bit number in network order.
    @_lifetime(self: copy self)
    mutating func store(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }
}
