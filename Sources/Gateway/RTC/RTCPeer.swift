import ICE
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

    init(_ offer: WaitingOffer, _ session: RTCSession, at now: Instant) {
        name = offer.name
        purpose = offer.purpose
        asked = offer.request
        since = now
        self.session = session
        super.init(service: purpose.isPublisher ? "whip" : "whep", peer: offer.request.peer)
    }

    override var request: GateRequest? { asked }

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
