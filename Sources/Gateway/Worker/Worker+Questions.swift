import Stream
import System
import Wire

// What a session may not decide alone. Whatever the protocol, the gate is asked here and nowhere
// else, at every new publication and subscription.
extension Worker {
    func answer(_ question: Question, _ id: QuestionID, for participant: Participant) {
        counters.questions += 1
        switch question {
        case .authorise(let action, let name, let credential, let peer):
            let decision = decide(action, name, credential, peer, for: participant)
            reply(decision.answer, id, participant)
        case .publish(let channel, let name, let credential, let peer, let publication):
            let decision = decide(.publish, name, credential, peer, for: participant)
            guard case .allow(let principal, _) = decision else {
                return reply(decision.answer, id, participant)
            }
            var publication = publication
            publication.principal = principal
            publish(publication, as: name, channel, id, participant)
        case .subscribe(let channel, let name, let credential, let peer, let subscription):
            let decision = decide(.read, name, credential, peer, for: participant)
            guard case .allow = decision else {
                return reply(decision.answer, id, participant)
            }
            if !participant.isAdmitted, !participant.isOurs, let refusal = overload() {
                return reply(.refused(refusal), id, participant)
            }
            subscribe(subscription, to: name, channel, id, participant)
        case .lines(let number): openLines(number, id, participant)
        }
    }

    /// A session that came by an HTTP request is judged by that request: its media may come from
    /// another address of the same machine.
    private func decide(
        _ action: Action, _ name: String, _ credential: Credential, _ peer: Address,
        for participant: Participant
    ) -> Gate.Decision {
        if participant.isOurs { return .allow(.configured, until: nil) }
        return plan.gate.decide(
            action, name: name, credential, participant.request ?? GateRequest(peer: peer))
    }

    func reply(_ answer: Answer, _ id: QuestionID, _ participant: Participant) {
        if case .refused(let refusal) = answer {
            counters.refusals += 1
            log.info("\(participant.service) \(participant.peer): \(refusal)")
        }
        // Whoever answers outside of everybody's turn runs what comes of it.
        if current == nil { return participant.take(answer, to: id, at: self) }
        apart(participant) { participant.take(answer, to: id, at: self) }
    }

    func publish(
        _ publication: Publication, as name: String, _ channel: ChannelID, _ id: QuestionID,
        _ participant: Participant
    ) {
        guard participant.publications[channel] == nil else {
            let refusal = Refusal(.tooMany, "this channel publishes already; end that first")
            return reply(.refused(refusal), id, participant)
        }
        do throws(Refusal) {
            let claim = try claim(name)
            guard claim.home == plan.index else {
                return publishElsewhere(
                    publication, as: name, at: claim.home, channel, id, participant)
            }
            let local = home(name, lastEpoch: claim.lastEpoch)
            let epoch = try begin(publication, at: local, .participant(participant, channel))
            participant.publications[channel] = .here(local, epoch)
            reply(.published(epoch), id, participant)
        } catch {
            reply(.refused(error), id, participant)
        }
    }

    /// Begins an epoch at home, whoever publishes. The one before is told by the orders.
    func begin(
        _ publication: Publication, at local: LocalStream, _ source: LocalStream.Publisher.Source
    ) throws(Refusal) -> Epoch {
        guard let stream = local.stream else {
            throw Refusal(.shuttingDown, "\(local.name) is moving to another home; try again")
        }
        defer { setDeadline(of: local) }
        let epoch = try stream.publish(publication, at: now, into: &orders)
        runOrders(of: local)
        local.publisher = .init(source: source, epoch: epoch)
        return epoch
    }

    /// Without asking the gate: whoever calls has.
    func subscribe(
        _ subscription: Subscription, to name: String, _ channel: ChannelID, _ id: QuestionID,
        _ participant: Participant
    ) {
        do throws(Refusal) {
            let local = try local(name, patience: subscription.patience)
            defer { setDeadline(of: local) }
            if local.isReady(at: now) {
                admit(subscription, to: local, channel, id, participant)
            } else {
                try park(subscription, at: local, channel, id, participant)
            }
        } catch {
            reply(.refused(error), id, participant)
        }
    }

    private func park(
        _ subscription: Subscription, at local: LocalStream, _ channel: ChannelID,
        _ id: QuestionID, _ participant: Participant
    ) throws(Refusal) {
        guard subscription.patience > .zero else {
            throw Refusal(.notFound, "nobody publishes \(local.name) now")
        }
        let full = Refusal(.tooMany, "\(Waiters.maximum) viewers wait for \(local.name) already")
        guard hub.admitWaiter(local.name) else { throw full }
        nextWaiter += 1
        do throws(Refusal) {
            switch local.place {
            case .home(let stream):
                try stream.wait(
                    nextWaiter, patience: subscription.patience, at: now, into: &orders)
            case .relayed:
                guard local.waiters.add(nextWaiter, patience: subscription.patience, at: now)
                else { throw full }
            }
        } catch {
            hub.waiterLeft(local.name)
            throw error
        }
        waiting[nextWaiter] = .init(
            participant: participant, channel: channel, question: id,
            subscription: subscription, stream: local)
        runOrders(of: local)
    }

    /// The wait of a subscription is over, one way or the other.
    func tell(_ waiter: Waiters.ID, _ result: Waiters.Result, at local: LocalStream) {
        guard let parked = waiting.removeValue(forKey: waiter) else { return }
        hub.waiterLeft(local.name)
        guard parked.participant.isHere(at: self) else { return }
        switch result {
        case .ready:
            admit(
                parked.subscription, to: local, parked.channel, parked.question,
                parked.participant)
        case .failed(let refusal): reply(.refused(refusal), parked.question, parked.participant)
        }
        runEffects(of: parked.participant)
    }

    private func admit(
        _ subscription: Subscription, to local: LocalStream, _ channel: ChannelID,
        _ id: QuestionID, _ participant: Participant
    ) {
        do throws(Refusal) {
            try participant.admit(subscription, to: local, channel, at: self)
        } catch {
            return reply(.refused(error), id, participant)
        }
        reply(.subscribed(local.snapshot(at: now)), id, participant)
        runOrders(of: local)
        markDirty(local)
    }

    /// A subscription that waits for its stream.
    struct Waiting {
        let participant: Participant
        let channel: ChannelID
        let question: QuestionID
        let subscription: Subscription
        let stream: LocalStream
    }
}
