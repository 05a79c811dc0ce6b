import Stream
import System
import Wire

/// One stream that this worker fetches or brings, over all its connections and failures.
final class OutgoingLink {
    enum State {
        case waiting(until: Instant)
        case connecting(Connector.Ticket)
        case open(Connection, since: Instant)
    }

    /// More than this is a ring.
    static let redirectsMaximum = 3

    let purpose: LinkPurpose
    let name: String
    let url: LinkURL
    let served: LinkProtocol
    let scheme: LinkProtocol.Scheme
    let isOnDemand: Bool
    let transport: LinkTransport
    var state: State
    var schedule = RetrySchedule()
    /// Where the peer has sent us, for the next connection only, and who said so.
    var redirect: (url: LinkURL, by: Address)?
    var redirects = 0
    /// What the last try has left for the next one.
    var lesson: UInt8 = 0
    private(set) var cause = ""
    /// Nobody wants it any more: when its connection ends, so does it.
    var isOver = false

    init(
        _ purpose: LinkPurpose, _ name: String, _ url: LinkURL, _ served: LinkProtocol,
        _ scheme: LinkProtocol.Scheme, isOnDemand: Bool, transport: LinkTransport,
        at now: Instant
    ) {
        self.purpose = purpose
        self.name = name
        self.url = url
        self.served = served
        self.scheme = scheme
        self.isOnDemand = isOnDemand
        self.transport = transport
        state = .waiting(until: now)
    }

    func note(cause: String) { self.cause = cause }

    /// When there is something to do.
    var due: Instant {
        if case .waiting(let until) = state { until } else { .distantFuture }
    }

    /// For logs.
    var what: String {
        purpose == .pull ? "pull of \(name) from \(url)" : "push of \(name) to \(url)"
    }

    func report(at now: Instant) -> LinkReport {
        var report = LinkReport(
            purpose: purpose, stream: name, url: "\(url)", state: .waiting,
            failures: schedule.failures, cause: cause)
        switch state {
        case .waiting(let until): report.time = max(.zero, until - now)
        case .connecting: report.state = .connecting
        case .open(let connection, let since):
            let session = connection.session as? any LinkSession
            report.state = session?.isRunning == true ? .running : .connecting
            report.time = now - since
        }
        return report
    }
}
