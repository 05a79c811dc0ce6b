import Media
package import Stream
import Wire

/// The time of an output in one sequence (FLV, fMP4, TS): it begins at 0, each track goes on as its
/// publisher counts, and where counting begins anew the time it was taken at decides.
package struct OutletClock: Sendable {
    package struct Place: Equatable, Sendable {
        /// When it is decoded.
        package var time: Int64
        /// From there to when it is shown.
        package var offset: Int64
    }

    /// Where one slot stands.
    private struct Lane: Sendable {
        /// Nil: no item yet.
        var rate: Int32?
        var out: Int32 = 1000
        var anchorTicks: Int64 = 0
        var anchor: Int64 = 0
        var last: Int64 = -1
        private var partedSince: Instant?

        mutating func anchor(_ ticks: Int64, atNanoseconds time: Int64, _ rate: Int32, out: Int32) {
            self.rate = rate
            self.out = out
            anchorTicks = ticks
            anchor = Timebase.ticks(nanoseconds: time, rate: out)
            partedSince = nil
        }

        func time(of ticks: Int64) -> Int64 {
            anchor &+ Timebase.convert(ticks &- anchorTicks, from: rate ?? out, to: out)
        }

        /// Sound and picture of an RTP source drift apart by what their clocks differ. An estimate
        /// that is just finding itself is not drift: that lasts.
        mutating func hasParted(by nanoseconds: Int64, at now: Instant) -> Bool {
            guard nanoseconds.magnitude > OutletClock.tolerance else {
                partedSince = nil
                return false
            }
            let since = partedSince ?? now
            partedSince = since
            return now - since > OutletClock.patience
        }
    }

    private static let tolerance: UInt64 = 100_000_000
    private static let patience = Interval.seconds(3)

    /// Ticks a second; nil: every track counts as its format does.
    private let rate: Int32?
    private var video = Lane()
    private var audio = Lane()
    /// What is 0.
    private var base: Instant?
    /// How far the estimate of the capture time has moved since, in nanoseconds.
    private var skew: Int64 = 0

    package init(rate: Int32?) { self.rate = rate }

    /// - Parameter goesOn: The item's ticks and those of the one before are of one count.
    package mutating func place(_ item: borrowing ReadItem, goesOn: Bool) -> Place {
        let base = self.base ?? item.capture
        self.base = base
        // On the output's time, as the clock on the wall has it.
        let captured = (item.capture - base).nanoseconds &- skew
        let clock = item.era.format.clockRate
        let out = rate ?? clock
        let (ticks, shift) = (item.meta.ticks, Int64(item.meta.compositionOffset))
        let leads = item.slot.kind == .video || video.rate == nil
        var parted: Int64 = 0
        let placed = withLane(item.slot) { lane in
            if !goesOn || lane.rate != clock {
                lane.anchor(ticks, atNanoseconds: captured, clock, out: out)
            }
            parted = captured &- Timebase.nanoseconds(lane.time(of: ticks), rate: out)
            if !leads, lane.hasParted(by: parted, at: item.capture) {
                lane.anchor(ticks, atNanoseconds: captured, clock, out: out)
            }
            let counted = lane.time(of: ticks)
            let time = max(counted, lane.last &+ 1, 0)
            lane.last = time
            return Place(time: time, offset: lane.time(of: ticks &+ shift) &- counted)
        }
        // Where the estimate of the capture time moves, it moves for all slots, and none follows.
        if leads { skew &+= parted }
        return placed
    }

    /// Where an earlier item of a track lies, without any consequence for the next.
    package func past(_ item: borrowing ReadItem) -> Place {
        let lane = item.slot.kind == .video ? video : audio
        let (ticks, shift) = (item.meta.ticks, Int64(item.meta.compositionOffset))
        let counted = lane.time(of: ticks)
        return Place(time: max(0, counted), offset: lane.time(of: ticks &+ shift) &- counted)
    }

    private mutating func withLane<T>(_ slot: SlotName, _ body: (inout Lane) -> T) -> T {
        slot.kind == .video ? body(&video) : body(&audio)
    }

    /// The ticks before and after it are of one count, for a viewer who reads by itself.
    package static func goesOn(_ jump: Jump?) -> Bool {
        switch jump {
        case nil, .lag, .gone, .resume: true
        case .start, .layer, .epoch: false
        }
    }
}
