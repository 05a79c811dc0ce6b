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
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let length = Int(item.length)
        guard batch.fits(Self.headerMaximum + length + 2 * Self.tagMaximum) else { return .full }
        if item.startsFrame { beginFrame(item, slot, viewer, turn) }
        guard viewer.hot.isDirect, slot.hot.isShort, length <= Self.payloadMaximum else {
            return emitOther(item, slot, viewer, turn, &engine, &batch, &framed)
        }
        let outIndex = UInt64(bitPattern: item.index &+ slot.hot.outDelta)
        var window = batch.window(Self.headerMaximum + length + Self.tagMaximum)
        let timestamp = UInt32(truncatingIfNeeded: item.ticks) &+ slot.hot.timestampDelta
        let headerCount = writeShort(
            item, UInt16(truncatingIfNeeded: outIndex), timestamp, slot, viewer, &window)
        let total = engine.protect(
            &window, headerCount: headerCount, payload: item.payload, ssrc: slot.hot.ssrc,
            index: outIndex, key: viewer.hot.key, together: true)
        batch.commit(total)
        note(item, outIndex, slot, total, viewer, turn)
        return .done
    }

    /// Whatever is not as it is nearly always.
    @inline(never)
    private func emitOther(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ turn: Turn,
        _ engine: inout CryptoEngine, _ batch: inout SendBatch, _ framed: inout RTCOutput
    ) -> Step {
        let length = Int(item.length)
        guard length <= Self.payloadMaximum else { return leaveOut(item, slot, viewer) }
        if viewer.hot.flags[.isConnection], !admitConnection(viewer, turn) { return .held }
        var window = batch.window(Self.headerMaximum + length + Self.tagMaximum)
        let outIndex = UInt64(bitPattern: item.index &+ slot.hot.outDelta)
        let headerCount = writeHeader(item, outIndex, slot, viewer, turn, &window)
        let total = headerCount + length + viewer.hot.tagCount
        if !viewer.hot.flags[.isValidated],
            !viewer.cold.session.admitSending(total, on: viewer.cold.route)
        {
            return .held
        }
        protect(item, headerCount, outIndex, slot, viewer, &engine, &window)
        if viewer.hot.flags[.isConnection] {
            framed.send(window.bytes.extracting(0..<total), on: viewer.cold.route)
            viewer.cold.connectionBytes += total
        } else {
            batch.commit(total)
        }
        note(item, outIndex, slot, total, viewer, turn)
        return .done
    }

    private func note(
        _ item: borrowing GatherItem, _ outIndex: UInt64, _ slot: ViewerSlot, _ total: Int,
        _ viewer: Viewer, _ turn: Turn
    ) {
        viewer.cold.sent.note(
            transport: viewer.hot.transport, slot: slot.number, kind: .media, outIndex: outIndex,
            sourceIndex: item.index, size: total, at: turn.stamp)
        viewer.hot.transport &+= 1
        slot.hot.packets &+= 1
        slot.hot.octets &+= UInt32(item.length)
        if viewer.hot.flags[.isPaced] { viewer.cold.pace.charge(total) }
        guard item.index >= slot.hot.next else { return }
        slot.hot.next = item.index + 1
        slot.hot.lastTicks = item.ticks
    }

    /// Passed over: its number stays a hole, which the viewer asks for and does not get.
    private func leaveOut(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer
    ) -> Step {
        viewer.cold.traffic.tooLarge += 1
        slot.hot.next = max(slot.hot.next, item.index + 1)
        return .done
    }

    private func admitConnection(
        _ viewer: Viewer, _ turn: Turn
    ) -> Bool {
        if viewer.cold.connectionTurn != self.turn {
            viewer.cold.connectionTurn = self.turn
            viewer.cold.connectionBytes = 0
        }
        guard viewer.cold.connectionBytes < Self.connectionMaximum else {
            viewer.hot.dueAt = min(viewer.hot.dueAt, turn.instant + Pace.interval)
            return false
        }
        return true
    }

    /// What the packets of a frame carry besides their transport number: the same for all of them,
    /// so that they have one size.
    private func beginFrame(
        _ item: borrowing GatherItem, _ slot: ViewerSlot, _ viewer: Viewer, _ turn: Turn
    ) {
        var carried: UInt8 = 0
        if slot.hot.flags[.needsMid] { carried |= SlotHot.Extensions.mid }
        if slot.hot.captureID != 0, slot.hot.flags[.isLinear],
            turn.milliseconds &- slot.hot.capturedAt >= 1000
        {
            carried |= SlotHot.Extensions.capture
            slot.hot.capturedAt = turn.milliseconds
        }
        let isKey = item.isKey
        if slot.hot.playoutID != 0, slot.hot.flags[.tellsPlayout] || isKey {
            carried |= SlotHot.Extensions.playout
            if turn.instant >= slot.cold.playoutUntil {
                slot.hot.flags[.tellsPlayout] = false
            }
        }
        slot.hot.frameExtensions = carried
    }

    // MARK: Header

    @_lifetime(window: copy window)
    private func writeHeader(
        _ item: borrowing GatherItem, _ outIndex: UInt64, _ slot: ViewerSlot, _ viewer: Viewer,
        _ turn: Turn, _ window: inout MutableRawSpan
    ) -> Int {
        let timestamp =
            slot.hot.flags[.isLinear]
            ? UInt32(truncatingIfNeeded: item.ticks) &+ slot.hot.timestampDelta
            : slot.cold.runs.current.timestamp(of: item.ticks)
        let sequence = UInt16(truncatingIfNeeded: outIndex)
        guard slot.hot.frameExtensions == 0 else {
            return writeExtensions(item, sequence, timestamp, slot, viewer, turn, &window)
        }
        return writeShort(item, sequence, timestamp, slot, viewer, &window)
    }

    /// The header that nearly every packet has: twelve bytes and the transport number.
    @_lifetime(window: copy window)
    private func writeShort(
        _ item: borrowing GatherItem, _ sequence: UInt16, _ timestamp: UInt32,
        _ slot: ViewerSlot, _ viewer: Viewer, _ window: inout MutableRawSpan
    ) -> Int {
        let type = UInt32(slot.hot.payloadType) | item.marker
        var first: UInt32 = item.padding > 0 ? 0xa000_0000 : 0x8000_0000
        first |= type << 16 | UInt32(sequence)
        let transportID = slot.hot.transportID
        if transportID != 0 { first |= 0x1000_0000 }
        window.store(first, at: 0)
        window.store(timestamp, at: 4)
        window.store(slot.hot.ssrc, at: 8)
        guard transportID != 0 else { return 12 }
        // One word of one-byte extensions (RFC 8285 §4.2): two bytes of number, one of padding.
        window.store(0xbede_0001, at: 12)
        window.store(
            (UInt32(transportID) << 4 | 1) << 24 | UInt32(viewer.hot.transport) << 8, at: 16)
        return 20
    }

    /// The few packets that carry more are written the general way.
    @_lifetime(window: copy window)
    private func writeExtensions(
        _ item: borrowing GatherItem, _ sequence: UInt16, _ timestamp: UInt32, _ slot: ViewerSlot,
        _ viewer: Viewer, _ turn: Turn,
        _ window: inout MutableRawSpan
    ) -> Int {
        let carried = slot.hot.frameExtensions
        var out = ByteWriter(window._mutatingExtracting(0..<Self.headerMaximum))
        var header = RTPHeaderWriter(
            payloadType: slot.hot.payloadType, marker: item.hasMarker, sequence: sequence,
            timestamp: timestamp, ssrc: slot.hot.ssrc, padded: item.padding > 0, into: &out)
        header.write(id: slot.hot.transportID, uint16: viewer.hot.transport, into: &out)
        if carried & SlotHot.Extensions.mid != 0, let mid = slot.cold.mid {
            header.write(id: slot.hot.midID, mid, into: &out)
        }
        if carried & SlotHot.Extensions.playout != 0 {
            let delay =
                slot.hot.state == .join ? PlayoutDelay.none : viewer.cold.playoutDelay
            header.write(id: slot.hot.playoutID, uint24: delay, into: &out)
        }
        if carried & SlotHot.Extensions.capture != 0, let lane = lane(slot.hot.lane) {
            let capture = turn.wall.utc(at: lane.encoding.capture(of: item.ticks))
            header.write(
                id: slot.hot.captureID,
                uint64: NTPTime(unixNanoseconds: capture).bits, into: &out)
        }
        return header.finish(into: &out)
    }

    // MARK: Protection

    /// Out of place from the history, or copied where something is changed on the way.
    @_lifetime(window: copy window)
    private func protect(
        _ item: borrowing GatherItem, _ headerCount: Int, _ outIndex: UInt64, _ slot: ViewerSlot,
        _ viewer: Viewer, _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) {
        let ssrc = slot.hot.ssrc
        guard slot.hot.flags[.isPatched] || viewer.hot.flags[.isConnection] else {
            _ = engine.protect(
                &window, headerCount: headerCount, payload: item.payload, ssrc: ssrc,
                index: outIndex, key: viewer.hot.key, together: true)
            return
        }
        window.copy(item.payload, at: headerCount)
        if slot.hot.flags[.isPatched] {
            VP8Picture.patch(&window, at: headerCount, item, slot.cold.runs.current)
        }
        finish(headerCount, Int(item.length), ssrc, outIndex, viewer, &engine, &window)
    }

    /// A packet whose payload of so many bytes is in place: protected together with others, but for
    /// what goes to a connection, which copies it at once.
    @_lifetime(window: copy window)
    func finish(
        _ headerCount: Int, _ count: Int, _ ssrc: UInt32, _ index: UInt64, _ viewer: Viewer,
        _ engine: inout CryptoEngine, _ window: inout MutableRawSpan
    ) {
        _ = engine.protect(
            &window, headerCount: headerCount, count: count, ssrc: ssrc, index: index,
            key: viewer.hot.key, together: !viewer.hot.flags[.isConnection])
    }
}

extension MutableRawSpan {
    /// A 32-bit number in network order.
    @_lifetime(self: copy self)
    mutating func store(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }
}
