package import Stream
package import System
package import Wire

/// What one thread tells a worker. Packets do not come by letter, they come by ring.
package enum Letter: Sendable {
    /// Stop accepting, end what is there, and leave when nothing is left or the time is over.
    case stop(after: Interval)
    /// From the main thread, which wants to know that this one comes round.
    case beat
    /// The configuration was reloaded.
    case settings(WorkerSettings)
    /// Say what you have done: the answer goes to the worker that asks.
    case report(to: Int, Gather.ID, ReportDetail)
    case reported(Gather.ID, WorkerReport)
    /// End the session that the API calls so, if it is here.
    case kick(String)
    /// The reading end of the ring from that worker: what it sends comes there.
    case ring(from: Int, Parcel<PacketRing.Reader>)
    /// To the home of a stream: what its readers elsewhere need.
    case relay(RelayUp, from: Int)
    /// From the home: look at what the Hub says now.
    case changed(String)
    /// From the home: its readers are sent away.
    case ended(String, EndReason)
    /// To the home: a publisher of that worker claims the name; and the answer.
    case publish(from: Int, feed: UInt32, name: String, Publication)
    case published(feed: UInt32, Result<Epoch, Refusal>)
    /// To the home: an effect whose place is marked in the ring.
    case feedEffect(from: Int, feed: UInt32, UInt32, Effects.Effect)
    /// From the home, for a publisher of this worker.
    case feedNotice(UInt32, Notice)
    case rtc(RTCLetter)
    case hls(HLSLetter)
    case gb(GBLetter)
    /// From a thread of the transcoder.
    case transcoded(TranscodeResult)
    /// From the thread of libsrt: a caller.
    case srt(SRTArrival)
    /// From the thread of SCTP.
    case channels([SCTPNews])
}

/// How much a worker is to say: there may be thousands of sessions.
package enum ReportDetail: Sendable { case figures, streams, sessions, cameras }

/// What one worker says of itself.
package struct WorkerReport: Sendable {
    package var worker: Int
    package var counters: WorkerCounters
    package var connections: [String: Int]
    package var streams: [StreamReport] = []
    package var sessions: [SessionReport] = []
    package var links: [LinkReport] = []
    /// Of the worker that has the desk.
    package var gb: GBReport?
    /// Sessions of WebRTC, by state.
    package var rtc: [String: Int] = [:]
}

/// A question to all workers, and the answers that have come: complete, or as much as came in time.
package struct Gather: Sendable {
    package typealias ID = UInt32

    /// A worker that says nothing for this long is missing from the answer, not holding it up.
    package static let patience = Interval.seconds(1)

    package var deadline: Instant
    package private(set) var missing: Set<Int>
    package private(set) var reports: [WorkerReport] = []

    package init(workers: Int, at now: Instant) {
        missing = Set(0..<workers)
        deadline = now + Self.patience
    }

    package mutating func note(_ report: WorkerReport) {
        guard missing.remove(report.worker) != nil else { return }
        reports.append(report)
    }

    package var isComplete: Bool { missing.isEmpty }
}
