import Crypto
import ICE
import Media
import SDP
import Stream
import System
import Wire

/// Why an offer was not accepted, on the way to whoever asked.
struct RTCOpening: Error {
    let refusal: RTCRefusal
    init(_ refusal: Refusal) { self.refusal = .refusal(refusal) }
    init(_ error: NegotiationError) { refusal = .negotiation(error) }
    init(retryAfter: Interval) { refusal = .noPublisher(retryAfter: retryAfter) }
}

// Offers are answered by whichever worker the HTTP connection is at; the session is built where its
// packets arrive.
extension Worker {
    /// Players ask again after this when nobody publishes.
    private static let retryAfter = Interval.seconds(2)
    /// How long a viewer may wait for a publisher that is just starting.
    private static let playPatience = Interval.seconds(10)

    func answer(_ asked: RTCOffer) throws(RTCOpening) -> RTCAnswer {
        guard let rtc else { throw RTCOpening(Refusal(.notFound, Self.isOff)) }
        guard stopping == nil else {
            throw RTCOpening(Refusal(.shuttingDown, "this gateway is stopping"))
        }
        var offer = asked
        offer.name = try Self.streamName(asked.name)
        let principal = try judge(offer)
        if offer.role == .publish { try checkIsFree(offer.name, for: principal) }
        if offer.role == .play, let refusal = overload() { throw RTCOpening(refusal) }
        let read = try Self.read(offer)
        let facts = offer.role == .play ? try self.facts(about: offer.name) : nil
        let name = try reserve(for: offer, rtc)
        do throws(NegotiationError) {
            let (answer, session) = try negotiate(read, name, facts, rtc)
            return wait(for: offer, principal, name, answer, session, rtc)
        } catch {
            rtc.directory.remove(name)
            throw RTCOpening(error)
        }
    }

    private static let isOff = "WebRTC is switched off: see webrtc.listen"

    /// In full, as the other protocols would say it.
    private static func streamName(_ text: String) throws(RTCOpening) -> String {
        do throws(ParseError) { return try StreamName(text).description } catch {
            throw RTCOpening(
                Refusal(.badName, "\"\(LabelText(text))\" is not a stream name: \(error)"))
        }
    }

    private func judge(_ offer: RTCOffer) throws(RTCOpening) -> Principal {
        let decision = plan.gate.decide(
            offer.role == .publish ? .publish : .read, name: offer.name, offer.credential,
            offer.request)
        switch decision {
        case .allow(let principal, _): return principal
        case .deny(let refusal): throw RTCOpening(refusal)
        }
    }

    /// The claim itself comes when the peer is connected; but an encoder that can be told now is.
    private func checkIsFree(_ name: String, for principal: Principal) throws(RTCOpening) {
        guard let present = hub.entry(name)?.snapshot.principal,
            !principal.isSamePerson(as: present)
        else { return }
        throw RTCOpening(
            Refusal(
                .nameInUse, "\(name) is being published; only the same key or user may take it over"
            ))
    }

    private static func read(_ offer: RTCOffer) throws(RTCOpening) -> Offer {
        do throws(NegotiationError) {
            return try OfferReader.read(offer.sdp.raw, role: offer.role)
        } catch {
            throw RTCOpening(error)
        }
    }

    /// What a viewer may expect of the stream as long as its name lives.
    private func facts(about name: String) throws(RTCOpening) -> StreamFacts {
        guard let snapshot = hub.entry(name)?.snapshot, snapshot.isLive || !snapshot.slots.isEmpty
        else { throw RTCOpening(retryAfter: Self.retryAfter) }
        func fact(_ slot: SlotName) -> StreamFacts.Slot {
            if let format = snapshot[slot]?.format { return .filled(format) }
            let mayCome = rtc?.settings.reserves ?? true
            return mayCome || !snapshot.tracksComplete ? .open : .absent
        }
        return StreamFacts(audio: fact(.audio), video: fact(.video))
    }

    private func reserve(
        for offer: RTCOffer, _ rtc: RTCDesk
    ) throws(RTCOpening) -> RTCSessionName {
        do throws(Refusal) {
            return try rtc.directory.reserve(
                for: offer.request.peer, random: (rtc.dice.next(), rtc.dice.next()))
        } catch {
            throw RTCOpening(error)
        }
    }

    private func negotiate(
        _ offer: Offer, _ name: RTCSessionName, _ facts: StreamFacts?, _ rtc: RTCDesk
    ) throws(NegotiationError) -> (SDPDescription, NegotiatedSession) {
        var policy = AnswerPolicy(
            local: rtc.issue(name.slot, worker: plan.index, at: now),
            fingerprint: rtc.context.fingerprint, candidates: rtc.settings.addresses.candidates)
        policy.prefer = rtc.settings.prefer
        policy.acceptsChannels = rtc.channels != nil
        let seed = rtc.dice.next()
        if let facts {
            return try AnswerWriter.play(offer, policy: policy, facts: facts, seed: seed)
        }
        return try AnswerWriter.publish(offer, policy: policy, seed: seed)
    }

    private func wait(
        for offer: RTCOffer, _ principal: Principal, _ name: RTCSessionName,
        _ answer: SDPDescription, _ session: NegotiatedSession, _ rtc: RTCDesk
    ) -> RTCAnswer {
        let purpose: RTCPurpose =
            switch offer.role {
            case .publish: .publish(name: offer.name, offer.credential, principal)
            case .play:
                .play(name: offer.name, offer.credential, Self.subscription(session))
            }
        let etag = rtc.newETag()
        rtc.directory.fill(
            name,
            WaitingOffer(
                name: name, negotiated: session, purpose: purpose, request: offer.request))
        _ = rtc.directory.change(name) { $0.etag = etag }
        rtc.waitFor(name, until: now + LiteAgent.connectLimit)
        counters.rtcOffers += 1
        return RTCAnswer(id: name, etag: etag, sdp: SDPWriter.write(answer))
    }

    private static func subscription(_ session: NegotiatedSession) -> Subscription {
        let wants = [(SlotName.video, session.video), (SlotName.audio, session.audio)].compactMap {
            slot, media in
            media.map {
                Subscription.Want(slot: slot, codecs: $0.codecs.map(\.codec), form: .packets)
            }
        }
        return Subscription(wants: wants, rule: .realTime, patience: playPatience)
    }
}
