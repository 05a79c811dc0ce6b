import Media
package import Stream
import Wire

/// From items to the bodies of tags or messages, for one viewer: its own time, which begins at 0,
/// and when a decoder must be told what comes. What it writes for an item is a few bytes; the item
/// itself is in the right form already.
package struct FLVOutlet: Sendable {
    /// Before the item's own bytes.
    package struct Piece: Sendable {
        package var kind: FLVTag.Kind
        package var stamp: UInt32
        package var prefix: FLVBody.Prefix
        /// A body to be sent first.
        package var configuration: [UInt8]?
    }

    /// Where one slot stands on the viewer's time.
    private struct Lane: Sendable {
        /// Nil: no item yet.
        var rate: Int32?
        var anchorTicks: Int64 = 0
        /// Milliseconds.
        var anchor: Int64 = 0
        var last: Int64 = -1
        var codec: Codec?
        var generation: UInt16 = 0
        private var partedSince: Instant?

        mutating func anchor(_ ticks: Int64, at time: Int64, _ rate: Int32) {
            self.rate = rate
            anchorTicks = ticks
            anchor = time
            partedSince = nil
        }

        func time(of ticks: Int64) -> Int64 {
            anchor &+ Timebase.convert(ticks &- anchorTicks, from: rate ?? 1000, to: 1000)
        }

        /// Sound and picture of an RTP source drift apart by what their clocks differ. An estimate
        /// that is just finding itself is not drift: that lasts.
        mutating func hasParted(by milliseconds: Int64, at now: Instant) -> Bool {
            guard milliseconds.magnitude > FLVOutlet.tolerance else {
                partedSince = nil
                return false
            }
            let since = partedSince ?? now
            partedSince = since
            return now - since > FLVOutlet.patience
        }
    }

    private static let tolerance = 100
    private static let patience = Interval.seconds(3)

    package let dialect: FLVDialect
    private var video = Lane()
    private var audio = Lane()
    /// What is 0 for this viewer.
    private var base: Instant?
    /// How far the estimate of the capture time has moved since, in milliseconds.
    private var skew: Int64 = 0

    package init(_ dialect: FLVDialect) { self.dialect = dialect }

    /// What was sent at the start holds for the first items.
    package mutating func note(_ present: [PresentSlot]) {
        for entry in present {
            withLane(entry.slot) { lane in
                lane.codec = entry.format.codec
                lane.generation = entry.format.generation
            }
        }
    }

    /// - Returns: nil for a slot that does not go out this way.
    package mutating func next(_ item: borrowing ReadItem) -> Piece? {
        guard item.slot.kind != .data else { return nil }
        let (stamp, offset) = place(item)
        var piece = Piece(
            kind: item.slot.kind == .video ? .video : .audio,
            stamp: UInt32(truncatingIfNeeded: stamp),
            prefix: FLVBody.prefix(
                item.format, isKey: item.meta.isKey, offset: offset, dialect))
        let isNew = withLane(item.slot) { lane in
            let isNew =
                lane.codec != item.format.codec || lane.generation != item.meta.formatGeneration
            lane.codec = item.format.codec
            lane.generation = item.meta.formatGeneration
            return isNew
        }
        // Another publisher may count its formats from the same number.
        if isNew || item.jump == .epoch {
            piece.configuration = FLVBody.configuration(item.format, dialect)
        }
        return piece
    }

    @discardableResult
    private mutating func withLane<T>(_ slot: SlotName, _ body: (inout Lane) -> T) -> T {
        slot.kind == .video ? body(&video) : body(&audio)
    }

    /// Decoding time and the way to presentation, in milliseconds.
    private mutating func place(_ item: borrowing ReadItem) -> (stamp: Int64, offset: Int32) {
        let base = self.base ?? item.capture
        self.base = base
        // On the viewer's time, as the clock on the wall has it.
        let captured = (item.capture - base).milliseconds &- skew
        let rate = item.format.clockRate
        let (ticks, shift) = (item.meta.ticks, Int64(item.meta.compositionOffset))
        let goesOn = Self.goesOn(item.jump)
        let leads = item.slot.kind == .video || video.rate == nil
        var parted: Int64 = 0
        let placed = withLane(item.slot) { lane in
            if !goesOn || lane.rate != rate { lane.anchor(ticks, at: captured, rate) }
            parted = captured &- lane.time(of: ticks)
            if !leads, lane.hasParted(by: parted, at: item.capture) {
                lane.anchor(ticks, at: captured, rate)
            }
            let counted = lane.time(of: ticks)
            let stamp = max(counted, lane.last &+ 1, 0)
            lane.last = stamp
            return (stamp, Int32(clamping: lane.time(of: ticks &+ shift) &- counted))
        }
        // Where the estimate of the capture time moves, it moves for all slots, and none follows.
        if leads { skew &+= parted }
        return placed
    }

    /// The ticks before and after it are of one count.
    private static func goesOn(_ jump: Jump?) -> Bool {
        switch jump {
        case nil, .lag, .gone, .resume: true
        case .start, .layer, .epoch: false
        }
    }
}
