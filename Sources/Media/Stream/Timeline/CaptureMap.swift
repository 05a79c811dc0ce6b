import Media
package import Wire

/// From media ticks to the moment they were taken: one for each slot and epoch. An estimate, with
/// its source: `capture = offset + ticks / rate`, on the monotonic clock; `WallClockModel` makes
/// UTC of it.
///
/// The offset moves slowly, because viewers see it as drift between sender reports; jitter must not
/// move it at all.
package struct CaptureMap: Sendable {
    package enum Source: UInt8, Sendable { case arrival, senderReport, captureTime }

    /// Nobody's crystal is worse, so nothing that is faster is a drift.
    private static let envelopeSlope: Int64 = 200_000  // Nanoseconds a second: 200 ppm.
    /// Corrections from sender reports: below what an ear or eye notices in lip sync.
    private static let reportSlope: Int64 = 5_000_000
    private static let step = Interval.seconds(1)
    /// Camera clocks may be years off; only their difference between tracks is used, if it is
    /// small.
    private static let alignmentMaximum = Interval.seconds(3)

    package let rate: Int32
    package private(set) var source = Source.arrival
    private var offset: Int64 = 0
    private var hasOffset = false
    private var updated = Instant.start
    private var envelope = MinimumWindow()
    /// The newest sender report: its NTP time less its media time, in nanoseconds.
    package private(set) var reportOffset: Int64?
    private var alignedTarget: Int64?

    package init(rate: Int32) {
        precondition(rate > 0, "a clock rate is positive")
        self.rate = rate
    }

    /// When the sample with these ticks was taken.
    package func capture(of ticks: Int64) -> Instant {
        Instant(nanoseconds: offset &+ Timebase.nanoseconds(ticks, rate: rate))
    }

    /// The ticks that are being taken at `now`: for sender reports to viewers.
    package func ticks(at now: Instant) -> Int64 {
        Timebase.ticks(nanoseconds: now.nanoseconds &- offset, rate: rate)
    }

    package var isKnown: Bool { hasOffset }

    /// A packet came. For WebRTC sources `clock` is the publisher's; others have none, and the
    /// lower envelope of their arrivals is the best there is.
    package mutating func receive(ticks: Int64, at now: Instant, clock: SenderClock? = nil) {
        let observed = now.nanoseconds &- Timebase.nanoseconds(ticks, rate: rate)
        envelope.note(observed, at: now)
        guard hasOffset else {
            hasOffset = true
            offset = observed
            updated = now
            return
        }
        if let clock, clock.isReady, let reportOffset, let publisher = clock.offset {
            source = .senderReport
            follow(reportOffset &+ publisher, slope: Self.reportSlope, at: now)
        } else if clock == nil {
            followEnvelope(at: now)
        }
    }

    /// A sender report of this track. What it says counts once the publisher's clock is ready.
    package mutating func report(ntp: Int64, ticks: Int64) {
        reportOffset = ntp &- Timebase.nanoseconds(ticks, rate: rate)
    }

    /// Cameras: the two tracks' reports say how audio lies to video, if they agree within reason.
    package mutating func align(to video: CaptureMap) {
        guard let mine = reportOffset, let theirs = video.reportOffset, video.hasOffset,
            let own = envelope.minimum
        else { return }
        let target = video.offset &+ (mine &- theirs)
        let isPlausible = (target &- own).magnitude < UInt64(Self.alignmentMaximum.nanoseconds)
        alignedTarget = isPlausible ? target : nil
    }

    private mutating func followEnvelope(at now: Instant) {
        guard let lowest = envelope.minimum else { return }
        let target = alignedTarget ?? lowest
        // Until the window is full the first packet may have been a late one: what is lower is
        // better, at once. So a backlog sent at the start finds its true age.
        if !envelope.isFull(at: now) {
            if target < offset || alignedTarget != nil { offset = target }
            updated = now
            return
        }
        follow(target, slope: Self.envelopeSlope, at: now)
    }

    private mutating func follow(_ target: Int64, slope: Int64, at now: Instant) {
        let difference = target &- offset
        let passed = max(0, (now - updated).nanoseconds)
        updated = now
        guard difference.magnitude <= UInt64(Self.step.nanoseconds) else {
            offset = target
            return
        }
        let allowed = min(passed, 1_000_000_000) / 1000 &* slope / 1_000_000
        offset &+= min(max(difference, -allowed), allowed)
    }

    /// The map of a rendition made from this one: the same moments, counted in another rate.
    package func derived(rate: Int32) -> CaptureMap {
        var map = CaptureMap(rate: rate)
        map.source = source
        map.offset = offset
        map.hasOffset = hasOffset
        map.updated = updated
        return map
    }
}

/// The clock of a WebRTC publisher as its sender reports show it: what to add to its NTP time to
/// get ours. One for all tracks of the publisher.
package struct SenderClock: Sendable {
    /// With one report only, tracks would part by their network delays; but a track that never
    /// reports must not keep the others waiting.
    static let patience = Interval.seconds(2)

    private var window = MinimumWindow()
    private var firstReport: Instant?
    private var reported: UInt32 = 0
    private var tracks: UInt32 = 0
    package private(set) var isReady = false
    package private(set) var halfRTT = Interval.zero

    package init() {}

    /// - Parameter track: 0 to 31; each is announced when its first packet comes.
    package mutating func announce(track: Int) { tracks |= 1 << UInt32(track & 31) }

    package mutating func report(
        track: Int, ntp: Int64, at now: Instant, rtt: Interval?
    ) {
        if let rtt { halfRTT = max(.zero, rtt / 2) }
        window.note(now.nanoseconds &- ntp, at: now)
        reported |= 1 << UInt32(track & 31)
        let first = firstReport ?? now
        firstReport = first
        if reported & tracks == tracks || now - first >= Self.patience { isReady = true }
    }

    package var offset: Int64? { window.minimum.map { $0 &- halfRTT.nanoseconds } }
}
