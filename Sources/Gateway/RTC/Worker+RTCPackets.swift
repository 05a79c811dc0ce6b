import ICE
import Stream
import System
import Wire

// The way of a datagram: to its session here, to the worker that has it, or nowhere.
extension Worker {
    /// OpenSSL works for half a millisecond at a time: what others send must not wait for more.
    static let publicKeyStepsPerTurn = 2
    /// Handshakes that wait for the next turn. Their peers repeat what finds no place.
    private static let postponedMaximum = 1024

    func receiveRTC(_ datagram: inout MutableRawSpan, _ route: Route, _ rtc: RTCDesk) {
        let kind = Demux(datagram.bytes)
        if let peer = rtc.peer(at: route) {
            guard kind == .stun, let slot = rtc.tickets.slot(namedIn: datagram.bytes),
                slot != peer.name.slot
            else { return deliver(&datagram, kind, route, to: peer, rtc) }
            // A new session behind an address that had another: the old one is over, or will be.
        }
        if kind == .stun {
            receiveStranger(&datagram, route, rtc)
        } else {
            receiveMore(&datagram, kind, route, rtc)
        }
    }

    private func deliver(
        _ datagram: inout MutableRawSpan, _ kind: Demux, _ route: Route, to peer: RTCPeer,
        _ rtc: RTCDesk
    ) {
        if kind == .dtls, !peer.isConnected, mustWait(datagram.bytes, route, rtc) { return }
        receive(&datagram, route, by: peer, rtc)
    }

    /// - Returns: Whether this turn has done its share of handshakes; then it waits for the next.
    private func mustWait(_ datagram: RawSpan, _ route: Route, _ rtc: RTCDesk) -> Bool {
        guard publicKeySteps >= Self.publicKeyStepsPerTurn else { return false }
        if rtc.postponed.count < Self.postponedMaximum {
            rtc.postponed.append((route, [UInt8](copying: datagram)))
            counters.rtcPostponed += 1
        } else {
            counters.rtcDropped += 1
        }
        return true
    }

    /// What the turn before had no time for, in its order.
    func servePostponed() {
        guard let rtc, !rtc.postponed.isEmpty else { return }
        let list = rtc.postponed
        rtc.postponed = []
        for (route, bytes) in list {
            var bytes = bytes
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            receiveRTC(&window, route, rtc)
        }
    }

    func receive(
        _ datagram: inout MutableRawSpan, _ route: Route, by peer: RTCPeer, _ rtc: RTCDesk
    ) {
        peer.session.receive(
            &datagram, on: route, at: now, engine: &rtc.engine, into: &rtc.out,
            effects: &effects)
        finishRTC(peer, rtc)
        if !effects.isEmpty { runEffects(of: peer) }
    }

    // MARK: Senders that no session here knows

    private func receiveStranger(
        _ datagram: inout MutableRawSpan, _ route: Route, _ rtc: RTCDesk
    ) {
        guard let stranger = Stranger(datagram.bytes, keys: rtc.tickets) else {
            if receiveServersAnswer(datagram.bytes, route, rtc) { return }
            counters.datagramsUnknown += 1
            return
        }
        let slot = stranger.ticket.slot
        if let peer = rtc.bySlot[slot] {
            receive(&datagram, route, by: peer, rtc)
            return rtc.learn(route, of: peer)
        }
        switch rtc.directory.standing(of: slot) {
        case .waiting(let ufrag, let startsHandshake):
            guard stranger.names(ufrag), !stranger.ticket.isExpired(at: now) else { break }
            if startsHandshake, stranger.nominates {
                if let peer = build(slot, rtc) {
                    receive(&datagram, route, by: peer, rtc)
                    return rtc.learn(route, of: peer)
                }
            }
            guard
                rtc.strangers.note(
                    route, slot: slot, .waiting, request: datagram.bytes, at: now)
            else { break }
            stranger.answer(datagram.bytes, on: route, into: &rtc.out)
            return sendRTC(rtc)
        case .at(let worker) where worker != plan.index && route.isTCP:
            let first = [[UInt8](copying: datagram.bytes)]
            return move(route.connection, to: worker, saying: first, rtc)
        case .at(let worker) where worker != plan.index:
            guard
                rtc.strangers.note(
                    route, slot: slot, .at(worker: worker), request: datagram.bytes, at: now)
            else { break }
            return forward(datagram.bytes, route, to: worker, rtc)
        case .at, .nobody: break
        }
        counters.datagramsUnknown += 1
    }

    /// DTLS, RTP and RTCP: from where a request came that proved authentic, but for peers that have
    /// strayed.
    private func receiveMore(
        _ datagram: inout MutableRawSpan, _ kind: Demux, _ route: Route, _ rtc: RTCDesk
    ) {
        guard let entry = rtc.strangers[route] else {
            if receiveStray(datagram.bytes, kind, route, rtc) { return }
            counters.datagramsUnknown += 1
            return askOthersForStray(datagram.bytes, kind, route, rtc)
        }
        switch entry.place {
        case .at(let worker):
            rtc.strangers.heard(route, at: now)
            forward(datagram.bytes, route, to: worker, rtc)
        case .waiting:
            guard kind == .dtls else {
                counters.datagramsUnknown += 1
                return
            }
            if mustWait(datagram.bytes, route, rtc) { return }
            if let peer = build(entry.slot, rtc) {
                receive(&datagram, route, by: peer, rtc)
            } else {
                follow(datagram.bytes, route, entry, rtc)
            }
        }
    }

    /// Another worker was faster: it gets the request that proves the route, and what follows.
    private func follow(
        _ datagram: RawSpan, _ route: Route, _ entry: Strangers.Entry, _ rtc: RTCDesk
    ) {
        guard case .at(let worker) = rtc.directory.standing(of: entry.slot),
            worker != plan.index
        else {
            counters.datagramsUnknown += 1
            return rtc.strangers.remove(route)
        }
        rtc.strangers.move(route, to: worker)
        let request = entry.request
        if route.isTCP {
            let first = [request, [UInt8](copying: datagram)]
            return move(route.connection, to: worker, saying: first, rtc)
        }
        forward(request.raw, route, to: worker, rtc)
        forward(datagram, route, to: worker, rtc)
    }

    func forward(_ datagram: RawSpan, _ route: Route, to worker: Int, _ rtc: RTCDesk) {
        ForwardedPacket.writeHead(route, into: &rtc.forwardHead)
        let head = rtc.forwardHead
        // A full ring is a full network: it is dropped, and whoever sent it sends it again.
        if ring(to: worker).write(.packet, head.raw, datagram) {
            counters.rtcForwarded += 1
        } else {
            counters.rtcDropped += 1
        }
    }

    /// A datagram that another worker received for a session of ours.
    func receiveForwarded(_ record: RawSpan, from worker: Int) {
        guard let rtc else { return }
        do throws(ParseError) {
            let route = try ForwardedPacket.read(record)
            var scratch: [UInt8] = []
            swap(&scratch, &rtc.scratch)
            defer { swap(&scratch, &rtc.scratch) }
            scratch.removeAll(keepingCapacity: true)
            scratch.append(
                copying: record.extracting(ForwardedPacket.headSize..<record.byteCount))
            var span = scratch.mutableSpan
            var window = unsafe span.mutableBytes
            receiveHere(&window, route, from: worker, rtc)
        } catch {
            log.error(code: "forward", "a datagram of another worker was refused: \(error)")
        }
    }

    /// As `receiveRTC`, for what has been sent on once: it is not sent on again.
    private func receiveHere(
        _ datagram: inout MutableRawSpan, _ route: Route, from worker: Int, _ rtc: RTCDesk
    ) {
        let kind = Demux(datagram.bytes)
        if let peer = rtc.peer(at: route), kind != .stun {
            return deliver(&datagram, kind, route, to: peer, rtc)
        }
        guard kind == .stun, let slot = rtc.tickets.slot(namedIn: datagram.bytes),
            let peer = rtc.bySlot[slot]
        else {
            if let peer = rtc.peer(at: route) {
                receive(&datagram, route, by: peer, rtc)
            } else if !receiveServersAnswer(datagram.bytes, route, rtc),
                !receiveStray(datagram.bytes, kind, route, from: worker, rtc)
            {
                counters.datagramsUnknown += 1
            }
            return
        }
        receive(&datagram, route, by: peer, rtc)
        rtc.learn(route, of: peer)
    }
}
