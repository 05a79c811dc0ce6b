import ICE
import Stream
import Wire

// What may be done to a session by who knows its name, at any worker.
extension Worker {
    /// Restarts are for phones that change networks, not for loops.
    private static let restartGap = Interval.seconds(1)

    func patch(_ id: RTCSessionName, _ ifMatch: String?, _ body: [UInt8]) -> RTCPatched {
        guard let rtc, let place = rtc.directory.find(id) else { return .noSuchSession }
        let fragment: TrickleFragment
        do throws(NegotiationError) { fragment = try TrickleFragment(body.raw) } catch {
            return .badFragment(error.detail)
        }
        guard let entry = rtc.directory.change(id, { $0 }) else { return .noSuchSession }
        // Clients send `*`, nothing, or what we said; only another ETag is a mistake.
        if let ifMatch, ifMatch != "*", ifMatch != entry.etag { return .preconditionFailed }
        guard let remote = fragment.ice, remote != entry.remote else { return .done }
        if let last = entry.restartedAt, now - last < Self.restartGap { return .tooMany }
        return restart(id, remote, entry, place, rtc)
    }

    private func restart(
        _ id: RTCSessionName, _ remote: ICECredentials, _ entry: RTCTable.Entry,
        _ place: RTCTable.Place, _ rtc: RTCDesk
    ) -> RTCPatched {
        let local = rtc.issue(id.slot, worker: plan.index, at: now)
        let etag = rtc.newETag()
        let time = now
        _ = rtc.directory.change(id) { entry in
            entry.etag = etag
            entry.remote = remote
            entry.restartedAt = time
            entry.offer?.negotiated.local = local
            entry.offer?.negotiated.remote = remote
        }
        if case .at(let worker) = place {
            tell(.restart(id, local: local, remote: remote), to: worker)
        }
        let answer = TrickleFragment.answer(
            local: local, candidates: rtc.settings.addresses.candidates, mid: entry.mid,
            kind: entry.kind)
        return .restarted(sdpfrag: answer, etag: etag)
    }

    func end(_ id: RTCSessionName, _ reason: EndReason) -> Bool {
        guard let rtc, let place = rtc.directory.find(id) else { return false }
        switch place {
        case .waiting: rtc.directory.remove(id)
        // Its place is kept until it has left its stream.
        case .at(let worker): tell(.close(id, reason), to: worker)
        }
        return true
    }

    /// A letter, unless it is to ourselves.
    private func tell(_ letter: RTCLetter, to worker: Int) {
        worker == plan.index ? read(letter) : neighbours.post(.rtc(letter), to: worker)
    }

    func read(_ letter: RTCLetter) {
        guard let rtc else { return }
        switch letter {
        case .close(let name, let reason):
            if let peer = rtc.peer(called: name) { close(peer, because: reason) }
        case .restart(let name, let local, let remote):
            rtc.peer(called: name)?.session.restart(local: local, remote: remote)
        case .pipe(let parcel, let peer, let said): takePipe(parcel, peer: peer, said: said)
        case .change(let name, let change, let asker, let ask):
            neighbours.post(.rtc(.changed(ask, apply(change, to: name))), to: asker)
        case .changed(let ask, let refusal): rtc.asks.take(ask)?(refusal)
        case .strayed(let route, let slot, let worker):
            noteStray(route, slot: slot, at: worker, rtc)
        case .resolved(let host, let answer): resolved(host, answer, rtc)
        case .asking(let servers): rtc.askedServers = servers
        case .addresses(let addresses): rtc.settings.addresses = addresses
        case .ticketSecret(let secret): rtc.tickets.rotate(secret: secret.raw)
        }
    }
}
