import HTTP
import Wire

/// The two ends of an HTTP connection on a held clock: what the client says, what the machine
/// tells, and what comes back.
final class Dialogue {
    private var connection: HTTPConnection
    private var effects = HTTPEffects(date: "Sun, 06 Nov 1994 08:49:37 GMT")
    var now = Instant.start

    /// Takes each offered body up to this and answers each request with its path; `nil` leaves
    /// everything to the test.
    var bodyLimit: Int?
    /// What happened, one line each.
    private(set) var story: [String] = []
    private(set) var last: HTTPRequest?

    init(answering bodyLimit: Int? = nil) {
        connection = HTTPConnection(at: .start)
        self.bodyLimit = bodyLimit
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// In reads of the size that the shell makes.
    func send(_ bytes: [UInt8]) {
        for start in stride(from: 0, to: bytes.count, by: 64 * 1024) {
            let read = Array(bytes[start..<min(bytes.count, start + 64 * 1024)])
            connection.receive(read.raw, at: now, into: &effects)
            tell()
        }
    }

    func take(limit: Int) {
        guard let last else { return }
        connection.takeBody(of: last.id, limit: limit, at: now, into: &effects)
        tell()
    }

    @discardableResult
    func respond(_ response: HTTPResponse, to id: HTTPRequest.ID? = nil) -> Bool {
        guard let id = id ?? last?.id else { return false }
        let isThere = connection.respond(to: id, response, at: now, into: &effects)
        tell()
        return isThere
    }

    @discardableResult
    func piece(_ bytes: [UInt8]) -> Bool {
        guard let last else { return false }
        return connection.send(bytes.raw, for: last.id, at: now, into: &effects)
    }

    @discardableResult
    func piece(_ chunk: Chunk, _ range: Range<Int>) -> Bool {
        guard let last else { return false }
        return connection.send(chunk, range, for: last.id, at: now, into: &effects)
    }

    func finish() {
        guard let last else { return }
        connection.finish(last.id, at: now, into: &effects)
        tell()
    }

    func peerClosed() {
        connection.peerClosed(at: now, into: &effects)
        tell()
    }

    func drain() {
        connection.drain(at: now, into: &effects)
        tell()
    }

    /// Lets time pass to the machine's deadline.
    func expire() {
        guard let deadline = connection.deadline else { return }
        now = deadline
        connection.expire(at: now, into: &effects)
        tell()
    }

    var deadline: Interval? { connection.deadline.map { $0 - now } }
    var wantsBytes: Bool { connection.wantsBytes }
    var isClosing: Bool { connection.isClosing }
    var waiting: Int { effects.outbox.byteCount }

    /// Takes up to `count` bytes off the wire.
    func read(_ count: Int = .max) -> String {
        let taken = bytes(count, outOf: &effects.outbox)
        connection.wrote(taken.count, at: now, effects)
        return String(decoding: taken, as: UTF8.self)
    }

    func readAndHear() -> [String] {
        _ = read()
        return hear()
    }

    /// The story since the last time.
    func hear() -> [String] {
        defer { story = [] }
        return story
    }

    private func tell() {
        while let event = effects.nextEvent() {
            switch event {
            case .offer(let request):
                story.append("offer \(request.method.rawValue) \(request.target.path)")
                last = request
                if let bodyLimit { take(limit: bodyLimit) }
            case .request(let request):
                let body = String(decoding: request.body, as: UTF8.self)
                story.append(
                    "\(request.method.rawValue) \(request.target.path)"
                        + (body.isEmpty ? "" : " \(body)"))
                last = request
                if bodyLimit != nil {
                    respond(HTTPResponse(type: "text/plain", Array(request.target.path.utf8)))
                }
            case .upgraded(_, let rest):
                story.append("upgraded \(String(decoding: rest, as: UTF8.self))")
            case .close(let reason): story.append("close \(reason)")
            }
        }
    }
}

/// Takes bytes out as a socket would.
func bytes(_ count: Int = .max, outOf outbox: inout Outbox) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count, !outbox.isEmpty {
        let size = min(outbox.front.byteCount, count - bytes.count)
        bytes.append(copying: outbox.front.extracting(0..<size))
        outbox.advance(size)
    }
    return bytes
}
