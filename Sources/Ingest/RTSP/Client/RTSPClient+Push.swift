import Media
package import Stream
package import Wire

/// A stream of ours on its way to another server.
struct RTSPPush {
    enum Phase: Equatable {
        case idle
        /// It is announced when it is known what there is, and at the latest then.
        case opening(until: Instant)
        /// ANNOUNCE, SETUP, RECORD.
        case asking
        /// RECORD was answered.
        case ready
        case sending
    }

    var phase = Phase.idle
    var snapshot = StreamSnapshot(name: "")
    var tracks: [RTSPPlay.Track] = []
    var clock: RTSPOutletClock?

    mutating func opened(_ snapshot: StreamSnapshot, at now: Instant) {
        self.snapshot = snapshot
        phase = .opening(until: now + RTSPSession.slotPatience)
    }

    var deadline: Instant {
        if case .opening(let until) = phase { until } else { .distantFuture }
    }

    func report(at now: Instant, by queue: DatagramQueue, into out: inout Outbox) {
        guard let clock, phase == .sending else { return }
        for track in tracks {
            track.carrier?.send(
                track.outlet.report(at: now, clock), by: queue, from: .any(port: 0), into: &out)
        }
    }
}

// From ANNOUNCE to RECORD, and the media that follows. Over TCP: who brings streams elsewhere has
// networks in between.
extension RTSPClient {
    /// For the stream here to have media; below the patience of a step.
    private static let readyPatience = Interval.seconds(8)

    func subscribe(at now: Instant, _ effects: inout Effects, _ out: inout Outbox) {
        guard let id = questions.open(until: now + Self.patience) else { return }
        effects.ask(
            .subscribe(
                Self.channel, name: name, Credential(), peer: peer,
                RTSPDescription.subscription(patience: Self.readyPatience)), id)
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool {
        switch push.phase {
        case .opening(let until):
            if now >= until || RTSPSession.isComplete(present, push.snapshot) {
                announce(present, at: now, &out)
            }
            return false
        case .ready, .sending: return true
        case .idle, .asking: return false
        }
    }

    /// Nothing has come yet; what was announced here will do.
    func announceWhatIsKnown(
        at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        let known = RTSPSession.announced(push.snapshot)
        guard !known.isEmpty else {
            return end(.failed("nothing that RTSP carries came in time"), &effects, &out)
        }
        announce(known, at: now, &out)
    }

    private func announce(_ present: [PresentSlot], at now: Instant, _ out: inout Outbox) {
        push.phase = .asking
        let described = RTSPDescription.tracks(present)
        push.tracks = described.map {
            RTSPPlay.Track(description: $0, outlet: RTSPOutlet($0, dice: &dice))
        }
        base = RTSPBase(dialled: url, contentBase: nil, contentLocation: nil, session: nil)
        request(
            .announce, "ANNOUNCE", url, [.init("Content-Type", "application/sdp")],
            body: RTSPDescription.write(described, name: name, sessionID: "1"), at: now, &out)
    }

    func setUpNextPushed(
        at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard let index = push.tracks.firstIndex(where: { !$0.isSetUp }), let base else {
            return request(
                .record, "RECORD", url, [.init("Range", "npt=0.000-")], at: now, &out)
        }
        var transport = RTSPTransport(.tcp)
        let place = UInt16(truncatingIfNeeded: 2 * index)
        transport.interleaved = RTSPTransport.Pair(place, place + 1)
        transport.isRecord = true
        request(
            .setUp(index), "SETUP", base.track("trackID=\(index)"),
            [.init("Transport", transport.text)], at: now, &out)
    }

    func setUpPushed(
        _ index: Int, _ message: RTSPMessage, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        let said = message["Transport"].flatMap { RTSPTransport.choices($0).first }
        if let said, said.lower == .udp {
            return end(
                .failed("it answers UDP when asked for TCP: media goes over TCP only"), &effects,
                &out)
        }
        let place = UInt16(truncatingIfNeeded: 2 * index)
        let pair = said?.interleaved ?? RTSPTransport.Pair(place, place + 1)
        push.tracks[index].carrier = .channels(pair)
        setUpNextPushed(at: now, &effects, &out)
    }

    func recorded(at now: Instant) {
        push.phase = .ready
        keepAliveAt = now + keepAliveTime
        reportAt = now + RTSPSession.reportTime
    }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {
        let slot = item.slot
        guard let index = push.tracks.firstIndex(where: { $0.description.slot == slot }) else {
            return
        }
        if push.phase == .ready {
            push.clock = RTSPOutletClock(start: item.capture, wall: wall)
            push.phase = .sending
            // Without, nobody there knows how sound lies to pictures.
            push.report(at: item.meta.arrival, by: datagrams, into: &out)
        }
        guard let clock = push.clock else { return }
        push.tracks[index].send(
            item, clock, by: datagrams, from: .any(port: 0), into: &out)
    }
}
