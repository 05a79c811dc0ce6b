import ICE
import Stream
import System
import Wire

// The sessions that were built at this worker: made, called, and forgotten.
extension Worker {
    /// Builds the session of an answered offer here, if nobody else has.
    func build(_ slot: UInt32, _ rtc: RTCDesk) -> RTCPeer? {
        guard stopping == nil, let offer = rtc.directory.claim(slot, for: plan.index) else {
            return nil
        }
        var dice = SplitMix64(seed: rtc.dice.next())
        let session = RTCSession(
            offer.negotiated, for: offer.purpose, context: rtc.context, dice: &dice, at: now)
        let peer = RTCPeer(offer, session, at: now)
        rtc.add(peer)
        counters.rtcJoins += 1
        // The session sees the requests that were answered for it; their senders have the answers.
        for (route, request) in rtc.strangers.takeAll(of: slot) {
            var request = request
            var span = request.mutableSpan
            var window = unsafe span.mutableBytes
            session.receive(
                &window, on: route, at: now, engine: &rtc.engine, into: &rtc.out,
                effects: &effects)
            rtc.out.dropAnswers()
            rtc.learn(route, of: peer)
        }
        rtc.setDeadline(of: peer)
        return peer
    }

    /// Calls a session outside of its own datagrams. What it wants done is done when the caller's
    /// effects are run, or with the pending ones.
    func withRTC(
        _ peer: RTCPeer, _ body: (RTCDesk, Instant, inout Effects) -> Void
    ) {
        guard let rtc else { return }
        body(rtc, now, &effects)
        finishRTC(peer, rtc)
    }

    /// Takes what a session has written, after each call of it.
    func finishRTC(_ peer: RTCPeer, _ rtc: RTCDesk) {
        publicKeySteps += rtc.out.publicKeySteps
        while !rtc.out.entries.isEmpty {
            for entry in rtc.takeOutput() { run(entry, of: peer, rtc) }
            rtc.giveBackOutput()
        }
        rtc.out.clear()
        rtc.setDeadline(of: peer)
    }

    private func run(_ entry: RTCOutput.Entry, of peer: RTCPeer, _ rtc: RTCDesk) {
        switch entry {
        case .send(let route, let range):
            let bytes = rtc.taken.bytes
            send(bytes.raw.extracting(range), on: route)
        case .connected:
            peer.isConnected = true
            counters.rtcConnected += 1
        case .closed(let cause):
            log.info(
                "\(peer.service) session ended: \(cause)",
                ["session": peer.name.short, "stream": peer.purpose.streamName])
        case .selected(let route): moved(peer, to: route)
        case .validated(let route):
            if let viewing = peer.viewing {
                viewing.audience.fanOut.validated(viewing.id, route)
            }
        case .feedback(let feedback, _):
            count(feedback)
            let bytes = rtc.taken.bytes
            if hear(feedback, bytes.raw, of: peer), let path = peer.session.selected {
                peer.session.echoed(
                    on: path.route, at: now, engine: &rtc.engine, into: &rtc.out,
                    effects: &effects)
            }
        case .restarted: break
        case .sctp, .associate, .channelSend, .channelReset, .channelAbort:
            runChannel(entry, of: peer, rtc)
        case .controlOpened: listen(peer)
        case .command(let range): rtc.commands.append((peer, Array(rtc.taken.bytes[range])))
        }
    }

    private func count(_ feedback: ViewerFeedback) {
        switch feedback {
        case .keyframe: counters.rtcKeyWishes += 1
        case .nack: counters.rtcNACKs += 1
        case .report, .estimate, .transport: break
        }
    }

    /// Answers for which there is no session yet.
    func sendRTC(_ rtc: RTCDesk) {
        for entry in rtc.takeOutput() {
            if case .send(let route, let range) = entry {
                let bytes = rtc.taken.bytes
                send(bytes.raw.extracting(range), on: route)
            }
        }
        rtc.giveBackOutput()
    }

    /// What the fan-out has for ICE-TCP connections.
    func sendFramed(_ rtc: RTCDesk) {
        guard !rtc.framed.entries.isEmpty else { return }
        let bytes = rtc.framed.bytes
        for entry in rtc.framed.entries {
            if case .send(let route, let range) = entry {
                send(bytes.raw.extracting(range), on: route)
            }
        }
        rtc.framed.clear()
    }

    /// From the address that was hit: a peer drops answers from any other.
    func send(_ bytes: RawSpan, on route: Route) {
        if route.isTCP { return send(bytes, by: route.connection) }
        if !batch.fits(bytes.byteCount), !sendBatch() {
            counters.datagramsRefused += 1
            return
        }
        batch.begin(to: route.remote, from: route.local)
        batch.append(bytes)
    }

    func expire(_ peer: RTCPeer, _ rtc: RTCDesk) {
        peer.session.expire(
            at: now, engine: &rtc.engine, into: &rtc.out, effects: &effects)
        finishRTC(peer, rtc)
        runEffects(of: peer)
    }

    /// Ends it from our side: it says goodbye, and leaves its stream.
    func close(_ peer: RTCPeer, because reason: EndReason) {
        guard let rtc, peer.isHere(at: self) else { return }
        apart(peer) {
            if let viewing = peer.viewing {
                viewing.audience.fanOut.goodbye(
                    viewing.id, engine: &rtc.engine, into: &rtc.out)
            }
            peer.session.close(
                reason, at: now, engine: &rtc.engine, into: &rtc.out, effects: &effects)
            finishRTC(peer, rtc)
        }
        if current == nil { runPendingEffects() }
    }

    func forget(_ peer: RTCPeer) {
        guard let rtc, peer.isHere(at: self) else { return }
        closeAssociation(of: peer, rtc)
        rtc.remove(peer)
        rtc.directory.remove(peer.name)
        counters.rtcLeft += 1
        counters.note(peer.session.figures)
        counters.channelDropped += Int64(peer.session.droppedMessages)
    }

    /// Once a day, by one worker for all: what was ever read in an answer is of no use for long.
    private func renewTickets(_ rtc: RTCDesk) {
        rtc.nextSecret = now + RTCDesk.secretLife
        let secret = (0..<TicketKeys.secretSize).map { _ in
            UInt8.random(in: 0...255, using: &rtc.dice)
        }
        neighbours.postToAll(.rtc(.ticketSecret(secret)))
    }

    func serveRTCDeadlines() {
        guard let rtc else { return }
        if rtc.nextOfferEnd <= now {
            counters.rtcNeverCame += Int64(rtc.expireOffers(at: now))
        }
        rtc.strangers.sweep(at: now)
        expireAsks(rtc)
        serveCommands(rtc)
        serveAddresses(rtc)
        if rtc.nextSecret <= now { renewTickets(rtc) }
        due.removeAll(keepingCapacity: true)
        rtc.deadlines.takeDue(at: now, into: &due)
        for slot in due { rtc.peers[slot].map { expire($0, rtc) } }
    }
}
