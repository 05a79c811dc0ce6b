import SDP
package import Stream
package import Wire

// From OPTIONS to PLAY, with what cameras do differently (brief 5).
extension RTSPClient {
    func answered(
        _ step: Step, _ status: Int, _ message: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        if let header = RTSPSessionHeader(message["Session"]) { session = header }
        switch status {
        case 401: return authenticate(step, message, at: now, &effects, &out)
        case 301, 302, 303, 305, 307: return follow(message, &effects, &out)
        default: break
        }
        let isGood = (200..<300).contains(status)
        switch step.kind {
        case .options:
            let list = message.values("Public").flatMap { $0.split(separator: ",") }
            methods = Set(list.map { RTSPTransport.trimmed($0).uppercased() })
            // Whatever it says: some cameras refuse OPTIONS and do the rest.
            open(at: now, &effects, &out)
        case .describe:
            guard isGood else { return fail(step, status, message, &effects, &out) }
            described(message, at: now, &effects, &out)
        case .announce:
            guard isGood else { return fail(step, status, message, &effects, &out) }
            setUpNextPushed(at: now, &effects, &out)
        case .record:
            guard isGood else { return fail(step, status, message, &effects, &out) }
            recorded(at: now)
        case .setUp(let index) where purpose == .push:
            guard isGood else { return fail(step, status, message, &effects, &out) }
            setUpPushed(index, message, at: now, &effects, &out)
        case .setUp(let index):
            guard isGood else {
                return notSetUp(index, step, status, message, at: now, &effects, &out)
            }
            setUp(index, message, at: now, &effects, &out)
        case .play:
            if isGood { return played(at: now, &effects, &out) }
            guard !playsPlain else { return fail(step, status, message, &effects, &out) }
            // Some do not like a Range.
            playsPlain = true
            play(at: now, &out)
        }
    }

    private func fail(
        _ step: Step, _ status: Int, _ message: RTSPMessage, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        let reason = RTSPStatus.reason(status)
        let hint: String
        switch (step.kind, status) {
        case (_, 403):
            return end(
                .denied(
                    "\(step.method) is forbidden (403): does the user have the right to "
                        + (purpose == .push ? "publish?" : "watch?")),
                &effects, &out)
        case (.describe, 404): hint = ": is the path in the URL right?"
        case (_, 453), (_, 503): hint = ": it has too many viewers, or too little memory"
        case (.setUp, 461):
            hint = ": it does not send media over \(learned.contains(.udp) ? "UDP" : "TCP")"
        default: hint = ""
        }
        end(.failed("\(step.method) was answered \(status) \(reason)\(hint)"), &effects, &out)
    }

    // MARK: - Authentication

    private func authenticate(
        _ step: Step, _ message: RTSPMessage, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        guard let asked = RTSPChallenge(message.values("WWW-Authenticate")) else {
            return end(
                .denied("it wants a kind of login that we do not know"), &effects, &out)
        }
        // A hub of TP-Link lets in who seems to be itself.
        let isHub = purpose == .pull && asked.realm == "TP-LINK Streaming Media"
        if isHub, user.isEmpty, url.host != "127.0.0.1" {
            url.host = "127.0.0.1"
            return describe(at: now, &out)
        }
        guard !user.isEmpty || !password.isEmpty else {
            return end(
                .denied("it wants a user and password: rtsp://USER:PASSWORD@HOST/…"), &effects,
                &out)
        }
        // A nonce lives for a minute at some cameras. Once with each request; the same nonce twice
        // is a wrong password.
        let isNew = step.signedFor.map { $0.nonce != asked.nonce || asked.isStale } ?? true
        guard step.tries < 3, isNew else {
            return end(.denied("user or password is wrong"), &effects, &out)
        }
        let wasSigned = step.signedFor != nil && step.signedFor?.scheme == asked.scheme
        // Some give a new nonce with every refusal: the second one ends it.
        guard !wasSigned || asked.isStale || step.tries < 2 else {
            return end(.denied("user or password is wrong"), &effects, &out)
        }
        challenge = asked
        repeatRequest(step, at: now, &out)
    }

    /// After OPTIONS.
    func open(at now: Instant, _ effects: inout Effects, _ out: inout Outbox) {
        switch purpose {
        case .pull: describe(at: now, &out)
        case .push: subscribe(at: now, &effects, &out)
        }
    }

    // MARK: - DESCRIBE

    func describe(at now: Instant, _ out: inout Outbox) {
        request(
            .describe, "DESCRIBE", url, [.init("Accept", "application/sdp")], at: now, &out)
    }

    private func described(
        _ message: RTSPMessage, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        let description: SDPDescription
        do throws(ParseError) {
            description = try SDPDescription(repairing: message.body.raw)
        } catch {
            return end(.failed("its description cannot be read: \(error)"), &effects, &out)
        }
        let tracks = RTSPTracks.read(description)
        let wanted = tracks.indices.filter { tracks[$0].slot != nil }
        guard !wanted.isEmpty else {
            let reasons = tracks.compactMap(\.reason).joined(separator: "; ")
            return end(
                .failed("it has no track that can be carried (\(reasons))"), &effects, &out)
        }
        base = RTSPBase(
            dialled: url, contentBase: message["Content-Base"],
            contentLocation: message["Content-Location"], session: description.control)
        inlet = RTSPInlet(tracks, ssrc: UInt32(truncatingIfNeeded: dice.next()))
        toSetUp = learned.contains(.everyTrack) ? Array(tracks.indices) : wanted
        setUpNext(at: now, &effects, &out)
    }

    // MARK: - SETUP

    private func setUpNext(
        at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard let index = toSetUp.first, let base, let inlet else {
            return play(at: now, &out)
        }
        var transport: RTSPTransport
        if learned.contains(.udp) {
            let line = Self.line(index)
            guard let port = ports[line] else {
                guard let id = questions.open(until: now + Self.patience) else { return }
                waitsForPorts = (id, index)
                return effects.ask(.lines(line), id)
            }
            transport = RTSPTransport(.udp)
            transport.clientPort = RTSPTransport.Pair(port, port + 1)
        } else {
            // By its place among those that are set up, so that numbers stay small.
            let place = UInt16(truncatingIfNeeded: 2 * inlet.tracks.count { $0.carrier != nil })
            transport = RTSPTransport(.tcp)
            transport.interleaved = RTSPTransport.Pair(place, place + 1)
        }
        request(
            .setUp(index), "SETUP", base.track(inlet.tracks[index].description.control),
            [.init("Transport", transport.text)], at: now, &out)
    }

    private static func line(_ track: Int) -> LineNumber {
        LineNumber(truncatingIfNeeded: 2 * track)
    }

    private func answerPorts(
        _ answer: Answer, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch answer {
        case .lines(let line, let port): ports[line] = port
        case .refused(let refusal):
            guard transport == .auto, !hasSwitched else {
                return end(.failed("no media over UDP: \(refusal.sentence)"), &effects, &out)
            }
            hasSwitched = true
            learned.remove(.udp)
        default: return
        }
        setUpNext(at: now, &effects, &out)
    }

    private func setUp(
        _ index: Int, _ message: RTSPMessage, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        let place = UInt16(
            truncatingIfNeeded: 2 * (inlet?.tracks.count { $0.carrier != nil } ?? 0))
        let said = message["Transport"].map { RTSPTransport.choices($0) }?.first
        let asked = learned.contains(.udp)
        if !asked, let said, said.lower == .udp, said.serverPort != nil {
            if transport == .auto { learned.insert(.udp) }
            return end(
                .failed("it answers UDP when asked for TCP: it cannot send media over TCP"),
                &effects, &out)
        }
        if asked, said?.lower != .tcp {
            let route = RTSPRoute(Self.line(index), peer: peer, said?.serverPort)
            inlet?.setUp(index, .lines(route), channel: Self.channel)
        } else {
            // Some answer TCP when asked for UDP. The numbers of the answer count, whatever we
            // proposed.
            let pair = said?.interleaved ?? RTSPTransport.Pair(place, place + 1)
            inlet?.setUp(index, .channels(pair), channel: Self.channel)
        }
        toSetUp.removeFirst()
        setUpNext(at: now, &effects, &out)
    }

    /// The other transport on the same connection, once. Hikvision wants DESCRIBE before SETUP
    /// again.
    private func switchTransport(at now: Instant, _ out: inout Outbox) {
        hasSwitched = true
        learned.formSymmetricDifference(.udp)
        describe(at: now, &out)
    }

    /// A second track that cannot be had does not cost us the first.
    private func notSetUp(
        _ index: Int, _ step: Step, _ status: Int, _ message: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        if status == 461, transport == .auto, !hasSwitched {
            return switchTransport(at: now, &out)
        }
        toSetUp.removeFirst()
        let hasOthers = !toSetUp.isEmpty || inlet?.slots.isEmpty == false
        guard hasOthers, status != 461 else {
            return fail(step, status, message, &effects, &out)
        }
        setUpNext(at: now, &effects, &out)
    }

    // MARK: - PLAY

    private func play(at now: Instant, _ out: inout Outbox) {
        guard let base else { return }
        // Before the first packet comes: a NAT of ours must know whom to let in.
        for track in inlet?.tracks ?? [] {
            guard case .lines(let route) = track.carrier else { continue }
            route.punch(by: datagrams, from: .any(port: 0))
        }
        let range = playsPlain ? [] : [RTSPMessage.Header("Range", "npt=0.000-")]
        request(.play, "PLAY", base.url, range, at: now, &out)
    }

    private func played(
        at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        playedAt = now
        keepAliveAt = now + keepAliveTime
        reportAt = now + RTSPSession.reportTime
        guard let inlet, !inlet.slots.isEmpty,
            let id = questions.open(until: now + Self.patience)
        else {
            return end(.failed("no track could be set up"), &effects, &out)
        }
        var publication = Publication(
            principal: .configured, protocolName: "rtsp", slots: inlet.slots)
        publication.tracksComplete = true
        effects.ask(
            .publish(
                Self.channel, name: name, Credential(), peer: peer, publication), id)
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard questions.close(id) else { return }
        if waitsForPorts?.question == id {
            waitsForPorts = nil
            return answerPorts(answer, at: now, &effects, &out)
        }
        switch answer {
        case .published: isPublished = true
        case .subscribed(let snapshot): push.opened(snapshot, at: now)
        case .refused(let refusal):
            end(.failed("it cannot be published here: \(refusal)"), &effects, &out)
        case .allowed, .lines: break
        }
    }
}
