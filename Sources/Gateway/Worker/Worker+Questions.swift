import Stream
import System
import Wire

// What a session may not decide alone. Whatever the protocol, the gate is asked here and nowhere
// else, at every new publication and subscription.
extension Worker {
    func answer(_ question: Question, _ id: QuestionID, for connection: Connection) {
        counters.questions += 1
        switch question {
        case .authorise(let action, let name, let credential, let peer):
            let decision = plan.gate.decide(action, name: name, credential, peer: peer)
            reply(decision.answer, id, connection)
        case .publish(let channel, let name, let credential, let peer, let publication):
            let decision = plan.gate.decide(.publish, name: name, credential, peer: peer)
            guard case .allow(let principal, _) = decision else {
                return reply(decision.answer, id, connection)
            }
            var publication = publication
            publication.principal = principal
            publish(publication, as: name, channel, id, connection)
        case .subscribe(let channel, let name, let credential, let peer, let subscription):
            let decision = plan.gate.decide(.read, name: name, credential, peer: peer)
            guard case .allow = decision else {
                return reply(decision.answer, id, connection)
            }
            subscribe(subscription, to: name, channel, id, connection)
        }
    }

    func reply(_ answer: Answer, _ id: QuestionID, _ connection: Connection) {
        if case .refused(let refusal) = answer {
            counters.refusals += 1
            log.info("\(connection.service) \(connection.peer): \(refusal)")
        }
        connection.session.answer(
            answer, to: id, at: now, into: &effects, out: &connection.out)
        wantFlush(connection)
    }

    private func publish(
        _ publication: Publication, as name: String, _ channel: ChannelID, _ id: QuestionID,
        _ connection: Connection
    ) {
        guard connection.publications[channel] == nil else {
            let refusal = Refusal(.tooMany, "this channel publishes already; end that first")
            return reply(.refused(refusal), id, connection)
        }
        do throws(Refusal) {
            let claim = try claim(name)
            guard claim.home == plan.index else {
                return publishElsewhere(
                    publication, as: name, at: claim.home, channel, id, connection)
            }
            let local = home(name, lastEpoch: claim.lastEpoch)
            let epoch = try begin(publication, at: local, .connection(connection, channel))
            connection.publications[channel] = .here(local, epoch)
            reply(.published(epoch), id, connection)
        } catch {
            reply(.refused(error), id, connection)
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

    private func subscribe(
        _ subscription: Subscription, to name: String, _ channel: ChannelID, _ id: QuestionID,
        _ connection: Connection
    ) {
        do throws(Refusal) {
            let local = try local(name, patience: subscription.patience)
            defer { setDeadline(of: local) }
            if local.isReady(at: now) {
                admit(subscription, to: local, channel, id, connection)
            } else {
                try park(subscription, at: local, channel, id, connection)
            }
        } catch {
            reply(.refused(error), id, connection)
        }
    }

    private func park(
        _ subscription: Subscription, at local: LocalStream, _ channel: ChannelID,
        _ id: QuestionID, _ connection: Connection
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
            connection: connection, channel: channel, question: id,
            subscription: subscription, stream: local)
        runOrders(of: local)
    }

    /// The wait of a subscription is over, one way or the other.
    func tell(_ waiter: Waiters.ID, _ result: Waiters.Result, at local: LocalStream) {
        guard let parked = waiting.removeValue(forKey: waiter) else { return }
        hub.waiterLeft(local.name)
        guard connections[parked.connection.identity] != nil else { return }
        switch result {
        case .ready:
            admit(
                parked.subscription, to: local, parked.channel, parked.question,
                parked.connection)
        case .failed(let refusal): reply(.refused(refusal), parked.question, parked.connection)
        }
        runEffects(of: parked.connection)
    }

    private func admit(
        _ subscription: Subscription, to local: LocalStream, _ channel: ChannelID,
        _ id: QuestionID, _ connection: Connection
    ) {
        guard connection.readers[channel] == nil else {
            let refusal = Refusal(.tooMany, "this channel reads already; end that first")
            return reply(.refused(refusal), id, connection)
        }
        let reader = ConnectionReader(connection, channel, subscription, local, at: now)
        reader.resolve(at: now, into: &orders)
        local.readers.append(reader)
        connection.readers[channel] = reader
        reply(.subscribed(local.snapshot(at: now)), id, connection)
        runOrders(of: local)
        markDirty(local)
    }

    /// A subscription that waits for its stream.
    struct Waiting {
        let connection: Connection
        let channel: ChannelID
        let question: QuestionID
        let subscription: Subscription
        let stream: LocalStream
    }
}
