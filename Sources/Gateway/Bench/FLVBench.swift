import Codecs
import Containers
import Glibc
import HTTP
import ICE
import System
import Wire

/// Many viewers of one HTTP-FLV stream in one thread.
struct FLVBench: ~Copyable, BenchCrew {
    final class Client: BenchClient {
        let askedAt: Instant
        let isChecked: Bool
        var openAt: Instant?
        var firstAt: Instant?
        var failure: String?
        var counts = BenchCounts()
        var before = BenchCounts()
        var longestPause = Interval.zero
        fileprivate var socket: TCPSocket?
        fileprivate var registration: Poller.Registration?
        fileprivate var outbox = Outbox(limit: 64 * 1024)
        fileprivate var http = HTTPStreamReader()
        fileprivate var flv = FLVReader()
        fileprivate var frameAt: Instant?

        fileprivate init(isChecked: Bool, at now: Instant) {
            self.isChecked = isChecked
            askedAt = now
        }

        var isPlaying: Bool { firstAt != nil && failure == nil }
    }

    /// From the connection to the first media.
    private static let patience = Interval.seconds(15)
    private static let signalTag = Int.max

    let options: BenchOptions
    private let server: Address
    private let request: [UInt8]
    private var poller: Poller
    private let signals: Signals
    private var body: [UInt8] = []
    private var window = [UInt8](repeating: 0, count: 256 * 1024)
    private(set) var clients: [Client] = []
    var tally = BenchTally()
    var progress: BenchProgress
    private(set) var isInterrupted = false

    static func open(_ options: BenchOptions) throws(StartError) -> FLVBench {
        do {
            let signals = try Signals([SIGINT, SIGTERM])
            var poller = try Poller()
            _ = try poller.add(signals.descriptor, .read, tag: signalTag)
            let (server, _) = try BenchServer.find(options.url)
            return FLVBench(options, server, poller, signals)
        } catch { throw .failed(setting: "bench", cause: "\(error)", code: "cannot-start") }
    }

    private init(
        _ options: BenchOptions, _ server: Address, _ poller: consuming Poller,
        _ signals: consuming Signals
    ) {
        self.options = options
        self.server = server
        self.poller = poller
        self.signals = signals
        progress = BenchProgress(options)
        var lines = [
            "GET \(options.url.target) HTTP/1.1", "Host: \(options.url.origin)", "Accept: */*",
        ]
        if let token = options.token { lines.append("Authorization: Bearer \(token)") }
        request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    mutating func begin(at now: Instant) throws(SystemError) {
        let isChecked = clients.count % options.checkEach == 0
        let client = Client(isChecked: isChecked, at: now)
        let socket = try TCPSocket(connectingTo: server)
        client.outbox.append(request)
        client.registration = try poller.add(socket, [.read, .write], tag: clients.count)
        client.socket = consume socket
        clients.append(client)
    }

    mutating func turn(until limit: Instant) throws(SystemError) -> Instant {
        try poller.wait(max(.zero, min(.milliseconds(100), limit - Clock.now)))
        let now = Clock.now
        while let event = poller.next() {
            guard event.tag != Self.signalTag else {
                while signals.next() != nil { isInterrupted = true }
                continue
            }
            serve(clients[event.tag], event, at: now)
        }
        for client in clients
        where client.firstAt == nil && client.failure == nil
            && now - client.askedAt > Self.patience
        { fail(client, "no media within 15 s") }
        progress.tell(clients, options.pid, at: now)
        return now
    }

    mutating func leave() throws(SystemError) {
        for client in clients { close(client) }
        tally.left(clients, unanswered: 0)
        clients = []
    }

    private mutating func serve(_ client: Client, _ event: Poller.Event, at now: Instant) {
        guard let registration = client.registration else { return }
        do throws(SystemError) {
            if event.isWritable {
                if let error = client.socket?.error("connect to \(server)") { throw error }
                if try client.socket?.write(&client.outbox) ?? true {
                    try poller.modify(registration, .read)
                }
            }
            if event.isReadable || event.isBroken { try read(client, at: now) }
        } catch { fail(client, error.description) }
    }

    private mutating func read(_ client: Client, at now: Instant) throws(SystemError) {
        let reading: TCPSocket.Reading
        do {
            var span = window.mutableSpan
            var bytes = unsafe span.mutableBytes
            reading = try client.socket?.read(into: &bytes) ?? .end
        }
        switch reading {
        case .empty: break
        case .end: fail(client, "the server closed the connection")
        case .bytes(let count):
            let window = window
            do throws(ParseError) {
                try take(window.raw.extracting(0..<count), client, at: now)
            } catch { fail(client, "what came is no FLV: \(error)") }
        }
    }

    private mutating func take(
        _ bytes: RawSpan, _ client: Client, at now: Instant
    ) throws(ParseError) {
        client.counts.bytes += bytes.byteCount
        // Who does not check needs the head only.
        if client.firstAt != nil, !client.isChecked {
            client.counts.packets += 1
            return
        }
        body.removeAll(keepingCapacity: true)
        if let answer = try client.http.receive(bytes, into: &body) {
            guard answer.status == 200 else {
                fail(client, BenchRefusal(answer).description)
                return
            }
            client.openAt = now
        }
        guard !body.isEmpty else { return }
        if client.firstAt == nil { client.firstAt = now }
        try readTags(client, at: now)
    }

    private mutating func readTags(_ client: Client, at now: Instant) throws(ParseError) {
        let utc = Clock.utcNanoseconds
        let body = body
        var start = 0
        while let header = try client.flv.next(body.raw, from: &start) {
            client.counts.packets += 1
            client.counts.opened += 1
            guard header.kind == .video else { continue }
            client.counts.frames += 1
            if let frameAt = client.frameAt {
                client.longestPause = max(client.longestPause, now - frameAt)
            }
            client.frameAt = now
            guard tally.measures, let stamp = FrameStamp.find(in: client.flv.body) else { continue }
            let delay = Interval(nanoseconds: utc - stamp.time)
            tally.add(ClientOutput.Delay(source: .stamp, length: delay))
        }
    }

    private mutating func fail(_ client: Client, _ cause: String) {
        if client.failure == nil { client.failure = cause }
        close(client)
    }

    private mutating func close(_ client: Client) {
        if let registration = client.registration { poller.remove(registration) }
        client.registration = nil
        client.socket = nil
    }
}
