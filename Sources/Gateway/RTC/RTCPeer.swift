import ICE
import SCTP
import Stream
import Wire

/// A WebRTC session at the worker that built it.
final class RTCPeer: Participant {
    let name: RTCSessionName
    let session: RTCSession
    let purpose: RTCPurpose
    let since: Instant
    private let asked: GateRequest
    var identity = SlotTable<RTCPeer>.Identity(index: -1, generation: 0)
    /// Where its packets come from, as the table of routes has them.
    var routes: [Route] = []
    /// It is counted among those that shake hands.
    var isConnected = false
    /// What it watches.
    var viewing: Viewing?
    /// Its data channels travel in it, from the end of the handshake on.
    var association: SCTPOwner?
    /// What offer and answer have settled.
    let negotiated: NegotiatedSession

    struct Viewing {
        let local: LocalStream
        let audience: Audience
        let id: ViewerID
    }

    init(_ offer: WaitingOffer, _ session: RTCSession, at now: Instant) {
        name = offer.name
        purpose = offer.purpose
        asked = offer.request
        negotiated = offer.negotiated
        since = now
        self.session = session
        super.init(service: purpose.isPublisher ? "whip" : "whep", peer: offer.request.peer)
    }

    override var request: GateRequest? { asked }
    override var isAdmitted: Bool { true }

    override func isHere(at worker: Worker) -> Bool { worker.rtc?.peers[identity] != nil }

    override func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {
        worker.withRTC(self) { rtc, now, effects in
            session.answer(
                answer, to: id, at: now, engine: &rtc.engine, into: &rtc.out, effects: &effects)
        }
    }

    override func take(_ notice: Notice, at worker: Worker) {
        worker.withRTC(self) { rtc, now, effects in
            session.notice(
                notice, at: now, engine: &rtc.engine, into: &rtc.out, effects: &effects)
        }
    }

    override func admit(
        _ subscription: Subscription, to local: LocalStream, _ channel: ChannelID,
        at worker: Worker
    ) throws(Refusal) { try worker.watch(self, local) }

    override func leaveReading(at worker: Worker) { worker.unwatch(self) }

    override func dismiss(_ reason: EndReason, at worker: Worker) {
        worker.close(self, because: reason)
    }

    override func reports(at worker: Worker) -> [SessionReport] {
        let stream = viewing?.local.name ?? purpose.streamName
        var report = SessionReport(
            id: name.short, worker: worker.plan.index,
            role: purpose.isPublisher ? .publish : .read, protocolName: service, stream: stream,
            peer: session.selected?.route.remote ?? peer, uptime: worker.now - since)
        report.roundTrip = session.roundTrip
        report.viewer = viewing.flatMap { $0.audience.fanOut.report($0.id) }
        return [report]
    }

    override func end(at worker: Worker) { worker.forget(self) }
}

extension RTCPurpose {
    var isPublisher: Bool { if case .publish = self { true } else { false } }

    var streamName: String {
        switch self {
        case .publish(let name, _, _), .play(let name, _, _): name
        }
    }
}
