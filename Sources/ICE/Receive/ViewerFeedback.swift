package import RTP

/// What a viewer says in authentic RTCP, as values for the send side. What it means is decided
/// there: budgets, throttles and estimates belong to whoever sends.
package enum ViewerFeedback: Equatable, Sendable {
    /// How one of our streams arrives; its `lastReport` may prove the path: see
    /// `RTCSession.echoed`.
    case report(RTCPReportBlock)
    case nack(media: UInt32, RTCPNack)
    /// PLI, or a FIR not heard before.
    case keyframe(media: UInt32)
    case estimate(bitsPerSecond: UInt64)
    /// Feedback on arrivals; its bytes lie in `RTCOutput.bytes`, for `TransportFeedback`.
    case transport(Range<Int>)
}
