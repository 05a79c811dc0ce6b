import Stream
import Wire

/// Whoever publishes and reads at a worker: a session on a connection, or a WebRTC peer. The worker
/// runs the effects of both alike; how each is told something differs.
class Participant {
    /// The protocol, for logs and figures.
    let service: String
    /// The other end, for logs; what the gate judges is in the questions.
    let peer: Address
    /// What it publishes, by its own numbers.
    final var publications: [ChannelID: Publishing] = [:]

    /// Where what it publishes goes.
    enum Publishing {
        case here(LocalStream, Epoch)
        case elsewhere(FeedOut)
    }

    init(service: String, peer: Address) {
        self.service = service
        self.peer = peer
    }

    /// As a connection, if it is one: those read by cursors of their own.
    var connection: Connection? { nil }

    /// The configuration wants it: no key is asked for.
    var isOurs: Bool { false }

    /// How its request came; nil: a protocol that has no more than an address.
    var request: GateRequest? { nil }

    /// It was let in when it asked first: what it begins now it was let in for.
    var isAdmitted: Bool { false }

    /// It has not been closed.
    func isHere(at worker: Worker) -> Bool { preconditionFailure("of the subclasses") }

    func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {}
    func take(_ notice: Notice, at worker: Worker) {}
    /// Its own effects have been run.
    func effectsWereRun(at worker: Worker) {}
    /// Its session is over; what it has written is still sent.
    func end(at worker: Worker) {}

    /// It may read now.
    ///
    /// - Throws: If it reads already, or cannot.
    func admit(
        _ subscription: Subscription, to local: LocalStream, _ channel: ChannelID,
        at worker: Worker
    ) throws(Refusal) {}

    /// Sent away by us: it leaves its streams, and what it has written is still sent.
    func dismiss(_ reason: EndReason, at worker: Worker) {
        worker.effects.append(.close(reason))
        worker.runEffects(of: self)
    }

    /// What it publishes and reads, for the API.
    func reports(at worker: Worker) -> [SessionReport] { [] }

    /// All that it reads is left.
    func leaveReading(at worker: Worker) {}
}
