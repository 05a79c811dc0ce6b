import ICE
import Media
import Stream
import System
import Wire

// WebRTC viewers: from the histories of their streams to the wire, all viewers of a stream in one
// call at the end of a turn.
extension Worker {
    /// What one packet and its repetition may need: below it the batch is sent first.
    private static let batchReserve = 4096

    // MARK: Who watches

    func watch(_ peer: RTCPeer, _ local: LocalStream) throws(Refusal) {
        guard let rtc, peer.viewing == nil else {
            throw Refusal(.tooMany, "this session watches already")
        }
        guard let setup = ViewerSetup(peer.session, engine: rtc.engine) else {
            throw Refusal(.timeout, "the peer has not chosen a path")
        }
        let audience = audience(of: local, rtc)
        seat(peer, as: audience.fanOut.add(setup, at: now), at: local, audience)
    }

    private func audience(of local: LocalStream, _ rtc: RTCDesk) -> Audience {
        if let audience = local.audience { return audience }
        let audience = Audience(FanOut(dice: SplitMix64(seed: rtc.dice.next())))
        local.audience = audience
        rtc.watched.append(local)
        return audience
    }

    private func seat(
        _ peer: RTCPeer, as id: ViewerID, at local: LocalStream, _ audience: Audience
    ) {
        audience.viewers[id] = peer
        audience.isDue = true
        peer.viewing = RTCPeer.Viewing(local: local, audience: audience, id: id)
        listen(peer, at: local, audience)
    }

    func unwatch(_ peer: RTCPeer) {
        guard let viewing = peer.viewing else { return }
        _ = stand(peer, viewing)
        runOrders(of: viewing.local)
        setDeadline(of: viewing.local)
    }

    /// - Returns: Its numbers, for the stream it goes to.
    private func stand(_ peer: RTCPeer, _ viewing: RTCPeer.Viewing) -> SendState? {
        let local = viewing.local
        peer.viewing = nil
        viewing.audience.viewers[viewing.id] = nil
        let state = viewing.audience.fanOut.remove(
            viewing.id, in: local.readable, at: now, into: &orders)
        if viewing.audience.fanOut.isEmpty {
            viewing.audience.feed?.close(in: local, at: now, into: &orders)
            local.audience = nil
            rtc?.watched.removeAll { $0 === local }
        }
        return state
    }

    /// Another stream for a viewer that stays connected: its numbers go on, its keys stay.
    func change(
        _ peer: RTCPeer, to name: String, _ credential: Credential, _ request: GateRequest
    ) -> Refusal? {
        guard let rtc, let viewing = peer.viewing else {
            return Refusal(.notFound, "this session watches nothing now")
        }
        do throws(Refusal) {
            if case .deny(let refusal) = plan.gate.decide(
                .read, name: name, credential, request)
            {
                throw refusal
            }
            let next = try local(name, patience: .zero)
            if next === viewing.local { return nil }
            try check(next, peer)
            guard let state = stand(peer, viewing) else { return nil }
            let audience = audience(of: next, rtc)
            seat(peer, as: audience.fanOut.add(state, at: now), at: next, audience)
            rtc.directory.note(peer.name, stream: name)
            runOrders(of: viewing.local)
            setDeadline(of: viewing.local)
            return nil
        } catch {
            counters.refusals += 1
            return error
        }
    }

    private func check(_ local: LocalStream, _ peer: RTCPeer) throws(Refusal) {
        let snapshot = local.snapshot(at: now)
        guard snapshot.isReady else {
            throw Refusal(.notFound, "nobody publishes \(local.name) now")
        }
        guard let codec = snapshot[.video]?.format?.codec, let video = peer.negotiated.video,
            !video.codecs.contains(where: { $0.codec == codec })
        else { return }
        throw Refusal(
            .unsupportedCodec,
            "\(local.name) is \(codec.name), which this session has not agreed to: connect anew")
    }

    /// The stream has changed: what its viewers can read now.
    func resolveAudience(of local: LocalStream) {
        guard let audience = local.audience else { return }
        audience.fanOut.resolve(in: local.readable, at: now, into: &orders)
        audience.feed?.streamChanged()
        audience.isDue = true
    }

    func endAudience(of local: LocalStream, because reason: EndReason) {
        guard let audience = local.audience else { return }
        for peer in Array(audience.viewers.values) { close(peer, because: reason) }
    }

    // MARK: FLUSH

    /// When a viewer is due though nothing was stored: repairs, pacing, reports.
    var nextAudience: Instant {
        guard let rtc, !rtc.watched.isEmpty, datagramSockets.first?.isBlocked != true else {
            return .distantFuture
        }
        return rtc.watched.reduce(.distantFuture) { next, local in
            guard let audience = local.audience else { return next }
            return audience.isDue ? .start : min(next, audience.fanOut.deadline)
        }
    }

    func flushAudiences() {
        guard let rtc, !rtc.watched.isEmpty else { return }
        takeTime()
        for local in rtc.watched {
            guard let audience = local.audience, audience.isDue(at: now) else { continue }
            guard flush(audience, of: local, rtc) else { return }
            runOrders(of: local)
            serveEvents(of: audience)
        }
    }

    /// - Returns: False if the socket is full: it goes on where it was when there is room.
    private func flush(_ audience: Audience, of local: LocalStream, _ rtc: RTCDesk) -> Bool {
        audience.isDue = true
        while batch.fits(Self.batchReserve, datagrams: 2) || sendBatch() {
            let flushed = audience.fanOut.flush(
                at: now, wall: wall.model, in: local.readable, engine: &rtc.engine, batch: &batch,
                framed: &rtc.framed, orders: &orders)
            sendFramed(rtc)
            if flushed == .done {
                audience.isDue = audience.wasBlocked
                audience.wasBlocked = false
                return true
            }
            guard sendBatch() else { break }
        }
        audience.wasBlocked = true
        return false
    }

    private func serveEvents(of audience: Audience) {
        for event in audience.fanOut.takeEvents() {
            switch event {
            case .codecChanged(let id, let slot, let codec):
                guard let peer = audience.viewers[id] else { continue }
                log.info(
                    "\(slot) is \(codec.name) now, which was not agreed to: sent away",
                    ["session": peer.name.short])
                close(peer, because: .codecChanged)
            case .hopeless(let id):
                if let peer = audience.viewers[id] { close(peer, because: .tooSlow) }
            }
        }
    }

    // MARK: What viewers say

    /// - Returns: True if it proves the viewer's path.
    func hear(
        _ feedback: ViewerFeedback, _ bytes: RawSpan, of peer: RTCPeer
    ) -> Bool {
        guard let viewing = peer.viewing else { return false }
        return viewing.audience.fanOut.feedback(viewing.id, feedback, bytes: bytes, at: now)
    }

    func moved(_ peer: RTCPeer, to route: Route) {
        guard let viewing = peer.viewing else { return }
        viewing.audience.fanOut.move(
            viewing.id, to: route, isValidated: peer.session.selected?.isValidated ?? false,
            at: now)
    }
}
