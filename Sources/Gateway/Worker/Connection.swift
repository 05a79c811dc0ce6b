import Crypto
import SRTPort
import Stream
import System
import Wire

/// A connection of a worker: socket, perhaps TLS, what has been read but not consumed, and what is
/// still to be written. The protocol is its session's matter; reading and writing is the worker's.
final class Connection: Participant {
    let local: Address
    let session: any ByteSession
    /// The same, if it is one: the worker routes its requests.
    let http: HTTPSession?
    /// The same, if it carries packets of WebRTC.
    let framed: FramedSession?
    /// The same, if it is a device's.
    let gb: GBWire?
    /// The same, if it may have UDP ports of its own, and those that it has.
    let datagrams: (any DatagramSession)?
    var lines: LineSet?
    var pace = LinePace()
    let acceptedAt: Instant
    /// We have made it, and for this.
    let link: OutgoingLink?
    /// Its number at the thread of libsrt, if its other end is there.
    var srt: UInt64?

    private let socket: TCPSocket
    private let tls: TLSSession?
    var identity = SlotTable<Connection>.Identity(index: -1, generation: 0)
    var registration: Poller.Registration?

    /// Read, decrypted, and not consumed: half a message.
    private var pending: [UInt8] = []
    /// What the session has said, and (with TLS) the same encrypted.
    var out: Outbox
    private var sealed: Outbox
    private var record: [UInt8] = []
    /// What it reads, by its own numbers.
    var readers: [ChannelID: ConnectionReader] = [:]
    /// Nothing more is read; when all is written the socket is closed.
    private(set) var isEnding = false
    private(set) var readEnded = false
    /// Waits until the socket is writable: it is not written to before.
    var isBlocked = false
    var isInFlush = false

    /// It has not finished its first request: it may be anybody.
    var isNew: Bool { link == nil && !session.isEstablished }
    /// Why it broke, where that is known.
    private(set) var failure: String?

    var wantsBytes: Bool { !readEnded && !isEnding && session.wantsBytes }

    /// More than any message a session may leave half read in one piece; what is larger it must
    /// assemble itself, with a bound of its own.
    private static let pendingMaximum = 256 * 1024
    /// Encrypted at a time: TLS copies, so what waits in the clear stays shared until then.
    private static let sealedHigh = 128 * 1024
    private static let outMaximum = 8 * 1024 * 1024

    init(
        socket: consuming TCPSocket, tls: TLSSession?, peer: Address, service: String,
        session: any ByteSession, at now: Instant, link: OutgoingLink? = nil
    ) {
        local = socket.localAddress ?? .any(port: 0)
        self.socket = socket
        self.tls = tls
        self.session = session
        http = session as? HTTPSession
        framed = session as? FramedSession
        gb = session as? GBWire
        datagrams = session as? any DatagramSession
        acceptedAt = now
        self.link = link
        out = Outbox(limit: Self.outMaximum)
        sealed = Outbox(limit: Self.outMaximum)
        super.init(service: service, peer: peer)
    }

    func register(
        with poller: inout Poller, tag: Int
    ) throws(SystemError) { registration = try poller.add(socket, tag: tag) }

    /// OpenSSL works for half a millisecond at its next message.
    var isShakingHands: Bool { tls?.state == .handshaking }

    enum ReadResult { case bytes(Int), nothing, ended, failed }

    /// Reads once into the worker's buffer and hands on what is in the clear.
    func read(
        into buffer: inout [UInt8], at now: Instant, effects: inout Effects
    ) -> ReadResult {
        var span = buffer.mutableSpan
        var window = unsafe span.mutableBytes
        guard let reading = try? socket.read(into: &window) else { return .failed }
        switch reading {
        case .empty: return .nothing
        case .end:
            readEnded = true
            session.receiveEnd(at: now, into: &effects, out: &out)
            return .ended
        case .bytes(let count):
            let arrived = buffer.raw.extracting(0..<count)
            guard let tls else {
                return consume(arrived, at: now, effects: &effects) ? .bytes(count) : .failed
            }
            return unseal(arrived, tls, at: now, effects: &effects) ? .bytes(count) : .failed
        }
    }

    private func unseal(
        _ arrived: RawSpan, _ tls: TLSSession, at now: Instant, effects: inout Effects
    ) -> Bool {
        var plain: [UInt8] = []
        record.removeAll(keepingCapacity: true)
        var isSound = true
        do throws(TLSError) {
            _ = try tls.receive(arrived, plaintext: &plain, output: &record)
        } catch {
            isSound = false
            failure = error.description
        }
        // Even a failure may have an alert to say.
        sealed.append(record.raw)
        guard isSound, consume(plain.raw, at: now, effects: &effects) else { return false }
        if tls.state == .closed, !readEnded {
            readEnded = true
            session.receiveEnd(at: now, into: &effects, out: &out)
        }
        return true
    }

    /// Shows the session what there is, again and again until it waits for more.
    private func consume(_ arrived: RawSpan, at now: Instant, effects: inout Effects) -> Bool {
        if pending.isEmpty {
            let rest = offer(arrived, at: now, effects: &effects)
            if rest < arrived.byteCount {
                pending.append(copying: arrived.extracting(rest..<arrived.byteCount))
            }
        } else {
            pending.append(copying: arrived)
            let consumed = offer(pending.raw, at: now, effects: &effects)
            pending.removeFirst(consumed)
        }
        return pending.count <= Self.pendingMaximum
    }

    /// What came by another worker.
    func take(_ bytes: [UInt8], at now: Instant, effects: inout Effects) -> Bool {
        consume(bytes.raw, at: now, effects: &effects)
    }

    /// Half a message, for the worker it is handed to.
    func takePending() -> [UInt8] {
        defer { pending = [] }
        return pending
    }

    func duplicateSocket() -> TCPSocket? { try? socket.duplicate() }

    private func offer(_ bytes: RawSpan, at now: Instant, effects: inout Effects) -> Int {
        var start = 0
        while start < bytes.byteCount, !isEnding {
            let consumed = session.receive(
                bytes.extracting(start..<bytes.byteCount), at: now, into: &effects, out: &out)
            guard consumed > 0 else { break }
            start += consumed
        }
        return isEnding ? bytes.byteCount : start
    }

    /// What waits to be written, encrypted or not.
    var waiting: Int { out.byteCount + sealed.byteCount }

    /// What the socket is given at a time: beyond this the cursors wait, not a queue.
    private static let outHigh = 64 * 1024

    /// Whether its readers may write more now.
    func takesMore(at now: Instant) -> Bool {
        guard let queue = lines?.queue else { return out.byteCount < Self.outHigh }
        return out.byteCount + queue.byteCount < Self.outHigh
            && pace.allows(queue.written, at: now)
    }

    /// Writes what the socket takes.
    ///
    /// - Returns: Bytes that left; nil: the connection is broken.
    func write() -> Int? {
        let before = waiting
        guard let tls else {
            guard let isEmpty = try? socket.write(&out) else { return nil }
            isBlocked = !isEmpty
            return before - waiting
        }
        var left = 0
        repeat {
            guard seal(tls) else { return nil }
            let sealedBefore = sealed.byteCount
            guard let isEmpty = try? socket.write(&sealed) else { return nil }
            left += sealedBefore - sealed.byteCount
            isBlocked = !isEmpty
        } while !isBlocked && !out.isEmpty && tls.state == .open
        return left
    }

    /// Encrypts from the front of what waits, as much as the socket will soon take.
    private func seal(_ tls: TLSSession) -> Bool {
        guard tls.state == .open else { return tls.state != .failed || !sealed.isEmpty }
        while !out.isEmpty, sealed.byteCount < Self.sealedHigh {
            let count = min(out.front.byteCount, 16 * 1024)
            record.removeAll(keepingCapacity: true)
            guard (try? tls.send(out.front.extracting(0..<count), output: &record)) != nil else {
                return false
            }
            sealed.append(record.raw)
            out.advance(count)
        }
        return true
    }

    /// Nothing more is read; what waits is still written.
    func end() {
        guard !isEnding else { return }
        isEnding = true
        pending = []
    }

    /// All was written: says goodbye in TLS and to the kernel.
    func finish() {
        if let tls, tls.state == .open {
            record.removeAll(keepingCapacity: true)
            tls.close(output: &record)
            sealed.append(record.raw)
            _ = try? socket.write(&sealed)
        }
        socket.finishSending()
    }

    var isOverflowing: Bool { out.isOverflowing || sealed.isOverflowing }

    // MARK: What its worker tells its session

    override var connection: Connection? { self }
    override var isOurs: Bool { link != nil }

    override func isHere(at worker: Worker) -> Bool { worker.connections[identity] != nil }

    override func take(_ answer: Answer, to id: QuestionID, at worker: Worker) {
        session.answer(answer, to: id, at: worker.now, into: &worker.effects, out: &out)
        worker.wantFlush(self)
    }

    override func take(_ notice: Notice, at worker: Worker) {
        session.notice(notice, at: worker.now, into: &worker.effects, out: &out)
        worker.wantFlush(self)
    }

    override func reports(at worker: Worker) -> [SessionReport] {
        func report(_ role: SessionReport.Role, _ stream: String) -> SessionReport {
            let place = "\(worker.plan.index)-\(identity.index)-\(identity.generation)"
            var report = SessionReport(
                id: "\(service)-\(place)", worker: worker.plan.index, role: role,
                protocolName: service, stream: stream, peer: peer,
                uptime: worker.now - acceptedAt)
            if let srt {
                report.srt = worker.plan.srt?.board.figures(of: srt)
                report.roundTrip = report.srt?.roundTrip
            }
            return report
        }
        let published = publications.values.map { publishing in
            switch publishing {
            case .here(let local, _): report(.publish, local.name)
            case .elsewhere(let feed): report(.publish, feed.name)
            }
        }
        return published + readers.values.map { report(.read, $0.stream.name) }
    }

    override func effectsWereRun(at worker: Worker) {
        worker.serveRequests(of: self)
        if let framed { worker.serveFrames(of: self, framed) }
        if let gb { worker.serveGB(self, gb) }
    }

    override func end(at worker: Worker) {
        end()
        worker.wantFlush(self)
    }

    override func admit(
        _ subscription: Subscription, to local: LocalStream, _ channel: ChannelID,
        at worker: Worker
    ) throws(Refusal) {
        guard readers[channel] == nil else {
            throw Refusal(.tooMany, "this channel reads already; end that first")
        }
        let reader = ConnectionReader(self, channel, subscription, local, at: worker.now)
        reader.resolve(at: worker.now, into: &worker.orders)
        local.readers.append(reader)
        readers[channel] = reader
    }

    override func leaveReading(at worker: Worker) {
        for channel in Array(readers.keys) { worker.unsubscribe(self, channel) }
    }
}
