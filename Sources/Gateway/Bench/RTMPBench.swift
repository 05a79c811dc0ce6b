import Glibc
import RTMP
import System
import Wire

/// A publisher over RTMP: synthetic pictures at a steady pace, until the time is over.
struct RTMPBench: ~Copyable {
    private static let patience = Interval.seconds(10)
    /// A server that takes nothing for so long is gone.
    private static let stallLimit = Interval.seconds(10)

    private let options: BenchOptions
    private var poller: Poller
    private let signals: Signals
    private let socket: TCPSocket
    private let registration: Poller.Registration
    private var publisher: RTMPPublisher
    private var outbox = Outbox(limit: 16 << 20)
    private var received: [UInt8] = []
    private var video: SyntheticVideo
    private var isInterrupted = false

    /// What was sent.
    struct Tally {
        var frames = 0
        var bytes = 0
        /// Frames that left more than a frame's time after their turn.
        var late = 0
        var length = Interval.zero
    }

    static func open(_ options: BenchOptions) throws(StartError) -> RTMPBench {
        do {
            let signals = try Signals([SIGINT, SIGTERM])
            var poller = try Poller()
            _ = try poller.add(signals.descriptor, .read, tag: 1)
            let (server, _) = try BenchServer.find(options.url)
            let socket = try TCPSocket(connectingTo: server)
            let registration = try poller.add(socket, [.read, .write], tag: 0)
            return RTMPBench(options, poller, signals, socket, registration)
        } catch { throw .failed(setting: "bench", cause: "\(error)", code: "cannot-start") }
    }

    private init(
        _ options: BenchOptions, _ poller: consuming Poller, _ signals: consuming Signals,
        _ socket: consuming TCPSocket, _ registration: Poller.Registration
    ) {
        self.options = options
        self.poller = poller
        self.signals = signals
        self.socket = socket
        self.registration = registration
        let parts = options.url.target.dropFirst().split(separator: "/", maxSplits: 1)
        let app = parts.first.map(String.init) ?? ""
        publisher = RTMPPublisher(
            tcURL: "rtmp://\(options.url.origin)/\(app)", app: app,
            name: parts.count > 1 ? String(parts[1]) : "", seed: 1)
        video = SyntheticVideo(
            bitsPerSecond: options.bitRate, framesPerSecond: options.frameRate,
            framesPerGroup: options.group, seed: 1)
        publisher.start(into: &outbox)
    }

    mutating func run() throws(StartError) -> Tally {
        do {
            let limit = Clock.now + Self.patience
            while publisher.state == .opening, !isInterrupted {
                try turn(until: limit)
                guard Clock.now < limit else {
                    throw SystemError(doing: "publish to \(options.url.target)", code: ETIMEDOUT)
                }
            }
            if case .refused(let why) = publisher.state {
                throw StartError.failed(
                    setting: options.url.target, cause: why, code: "publish-refused")
            }
            return try publish()
        } catch let error as StartError {
            throw error
        } catch { throw .failed(setting: "bench", cause: "\(error)", code: "bench-failed") }
    }

    private mutating func publish() throws -> Tally {
        var tally = Tally()
        publisher.h264(configuration: SyntheticVideo.configuration, into: &outbox)
        let began = Clock.now
        let end = began + options.length
        while !isInterrupted {
            let due = began + .seconds(Int64(tally.frames)) / Int64(options.frameRate)
            guard due < end else { break }
            let now = Clock.now
            guard now >= due else {
                try turn(until: due)
                continue
            }
            if now - due > .seconds(1) / Int64(options.frameRate) { tally.late += 1 }
            let frame = video.next(at: Clock.utcNanoseconds)
            publisher.h264(
                frame.bytes, isKey: frame.isKey,
                stamp: UInt32(truncatingIfNeeded: (due - began).milliseconds), into: &outbox)
            tally.frames += 1
            tally.bytes += frame.bytes.count
            guard !outbox.isOverflowing else {
                throw SystemError(doing: "publish: the server takes nothing any more", code: EPIPE)
            }
            try write()
        }
        tally.length = Clock.now - began
        return tally
    }

    private mutating func write() throws(SystemError) {
        let isEmpty = try socket.write(&outbox)
        try poller.modify(registration, isEmpty ? .read : [.read, .write])
    }

    private mutating func turn(until limit: Instant) throws {
        try poller.wait(max(.zero, limit - Clock.now))
        while let event = poller.next() {
            guard event.tag == 0 else {
                while signals.next() != nil { isInterrupted = true }
                continue
            }
            if let error = socket.error("connect to \(options.url.origin)") { throw error }
            if event.isReadable { try read() }
            try write()
        }
    }

    private mutating func read() throws {
        var window = [UInt8](repeating: 0, count: 16 * 1024)
        let reading: TCPSocket.Reading
        do {
            var span = window.mutableSpan
            var bytes = unsafe span.mutableBytes
            reading = try socket.read(into: &bytes)
        }
        switch reading {
        case .empty: break
        case .end: throw SystemError(doing: "publish: the server closed", code: ECONNRESET)
        case .bytes(let count):
            received += window[..<count]
            let bytes = received
            let taken = try publisher.receive(bytes.raw, into: &outbox)
            received.removeFirst(taken)
        }
    }
}
