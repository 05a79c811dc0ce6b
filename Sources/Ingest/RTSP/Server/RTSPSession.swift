package import Stream
package import Wire

/// An encoder or a player that speaks RTSP to us.
///
///     ANNOUNCE ──▶ SETUP … ──▶ RECORD ──▶ media from it          (RTSPSession+Record)
///     DESCRIBE ──▶ SETUP … ──▶ PLAY ◀──▶ PAUSE    media to it    (RTSPSession+Play)
///
/// Messages and media share one connection; media over UDP comes and goes by the session's own
/// ports. Requests are answered in their order: while the gateway thinks, nothing more is read.
package final class RTSPSession: DatagramSession {
    /// What the gateway may take to answer: hooks have 10 s.
    static let answerPatience = Interval.seconds(12)
    /// Conventions: how long a player waits for a stream that is being started.
    static let playPatience = Interval.seconds(10)
    /// A publisher has to name its tracks, and to send their first packets.
    static let slotPatience = Interval.milliseconds(2_500)
    /// numbers.md: RTP silence on an ingest.
    static let silence = Interval.seconds(10)
    /// Reports both ways: some cameras and players want them at least so often.
    static let reportTime = Interval.seconds(5)
    /// From the first byte, or from the last request, to PLAY or RECORD.
    static let idleMaximum = Interval.seconds(60)

    enum Use {
        case idle
        case recording(RTSPRecord)
        case playing(RTSPPlay)
    }

    /// A request that waits for an answer of the gateway.
    struct Parked {
        var question: QuestionID
        var request: RTSPMessage
        var credential: Credential
        var then: Then

        enum Then { case announce(RTSPRecord), record, describe(RTSPAddress), setUp(SetUp) }
    }

    let peer: Address
    /// What the peer connected to: datagrams come from there.
    let local: Address
    let takesUDP: Bool
    /// UTC less the monotonic clock.
    let wall: Interval
    let sessionID: String
    var dice: SplitMix64
    var door: RTSPDoor
    var use = Use.idle
    /// What goes to a player, apart from `use`: touched for every packet, and never copied.
    var outlets: [RTSPPlay.Track] = []
    var outletClock: RTSPOutletClock?
    var isSending = false
    /// What comes from an encoder.
    var inlet: RTSPInlet?
    var isReceiving = false
    /// What leaves by UDP, the ports that it has (the even ones, by their lines), and whether a
    /// track uses them.
    package let datagrams = DatagramQueue()
    var ports: [LineNumber: UInt16] = [:]
    var usesLines = false
    /// Datagrams that others than the peer have sent to its ports.
    package internal(set) var strangers = 0
    var parked: Parked?
    var questions = OpenQuestions()
    var channel: ChannelID = 0
    /// A track has been set up: requests name the session from now on.
    var hasSession = false
    package private(set) var isEstablished = false
    private var reader = RTSPReader()
    var lastRequest: Instant

    /// - Parameter takesUDP: False where the connection is encrypted.
    package init(
        peer: Address, local: Address = .any(port: 0), takesUDP: Bool = true, seed: UInt64,
        secret: Entropy, wall: Interval, at now: Instant
    ) {
        self.peer = peer
        self.local = local
        self.takesUDP = takesUDP
        self.wall = wall
        dice = SplitMix64(seed: seed)
        door = RTSPDoor(secret)
        let number = dice.next() | 1 << 63
        sessionID = String(number, radix: 16, uppercase: true)
        lastRequest = now
    }

    package var wantsBytes: Bool { parked == nil }

    // MARK: - Bytes

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        // Out of the object for as long as it is used.
        var reader = RTSPReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        var start = 0
        do throws(ParseError) {
            while parked == nil, let element = try reader.next(bytes, from: &start) {
                switch element {
                case .frame(let channel, let range):
                    receive(
                        bytes.extracting(range), on: channel, at: now, &effects)
                case .message(let message): take(message, at: now, &effects, &out)
                }
            }
        } catch {
            effects.append(.close(.protocolError))
            return bytes.byteCount
        }
        return start
    }

    private func take(
        _ message: RTSPMessage, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        lastRequest = now
        // Recorders answer what nobody asked; it is a sign of life.
        guard case .request(let method, let url) = message.start else { return }
        guard message.version.hasPrefix("RTSP/") else {
            out.append(Self.wrongDoor)
            effects.append(.close(.protocolError))
            return
        }
        isEstablished = true
        guard message["CSeq"] != nil else { return answer(400, message, &out) }
        guard message.version == "RTSP/1.0" else { return answer(505, message, &out) }
        if hasSession, let named = RTSPSessionHeader(message["Session"]), named.id != sessionID {
            return answer(454, message, &out)
        }
        run(method.uppercased(), url, message, at: now, &effects, &out)
    }

    /// For whoever opens the address in a browser.
    private static let wrongDoor =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
        + "This port speaks RTSP. The page is on the HTTP port (8080).\n"

    private static let methods =
        "OPTIONS, DESCRIBE, ANNOUNCE, SETUP, PLAY, RECORD, PAUSE, GET_PARAMETER, SET_PARAMETER, "
        + "TEARDOWN"

    private func run(
        _ method: String, _ url: String, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch method {
        case "OPTIONS":
            answer(200, request, &out) { $0.add("Public", Self.methods) }
        // Keep-alives with or without a session, also before there is one.
        case "GET_PARAMETER", "SET_PARAMETER": answer(200, request, &out)
        case "TEARDOWN":
            answer(200, request, &out)
            leave(&effects)
            effects.append(.close(.done))
        case "DESCRIBE", "ANNOUNCE", "SETUP":
            guard let address = RTSPAddress(url) else { return answer(400, request, &out) }
            switch method {
            case "DESCRIBE": describe(address, request, at: now, &effects, &out)
            case "ANNOUNCE": announce(address, request, at: now, &effects, &out)
            default: setUp(address, url, request, at: now, &effects, &out)
            }
        case "PLAY": play(request, at: now, &effects, &out)
        case "PAUSE": pause(request, &effects, &out)
        case "RECORD": record(request, at: now, &effects, &out)
        default: answer(501, request, &out)
        }
    }

    private func setUp(
        _ address: RTSPAddress, _ url: String, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        switch use {
        case .playing: setUpPlaying(address, request, at: now, &effects, &out)
        case .recording: setUpRecording(url, address, request, at: now, &effects, &out)
        case .idle:
            refuse(455, "DESCRIBE or ANNOUNCE comes before SETUP", request, &out)
        }
    }

    // MARK: - Answers

    func answer(
        _ status: Int, _ request: RTSPMessage, _ out: inout Outbox,
        _ change: (inout RTSPMessage) -> Void = { _ in }
    ) {
        var response = RTSPMessage(.response(status: status))
        response.add("CSeq", request["CSeq"])
        response.add("Server", "gateway")
        if hasSession {
            let seconds = RTSPSessionHeader.usualTimeout.milliseconds / 1000
            response.add("Session", "\(sessionID);timeout=\(seconds)")
        }
        change(&response)
        out.append(response.bytes)
    }

    func refuse(
        _ status: Int, _ sentence: String, _ request: RTSPMessage, _ out: inout Outbox
    ) { answer(status, request, &out) { $0.add("X-Reason", sentence) } }

    func refuse(
        _ refusal: Refusal, _ parked: Parked, _ effects: inout Effects, _ out: inout Outbox
    ) {
        guard refusal.code == .unauthenticated else {
            return refuse(
                Self.status(refusal.code), refusal.description, parked.request, &out)
        }
        answer(401, parked.request, &out) {
            for challenge in door.challenges { $0.add("WWW-Authenticate", challenge) }
        }
        if door.refuse(parked.credential) { effects.append(.close(.protocolError)) }
    }

    private static func status(_ code: Refusal.Code) -> Int {
        switch code {
        case .badName: 400
        case .unauthenticated: 401
        case .forbidden, .nameInUse: 403
        case .notFound, .timeout, .sourceFailed: 404
        case .unsupportedCodec: 415
        case .tooMany, .overloaded, .outOfMemory: 453
        case .shuttingDown: 503
        }
    }

    func ask(
        _ question: Question, _ request: RTSPMessage, _ credential: Credential,
        for patience: Interval, then: Parked.Then, at now: Instant, _ effects: inout Effects
    ) {
        guard let id = questions.open(until: now + patience) else {
            return effects.append(.close(.protocolError))
        }
        parked = Parked(question: id, request: request, credential: credential, then: then)
        effects.ask(question, id)
    }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard questions.close(id), let waiting = parked, waiting.question == id else { return }
        parked = nil
        if case .refused(let refusal) = answer {
            // FFmpeg and VLC go on with TCP after a 461, and only then.
            if case .setUp = waiting.then {
                return refuse(461, refusal.sentence, waiting.request, &out)
            }
            return refuse(refusal, waiting, &effects, &out)
        }
        switch (waiting.then, answer) {
        case (.announce(let record), .allowed): announced(record, waiting.request, &out)
        case (.record, .published): recordingBegins(waiting.request, at: now, &out)
        case (.describe(let address), .subscribed(let snapshot)):
            opened(address, snapshot, waiting.request, at: now)
        case (.setUp(let wanted), .lines(let line, let port)):
            ports[line] = port
            settle(wanted, waiting.request, &out)
        default: self.answer(500, waiting.request, &out)
        }
    }

    /// Ends what it does, not the connection.
    func leave(_ effects: inout Effects) {
        switch use {
        case .idle: break
        case .recording(let record):
            if record.isLive { effects.append(.unpublish(channel, .done)) }
        case .playing: effects.append(.unsubscribe(channel))
        }
        use = .idle
        (inlet, isReceiving) = (nil, false)
        (outlets, outletClock, isSending) = ([], nil, false)
        if !ports.isEmpty { effects.append(.closeLines) }
        (ports, usesLines) = ([:], false)
        channel &+= 1
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(let of, let snapshot):
            guard of == channel, case .playing(var play) = use else { return }
            play.snapshot = snapshot
            use = .playing(play)
            // A player keeps the description that it was given.
            if !Self.fits(outlets, snapshot) { effects.append(.close(.codecChanged)) }
        case .ended(let of, let reason):
            guard of == channel else { return }
            use = .idle
            effects.append(.close(reason))
        // FFmpeg and GStreamer do not listen while they record.
        case .keyWanted, .demand: break
        }
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) { effects.append(.close(.done)) }

    // MARK: - Time

    package var deadline: Instant {
        let own: Instant =
            switch use {
            case .idle: lastRequest + Self.idleMaximum
            case .recording(let record): deadline(of: record)
            case .playing(let play): deadline(of: play)
            }
        return min(own, questions.deadline)
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        while let id = questions.expire(at: now) {
            guard let waiting = parked, waiting.question == id else { continue }
            parked = nil
            let late = Refusal(.timeout, "no answer came in time; try again")
            refuse(late, waiting, &effects, &out)
        }
        switch use {
        case .idle:
            if now >= lastRequest + Self.idleMaximum { effects.append(.close(.silent)) }
        case .recording: expireRecording(at: now, &effects, &out)
        case .playing: expirePlaying(at: now, &effects, &out)
        }
    }
}
