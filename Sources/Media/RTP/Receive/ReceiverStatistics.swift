package import Wire

/// How one stream arrives: what a receiver report says of it (RFC 3550 §6.4.1, §A.3, §A.8).
package struct ReceiverStatistics: Sendable {
    private let clockRate: Int64
    private var first: Int64?
    package private(set) var highest: Int64 = 0
    package private(set) var received: Int64 = 0
    /// At the last report.
    private var expectedBefore: Int64 = 0
    private var receivedBefore: Int64 = 0
    /// In sixteenths of a tick.
    private var jitter: Int64 = 0
    private var lastArrival = Instant.start
    private var lastTicks: Int64 = 0
    private var senderReport: (middle: UInt32, at: Instant)?

    package init(clockRate: Int32) { self.clockRate = Int64(clockRate) }

    /// - Parameter ticks: The unwrapped time stamp.
    /// - Parameter isRepair: It was sent again: it counts as received, but says nothing of jitter.
    package mutating func receive(
        _ index: Int64, ticks: Int64, isRepair: Bool = false, at now: Instant
    ) {
        received += 1
        guard let first else {
            self.first = index
            (highest, lastArrival, lastTicks) = (index, now, ticks)
            return
        }
        if index < first { self.first = index }
        guard !isRepair else { return }
        // A pause longer than this would overflow, and is no jitter but a pause.
        let elapsed = min(max((now - lastArrival).nanoseconds, 0), 60_000_000_000)
        let distance = elapsed * clockRate / 1_000_000_000 &- (ticks &- lastTicks)
        let bounded = min(Int64(clamping: distance.magnitude), clockRate * 60)
        jitter += bounded - (jitter + 8) >> 4
        (lastArrival, lastTicks) = (now, ticks)
        highest = max(highest, index)
    }

    package mutating func receive(_ info: RTCPSenderInfo, at now: Instant) {
        senderReport = (info.ntp.middle, now)
    }

    package var expected: Int64 { first.map { highest - $0 + 1 } ?? 0 }
    package var lost: Int64 { max(0, expected - received) }
    package var jitterTicks: UInt32 { UInt32(clamping: jitter >> 4) }

    /// What to say about the stream now; the next report counts from here.
    package mutating func report(ssrc: UInt32, at now: Instant) -> RTCPReportBlock {
        let expectedNow = expected - expectedBefore
        let lostNow = expectedNow - (received - receivedBefore)
        (expectedBefore, receivedBefore) = (expected, received)
        let fraction = expectedNow > 0 && lostNow > 0 ? lostNow * 256 / expectedNow : 0
        var delay: UInt32 = 0
        if let senderReport { delay = NTPTime.shortDelay(now - senderReport.at) }
        return RTCPReportBlock(
            ssrc: ssrc, fractionLost: UInt8(clamping: fraction),
            cumulativeLost: Int32(clamping: expected - received),
            highestSequence: UInt32(truncatingIfNeeded: highest), jitter: jitterTicks,
            lastReport: senderReport?.middle ?? 0, delay: delay)
    }
}

extension NTPTime {
    /// In 1/65,536 s, as reports say delays.
    package static func shortDelay(_ interval: Interval) -> UInt32 {
        let bounded = min(max(interval.nanoseconds, 0), 60_000_000_000_000)
        return UInt32(clamping: bounded / 1000 * 65_536 / 1_000_000)
    }

    /// The round trip that a report block or a DLRR block tells (RFC 3550 §6.4.1).
    /// - Parameter now: Our own clock when the report came.
    /// - Returns: `nil` if the peer has not heard a report of ours, or if clocks make no sense.
    package static func roundTrip(
        now: NTPTime, lastReport: UInt32, delay: UInt32
    ) -> Interval? {
        guard lastReport != 0 else { return nil }
        let span = Int32(bitPattern: now.middle &- lastReport &- delay)
        // A peer that rounds may seem to answer before it was asked; more than 20 s is nonsense.
        guard span > -655, span < 20 * 65_536 else { return nil }
        return .microseconds(max(0, Int64(span)) * 1_000_000 / 65_536)
    }
}
