import RTP
package import Wire

/// What the peer's feedback says about the way to it. It only listens so far: round trip, loss and
/// counters. Every kind of feedback comes by here, so that a rate can be worked out of it without
/// another way through the code.
package struct Estimator: Sendable {
    package private(set) var roundTrip: Interval?
    /// Of the last report about pictures, or about sound where there are none: of 256.
    package private(set) var lossQ8: UInt8 = 0
    package private(set) var jitter = Interval.zero
    /// What the receiver thinks the path carries (REMB).
    package private(set) var receiverEstimate: UInt64?
    /// By transport feedback: packets that arrived, and that did not.
    package private(set) var arrived: UInt64 = 0
    package private(set) var missed: UInt64 = 0
    package private(set) var reports: UInt64 = 0
    package private(set) var nacks: UInt64 = 0
    package private(set) var keyRequests: UInt64 = 0

    /// Bits a second the path is known to carry.
    package var target: Int64 { .max }

    /// Used until a report tells the true one.
    static let assumedRoundTrip = Interval.milliseconds(100)

    init() {}

    mutating func onReport(
        _ block: RTCPReportBlock, clockRate: Int32, roundTrip measured: Interval?
    ) {
        reports += 1
        lossQ8 = block.fractionLost
        jitter = .microseconds(Int64(block.jitter) * 1_000_000 / Int64(max(1, clockRate)))
        guard let measured else { return }
        roundTrip = roundTrip.map { ($0 * 7 + measured) / 8 } ?? measured
    }

    mutating func onTransport(_ feedback: borrowing TransportFeedback) {
        for index in feedback.arrivals.indices {
            if feedback.arrivals[index].received { arrived += 1 } else { missed += 1 }
        }
    }

    mutating func onREMB(_ bitsPerSecond: UInt64) { receiverEstimate = bitsPerSecond }
    mutating func onNACK(_ count: Int) { nacks += UInt64(count) }
    mutating func onPLI() { keyRequests += 1 }

    /// A path on which a browser need not keep much in store.
    var isCalm: Bool {
        lossQ8 < 3 && jitter < .milliseconds(20)
            && (roundTrip ?? Self.assumedRoundTrip) < .milliseconds(60)
    }
}
