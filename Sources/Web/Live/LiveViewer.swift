package import Containers
package import HTTP
import Media
package import Stream
package import Wire

/// One viewer over HTTP or WebSocket: what it is sent, and when it begins. A piece of the body is
/// one whole tag, fragment or run of packets, for players that read by pieces.
package struct LiveViewer {
    let framing: BodyFraming
    private var start: OutletStart
    // One of them: which is decided once, and none is copied to be used.
    var flv: FLVOutlet?
    var fmp4: FMP4Outlet?
    var feed: TSFeed?
    var place = TSFeed.Place()
    /// Kept, so that nothing is allocated for an item.
    var splice: [UInt8] = []

    /// - Parameter feed: Of all viewers of this stream at this worker; for a transport stream.
    package init(
        _ snapshot: StreamSnapshot, _ kind: LiveKind, _ feed: TSFeed?, _ framing: BodyFraming,
        at now: Instant
    ) {
        self.framing = framing
        start = OutletStart(snapshot, to: kind.output, at: now)
        switch kind {
        case .flv(let dialect): flv = FLVOutlet(dialect)
        case .fmp4: fmp4 = FMP4Outlet()
        case .transportStream: self.feed = feed ?? TSFeed()
        }
    }

    package mutating func update(_ snapshot: StreamSnapshot) { start.update(snapshot) }

    package var deadline: Instant { start.deadline }
    package mutating func expire(at now: Instant) { start.expire(at: now) }

    /// What a player must know before the first item.
    package mutating func begin(
        _ present: [PresentSlot], at now: Instant, out: inout Outbox
    ) -> Bool {
        guard start.begin(present, at: now) else { return false }
        if flv != nil {
            beginFLV(present, &out)
        } else if fmp4 != nil {
            return beginFMP4(present, &out)
        } else {
            // The tables come before the first key frame.
            feed?.note(present)
        }
        return true
    }

    package mutating func send(_ item: borrowing ReadItem, out: inout Outbox) {
        if flv != nil {
            sendFLV(item, &out)
        } else if fmp4 != nil {
            sendFMP4(item, &out)
        } else {
            sendPackets(item, &out)
        }
    }

    private mutating func sendPackets(_ item: borrowing ReadItem, _ out: inout Outbox) {
        splice.removeAll(keepingCapacity: true)
        guard let packets = feed?.packets(item, for: &place, splice: &splice) else { return }
        if !splice.isEmpty { write(splice, &out) }
        switch packets {
        case .own(let bytes): write(bytes, &out)
        case .shared(let chunk):
            framing.open(chunk.count, into: &out)
            out.append(chunk)
            framing.close(into: &out)
        }
    }

    func write(_ bytes: [UInt8], _ out: inout Outbox) {
        framing.open(bytes.count, into: &out)
        out.append(bytes)
        framing.close(into: &out)
    }
}
