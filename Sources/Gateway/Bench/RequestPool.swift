import HTTP
import System
import Wire

/// The HTTP requests of a bench: over a few connections that are kept, because servers bound how
/// many new ones they take from one address.
struct RequestPool: ~Copyable {
    struct Request {
        /// Whose it is: the caller's number.
        var owner: Int
        var bytes: [UInt8]
        /// Tried once more when a kept connection turns out to be gone.
        var isSecondTry = false
    }

    enum Outcome {
        case answer(HTTPAnswer)
        case failed(String)
    }

    private final class Line {
        var socket: TCPSocket?
        var registration: Poller.Registration?
        var outbox = Outbox()
        var reader = HTTPAnswerReader()
        var request: Request?
        var deadline = Instant.distantFuture
        var isConnected = false
        var served = 0
    }

    /// Servers refuse more new connections of one address than some hundreds; ours 256.
    static let linesMaximum = 64
    static let patience = Interval.seconds(15)

    private let server: Address
    private var lines: [Line] = []
    private var waiting: [Request] = []
    private var nextWaiting = 0
    private var finished: [(owner: Int, outcome: Outcome)] = []

    init(server: Address) { self.server = server }

    /// Tags of its connections in the poller: -1 and below.
    static func isTag(_ tag: Int) -> Bool { tag < 0 }

    mutating func ask(_ request: Request, at now: Instant, in poller: inout Poller) {
        waiting.append(request)
        serve(at: now, in: &poller)
    }

    mutating func next() -> (owner: Int, outcome: Outcome)? {
        finished.isEmpty ? nil : finished.removeFirst()
    }

    mutating func receive(_ event: Poller.Event, at now: Instant, in poller: inout Poller) {
        let line = lines[-1 - event.tag]
        guard line.registration == event.registration else { return }
        if !line.isConnected {
            if let error = line.socket?.error("connect to \(server)") {
                fail(line, error.description, in: &poller)
            } else if event.isWritable {
                line.isConnected = true
                write(line, in: &poller)
            }
        } else {
            if event.isWritable { write(line, in: &poller) }
            if event.isReadable || event.isBroken { read(line, in: &poller) }
        }
        serve(at: now, in: &poller)
    }

    mutating func expire(at now: Instant, in poller: inout Poller) {
        for line in lines where line.deadline <= now {
            fail(line, "no answer over HTTP within 15 s", in: &poller)
        }
        serve(at: now, in: &poller)
    }

    private mutating func serve(at now: Instant, in poller: inout Poller) {
        while nextWaiting < waiting.count, let line = freeLine() {
            let request = waiting[nextWaiting]
            nextWaiting += 1
            line.request = request
            line.deadline = now + Self.patience
            line.outbox.append(request.bytes)
            if line.socket == nil { open(line, in: &poller) } else { write(line, in: &poller) }
        }
        if nextWaiting == waiting.count {
            waiting.removeAll(keepingCapacity: true)
            nextWaiting = 0
        }
    }

    /// One that is open already, if there is one.
    private mutating func freeLine() -> Line? {
        var closed: Line?
        for line in lines where line.request == nil {
            if line.socket != nil { return line }
            closed = line
        }
        if let closed { return closed }
        guard lines.count < Self.linesMaximum else { return nil }
        let line = Line()
        lines.append(line)
        return line
    }

    private mutating func open(_ line: Line, in poller: inout Poller) {
        let tag = -1 - (lines.firstIndex { $0 === line } ?? 0)
        line.isConnected = false
        line.served = 0
        line.reader = HTTPAnswerReader()
        do throws(SystemError) {
            let socket = try TCPSocket(connectingTo: server)
            line.registration = try poller.add(socket, [.read, .write], tag: tag)
            line.socket = consume socket
        } catch { fail(line, error.description, in: &poller) }
    }

    private mutating func write(_ line: Line, in poller: inout Poller) {
        guard line.isConnected, let registration = line.registration else { return }
        do throws(SystemError) {
            let isEmpty = try line.socket?.write(&line.outbox) ?? true
            try poller.modify(registration, isEmpty ? .read : [.read, .write])
        } catch { retry(line, error.description, in: &poller) }
    }

    private mutating func read(_ line: Line, in poller: inout Poller) {
        var window = [UInt8](repeating: 0, count: 16 * 1024)
        do throws(SystemError) {
            let reading: TCPSocket.Reading
            do {
                var span = window.mutableSpan
                var bytes = unsafe span.mutableBytes
                reading = try line.socket?.read(into: &bytes) ?? .end
            }
            switch reading {
            case .empty: break
            case .bytes(let count): take(window.raw.extracting(0..<count), line, in: &poller)
            case .end:
                if let answer = line.reader.end() {
                    finish(line, .answer(answer))
                    close(line, in: &poller)
                } else {
                    retry(line, "the server closed the connection", in: &poller)
                }
            }
        } catch { retry(line, error.description, in: &poller) }
    }

    private mutating func take(_ bytes: RawSpan, _ line: Line, in poller: inout Poller) {
        do throws(ParseError) {
            guard let answer = try line.reader.receive(bytes) else { return }
            line.served += 1
            finish(line, .answer(answer))
            if !answer.keepsConnection { close(line, in: &poller) }
        } catch { fail(line, "the server's answer is no HTTP: \(error)", in: &poller) }
    }

    /// A server may close a kept connection at any time, also just when we ask again.
    private mutating func retry(_ line: Line, _ cause: String, in poller: inout Poller) {
        guard let request = line.request, line.served > 0, !request.isSecondTry else {
            fail(line, cause, in: &poller)
            return
        }
        line.request = nil
        close(line, in: &poller)
        waiting.append(Request(owner: request.owner, bytes: request.bytes, isSecondTry: true))
    }

    private mutating func fail(_ line: Line, _ cause: String, in poller: inout Poller) {
        close(line, in: &poller)
        finish(line, .failed(cause))
    }

    private mutating func finish(_ line: Line, _ outcome: Outcome) {
        line.deadline = .distantFuture
        guard let request = line.request else { return }
        line.request = nil
        finished.append((request.owner, outcome))
    }

    private func close(_ line: Line, in poller: inout Poller) {
        if let registration = line.registration { poller.remove(registration) }
        line.registration = nil
        line.socket = nil
        line.isConnected = false
        line.outbox = Outbox()
        line.deadline = .distantFuture
    }
}
