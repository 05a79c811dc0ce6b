import Crypto
import Glibc
import HTTP
import ICE
import System
import Wire

/// Many viewers of one WHEP resource in one thread: each with a socket of its own, because servers
/// tell their peers apart by addresses.
struct WHEPBench: ~Copyable, BenchCrew {
    /// The interrupt key ends the round early, and properly.
    static let signalTag = Int.min
    /// Media must come so soon after the handshake, or the viewer counts as silent.
    static let silenceLimit = Interval.seconds(10)
    static let leaveLimit = Interval.seconds(10)
    private static let tick = Interval.milliseconds(5)

    let options: BenchOptions
    let server: Address
    let host: Address
    let context: DTLSContext
    var poller: Poller
    var slab = ReceiveSlab()
    var engine: CryptoEngine
    var requests: RequestPool
    var output = ClientOutput()
    var dice = SystemRandomNumberGenerator()
    var viewers: [BenchViewer] = []
    var clients: [BenchViewer] { viewers }
    var dues: [Instant] = []
    var tally = BenchTally()
    var progress: BenchProgress
    private let signals: Signals
    private(set) var isInterrupted = false
    private var leaving = 0

    private init(
        _ options: BenchOptions, _ way: (server: Address, host: Address),
        _ signals: consuming Signals,
        _ poller: consuming Poller, _ context: DTLSContext, _ engine: consuming CryptoEngine
    ) {
        self.options = options
        (server, host) = way
        self.signals = signals
        self.poller = poller
        self.context = context
        self.engine = engine
        requests = RequestPool(server: way.server)
        progress = BenchProgress(options)
    }

    static func open(_ options: BenchOptions) throws(StartError) -> WHEPBench {
        do {
            let signals = try Signals([SIGINT, SIGTERM])
            var poller = try Poller()
            _ = try poller.add(signals.descriptor, .read, tag: Self.signalTag)
            let way = try BenchServer.find(options.url)
            let certificate = try Certificate.selfSigned(
                commonName: "bench", from: Clock.utcNanoseconds / 1_000_000_000 - 86_400, days: 30)
            let context = try DTLSContext(certificate: certificate)
            return WHEPBench(options, way, signals, poller, context, try CryptoEngine.make())
        } catch {
            throw .failed(setting: "bench", cause: "\(error)", code: "cannot-start")
        }
    }

    mutating func leave() throws(SystemError) {
        var now = Clock.now
        let end = now + Self.leaveLimit
        for owner in viewers.indices { depart(owner, at: now) }
        while leaving > 0, now < end { now = try turn(until: end) }
        for viewer in viewers { poller.remove(viewer.registration) }
        tally.left(viewers, unanswered: leaving)
        viewers = []
        dues = []
        leaving = 0
    }

    mutating func turn(until limit: Instant) throws(SystemError) -> Instant {
        let asleep = Clock.now
        try poller.wait(max(.zero, min(Self.tick, limit - asleep)))
        let now = Clock.now
        while let event = poller.next() {
            if event.tag >= 0 {
                try receive(event.tag, at: now)
            } else if event.tag == Self.signalTag {
                while signals.next() != nil { isInterrupted = true }
            } else {
                requests.receive(event, at: now, in: &poller)
            }
        }
        requests.expire(at: now, in: &poller)
        while let (owner, outcome) = requests.next() { take(outcome, owner, at: now) }
        for index in dues.indices where dues[index] <= now { expire(index, at: now) }
        progress.tell(viewers, options.pid, at: now)
        return now
    }
}

/// Single viewers.
extension WHEPBench {
    mutating func begin(at now: Instant) throws(SystemError) {
        let socket = try UDPSocket(bind: .any(port: 0))
        if options.takesKernelTime { try socket.stampArrivals() }
        let registration = try poller.add(socket, tag: viewers.count)
        let credentials = ICECredentials(ufrag: letters(8), password: letters(24))
        let viewer = BenchViewer(
            socket, registration, host: host, credentials,
            isChecked: viewers.count % options.checkEach == 0, at: now)
        let offer = ClientOffer(
            credentials: credentials, fingerprint: context.fingerprint, host: viewer.host)
        requests.ask(
            .init(owner: viewers.count, bytes: request("POST", options.url.target, offer.text)),
            at: now, in: &poller)
        viewers.append(viewer)
        dues.append(.distantFuture)
    }

    private mutating func letters(_ count: Int) -> String {
        String(
            decoding: (0..<count).map { _ in
                ICEText.character(UInt8(truncatingIfNeeded: dice.next()))
            }, as: UTF8.self)
    }

    private func request(_ method: String, _ target: String, _ body: [UInt8]) -> [UInt8] {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: \(options.url.origin)"]
        if let token = options.token { lines.append("Authorization: Bearer \(token)") }
        if method == "POST" {
            lines += ["Content-Type: application/sdp", "Accept: application/sdp"]
        }
        if method == "POST" { lines.append("Content-Length: \(body.count)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }

    private mutating func take(_ outcome: RequestPool.Outcome, _ owner: Int, at now: Instant) {
        guard owner < viewers.count else { return }
        let viewer = viewers[owner]
        if viewer.phase == .leaving {
            viewer.phase = .gone
            leaving -= 1
            return
        }
        switch outcome {
        case .failed(let cause): viewer.failure = cause
        case .answer(let answer) where answer.status == 201 || answer.status == 200:
            viewer.session = answer.headers["location"].flatMap { options.url.resolve($0) }
            connect(viewer, answer.body, at: now)
            dues[owner] = viewer.deadline
        case .answer(let answer): viewer.failure = BenchRefusal(answer).description
        }
    }

    private mutating func connect(_ viewer: BenchViewer, _ sdp: [UInt8], at now: Instant) {
        do throws(ClientAnswer.Mistake) {
            var answer = try ClientAnswer(sdp.raw, from: viewer.host)
            // Beside the address that answered us, others are only more pairs to check.
            let same = answer.candidates.filter { $0.address.with(port: server.port) == server }
            if !same.isEmpty { answer.candidates = same }
            let secret = (0..<16).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            var seeded = SplitMix64(seed: dice.next())
            viewer.rtc = RTCViewer(
                answer, local: viewer.credentials, host: viewer.host,
                opensMedia: viewer.isChecked, context: context, secret: secret.raw,
                dice: &seeded, at: now)
            viewer.phase = .joining
        } catch { viewer.failure = error.description }
    }

    private mutating func receive(_ index: Int, at now: Instant) throws(SystemError) {
        let viewer = viewers[index]
        guard try viewer.socket.receive(into: &slab), let rtc = viewer.rtc else { return }
        let utc = Clock.utcNanoseconds
        Self.pass(&slab, to: rtc, at: now, utc: utc, &engine, &output)
        settle(viewer, rtc, index, at: now)
    }

    private static func pass(
        _ slab: inout ReceiveSlab, to rtc: RTCViewer, at now: Instant, utc: Int64,
        _ engine: inout CryptoEngine, _ output: inout ClientOutput
    ) {
        while slab.next() {
            let (source, arrival) = (slab.source, slab.arrivedAt)
            var bytes = slab.bytes
            rtc.receive(
                &bytes, from: source, at: now, utc: arrival > 0 ? arrival : utc, engine: &engine,
                into: &output)
        }
    }

    private mutating func expire(_ index: Int, at now: Instant) {
        guard let rtc = viewers[index].rtc else {
            dues[index] = .distantFuture
            return
        }
        rtc.expire(at: now, engine: &engine, into: &output)
        settle(viewers[index], rtc, index, at: now)
    }

    /// Sends what is to be sent, and looks how far it is.
    private mutating func settle(
        _ viewer: BenchViewer, _ rtc: RTCViewer, _ index: Int, at now: Instant
    ) {
        if tally.measures { for delay in output.delays { tally.add(delay) } }
        send(for: viewer)
        dues[index] = rtc.deadline
        if viewer.phase == .joining, rtc.figures.firstPacketAt != nil { viewer.phase = .playing }
        if case .closed(let cause) = rtc.state, cause != .left, viewer.failure == nil {
            viewer.failure = cause.sentence
        }
        if viewer.phase == .joining, let openAt = rtc.figures.openAt {
            guard now >= openAt + Self.silenceLimit else {
                dues[index] = min(rtc.deadline, openAt + Self.silenceLimit)
                return
            }
            viewer.failure = "connected, but no media came within 10 s"
        }
    }

    private mutating func send(for viewer: BenchViewer) {
        for send in output.sends {
            let bytes = output.bytes
            viewer.socket.send(bytes.raw.extracting(send.bytes), to: send.to)
        }
        output.clear()
    }

    private mutating func depart(_ owner: Int, at now: Instant) {
        let viewer = viewers[owner]
        if let rtc = viewer.rtc {
            rtc.leave(engine: &engine, into: &output)
            send(for: viewer)
        }
        guard let session = viewer.session else {
            viewer.phase = .gone
            return
        }
        viewer.phase = .leaving
        leaving += 1
        requests.ask(
            .init(owner: owner, bytes: request("DELETE", session, [])), at: now, in: &poller)
    }
}
