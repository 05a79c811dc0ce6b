import Crypto
import Media
import RTP
package import Stream
import Wire

/// ICE and DTLS: what the agent and the handshake want done.
extension RTCSession {
    /// DTLS is looked at only where the peer has proved itself (model.md, the gate).
    func receiveDTLS(
        _ datagram: RawSpan, _ route: Route, at now: Instant, engine: inout CryptoEngine,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        guard let path = path(of: route) else { return }
        agent.received(datagram.byteCount, at: path)
        if dtls.state == .handshaking { dtlsRoute = route }
        if dtls.receive(datagram, at: now, into: &dtlsOutput) { out.publicKeySteps += 1 }
        takeDTLS(at: now, engine: &engine, into: &out, effects: &effects)
    }

    func takeICE(
        at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        var cause: Cause?
        var mayGoOn = false
        for entry in out.ice.entries {
            switch entry {
            case .send(let route, let range):
                let bytes = out.ice.bytes
                out.send(bytes.raw.extracting(range), on: route)
            case .selected(let route): out.append(.selected(route))
            case .validated(let route):
                out.append(.validated(route))
                mayGoOn = mayGoOn || (isFlightHeld && route == dtlsRoute)
            case .restarted: out.append(.restarted)
            case .stale: noteSilence(true, into: &effects)
            case .recovered: noteSilence(false, into: &effects)
            case .ended(let reason): cause = .ice(reason)
            case .connect: break  // Of the controlling side only.
            }
        }
        out.ice.clear()
        if let cause {
            finish(cause, at: now, engine: &engine, into: &out, effects: &effects)
        } else {
            startDTLS(at: now, into: &out)
            if mayGoOn { repeatFlight(at: now, into: &out) }
        }
    }

    /// Nothing authentic for a while, or something again: a publisher's name depends on it.
    private func noteSilence(_ isSilent: Bool, into effects: inout Effects) {
        guard hasName, negotiated.role == .publish else { return }
        effects.append(.silence(IncomingMedia.channel, isSilent))
    }

    /// The path has been proved since the flight was held back.
    private func repeatFlight(at now: Instant, into out: inout RTCOutput) {
        dtls.repeatNow(at: now, into: &dtlsOutput)
        flushDTLS(at: now, into: &out)
    }

    /// `a=setup:active` of ours: the first path that the peer chose is the one to speak on.
    private func startDTLS(at now: Instant, into out: inout RTCOutput) {
        guard !hasStarted, negotiated.dtls == .client, let route = agent.selectedRoute else {
            return
        }
        hasStarted = true
        dtlsRoute = route
        dtls.start(at: now, into: &dtlsOutput)
        out.publicKeySteps += 1
        flushDTLS(at: now, into: &out)
    }

    /// Whoever knows our password may have forged the address of all that came, so the handshake,
    /// too, gets three times that: enough for a flight. What is held goes when the peer has shown
    /// itself by an answer to our check, or repeats itself. The open tunnel follows the media.
    func flushDTLS(at now: Instant, into out: inout RTCOutput) {
        let datagrams = dtlsOutput.datagrams
        guard !datagrams.isEmpty else { return }
        dtlsOutput.datagrams = DatagramList()
        guard let route = keys == nil ? dtlsRoute : agent.selectedRoute ?? dtlsRoute else { return }
        isFlightHeld = false
        for index in 0..<datagrams.count {
            let count = datagrams[index].byteCount
            guard agent.admitSending(count, on: route) || takeCredit(count) else {
                isFlightHeld = keys == nil
                break
            }
            out.send(datagrams[index], on: route)
        }
        guard isFlightHeld else { return }
        agent.prove(route, at: now, into: &out.ice)
        for case .send(let route, let range) in out.ice.entries {
            let bytes = out.ice.bytes
            out.send(bytes.raw.extracting(range), on: route)
        }
        out.ice.clear()
    }

    private func takeCredit(_ count: Int) -> Bool {
        guard credit >= count else { return false }
        credit -= count
        return true
    }

    func takeDTLS(
        at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        flushDTLS(at: now, into: &out)
        if channels != nil {
            for index in 0..<dtlsOutput.messages.count {
                out.append(.sctp(out.store(dtlsOutput.messages[index])))
            }
        }
        dtlsOutput.messages.removeAll()
        switch dtls.state {
        case .handshaking: break
        case .open: connect(at: now, engine: &engine, into: &out, effects: &effects)
        case .closed(let end):
            finish(
                .dtls(end), at: now, engine: &engine, into: &out, effects: &effects)
        }
    }

    private func connect(
        at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        guard keys == nil, let route = dtlsRoute, let made = dtls.takeKeys() else { return }
        keys = Keys(
            sending: engine.add(made.local, profile: made.profile, for: .sending),
            receiving: engine.add(made.remote, profile: made.profile, for: .receiving))
        state = .connected
        releaseAt = now + DTLSSession.handshakeMaximum
        agent.handshakeFinished(on: route, at: now, into: &out.ice)
        takeICE(at: now, engine: &engine, into: &out, effects: &effects)
        out.append(.connected)
        if let channel = negotiated.channel { out.append(.associate(port: channel.remotePort)) }
        guard let id = questions.open(until: now + Self.answerLimit) else { return }
        effects.ask(claim(from: route.remote), id)
    }

    private func claim(from peer: Address) -> Question {
        let channel = IncomingMedia.channel
        switch purpose {
        case .publish(let name, let credential, let principal):
            var publication = Publication(
                principal: principal, protocolName: "whip", slots: incoming.slots)
            let videos = incoming.encodings.filter { $0.slot.kind == .video }
            publication.answersNACK = videos.contains { $0.nack != nil }
            publication.answersPLI = videos.contains { $0.keyframes != nil }
            publication.tracksComplete = true
            return .publish(channel, name: name, credential, peer: peer, publication)
        case .play(let name, let credential, let subscription):
            return .subscribe(channel, name: name, credential, peer: peer, subscription)
        }
    }

    func finish(
        _ cause: Cause, at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        guard !isClosed else { return }
        sendGoodbye(engine: &engine, into: &out)
        dtls.close(into: &dtlsOutput)
        flushDTLS(at: now, into: &out)
        state = .closed(cause)
        if let keys {
            engine.remove(keys.sending)
            engine.remove(keys.receiving)
        }
        keys = nil
        hasName = false
        out.append(.closed(cause))
        effects.append(.close(cause.reason))
    }
}

/// RTCP of ours.
extension RTCSession {
    /// A burst of compounds at most; what is still due leaves at the next call.
    private static let compoundsMaximum = 4

    func sendReports(
        at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        guard hasName, !isClosed, incoming.deadline <= now else { return }
        for _ in 0..<Self.compoundsMaximum where incoming.deadline <= now {
            let count = control.reports(of: &incoming, at: now)
            guard count > 0 else { break }
            sendControl(count, engine: &engine, into: &out)
        }
        incoming.reportLosses(into: &effects)
    }

    /// A viewer that sends nothing itself asks for the round trip this way (RFC 3611 §4.4).
    func answerClock(at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput) {
        guard let clock = peerClock.take() else { return }
        let count = control.delay(
            of: incoming, about: clock.ssrc, lastReport: clock.middle,
            delay: NTPTime.shortDelay(now - clock.at))
        sendControl(count, engine: &engine, into: &out)
    }

    private func sendGoodbye(engine: inout CryptoEngine, into out: inout RTCOutput) {
        guard keys != nil else { return }
        sendControl(control.bye(of: incoming), engine: &engine, into: &out)
    }

    private func sendControl(
        _ count: Int, engine: inout CryptoEngine, into out: inout RTCOutput
    ) {
        guard let keys, let route = agent.selectedRoute, let index = takeControlIndex() else {
            return
        }
        let total = control.protect(count, index: index, key: keys.sending, with: engine)
        guard agent.admitSending(total, on: route) else { return }
        let bytes = control.bytes
        out.send(bytes.raw.extracting(0..<total), on: route)
    }
}

extension RTCSession.Cause {
    /// What the stream and its viewers hear of it.
    package var reason: EndReason {
        switch self {
        case .ice: .silent
        case .dtls(.closeNotify): .done
        case .dtls: .protocolError
        case .refused: .protocolError
        case .ended(let reason): reason
        }
    }
}
