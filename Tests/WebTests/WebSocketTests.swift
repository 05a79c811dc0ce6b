import FuzzTargets
import HTTP
import Simulation
import Testing
import Wire

/// A client's end of a WebSocket on a held clock.
final class Socket {
    private var socket: WebSocket
    private var effects = WebSocket.Effects()
    var now = Instant.start

    init(messageLimit: Int = WebSocket.messageMaximum) {
        socket = WebSocket(at: .start, messageLimit: messageLimit)
    }

    func send(_ bytes: [UInt8]) { socket.receive(bytes.raw, at: now, into: &effects) }
    func say(_ text: String) { socket.send(text: text, into: &effects) }
    func say(_ chunk: Chunk, _ range: Range<Int>) { socket.send(chunk, range, into: &effects) }
    func close(_ code: UInt16, _ reason: String) {
        socket.close(code, reason: reason, at: now, into: &effects)
    }

    func expire() {
        guard let deadline = socket.deadline else { return }
        now = deadline
        socket.expire(at: now, into: &effects)
    }

    func wrote(_ count: Int) { socket.wrote(count, at: now, effects) }

    func events() -> [WebSocket.Event] {
        defer { effects.events = [] }
        return effects.events
    }

    func read() -> [UInt8] { bytes(outOf: &effects.outbox) }
    var isOpen: Bool { socket.isOpen }
    var deadline: Interval? { socket.deadline.map { $0 - now } }
}

struct WebSocketTests {
    /// A masked frame from a client.
    static func frame(_ first: UInt8, _ payload: [UInt8], mask: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        var bytes = [first]
        switch payload.count {
        case 0..<126: bytes.append(0x80 | UInt8(payload.count))
        case 126...0xffff:
            bytes += [0xfe, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default:
            bytes.append(0xff)
            bytes += (0..<8).map { UInt8(payload.count >> (56 - 8 * $0) & 255) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    static let conversation: [UInt8] =
        frame(0x81, Array("hello".utf8)) + frame(0x01, Array("h\u{e9}".utf8).dropLast())
        + frame(0x89, Array("ping".utf8)) + frame(0x80, [0xa9])
        + frame(0x82, [UInt8](repeating: 7, count: 300)) + frame(0x8a, [])
        + frame(0x88, [0x03, 0xe8])

    @Test func talks() {
        let socket = Socket()
        socket.send(Self.conversation)
        #expect(
            socket.events() == [
                .text("hello"), .text("hé"), .binary([UInt8](repeating: 7, count: 300)),
                .close(code: 1000),
            ])
        #expect(socket.read() == [0x8a, 4] + Array("ping".utf8) + [0x88, 2, 0x03, 0xe8])
        #expect(!socket.isOpen)
    }

    @Test func meansTheSameWhereverItIsCut() {
        let whole = Socket()
        whole.send(Self.conversation)
        let (events, answers) = (whole.events(), whole.read())
        for cut in Self.conversation.indices {
            let socket = Socket()
            socket.send(Array(Self.conversation[..<cut]))
            socket.send(Array(Self.conversation[cut...]))
            #expect(socket.events() == events, "cut at \(cut)")
            #expect(socket.read() == answers, "cut at \(cut)")
        }
    }

    @Test(
        arguments: [
            ([0x82, 0xff] + [UInt8](repeating: 255, count: 12), 1002, "length 2^64 - 1"),
            ([0x82, 0xff, 0x7f] + [UInt8](repeating: 255, count: 11), 1009, "length 2^63 - 1"),
            ([0x81, 0x05], 1002, "unmasked"),
            ([0x89, 0xfe, 0xff, 0xff, 0, 0, 0, 0], 1002, "big control"),
            ([0x09, 0x80, 0, 0, 0, 0], 1002, "fragmented control"),
            ([0x80, 0x80, 0, 0, 0, 0], 1002, "continuation first"),
            ([0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], 1002, "message inside a message"),
            ([0xf1, 0x80, 0, 0, 0, 0], 1002, "reserved bits"),
            ([0x8f, 0x80, 0, 0, 0, 0], 1002, "opcode 15"),
            ([0x83, 0x80, 0, 0, 0, 0], 1002, "opcode 3"),
            ([0x88, 0x81, 0, 0, 0, 0, 0], 1002, "short close"),
            ([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002, "close code 1005"),
            ([0x88, 0x83, 0, 0, 0, 0, 0x03, 0xe8, 0xff], 1007, "close reason"),
            ([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xff], 1007, "not UTF-8"),
            ([0x82, 0xfe, 0, 5, 0, 0, 0, 0], 1002, "length in a longer form"),
            (
                [0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0], 1002,
                "length in the longest form"
            ),
        ] as [([UInt8], UInt16, String)])
    func refuses(bytes: [UInt8], code: UInt16, what: String) {
        let socket = Socket()
        socket.send(bytes)
        #expect(socket.events() == [.close(code: code)], "\(what)")
        #expect(socket.read() == [0x88, 2, UInt8(code >> 8), UInt8(code & 255)])
        socket.send(Self.conversation)
        #expect(socket.events().isEmpty)
    }

    @Test func boundsFragmentsMessagesAndPings() {
        let empty: [UInt8] = [0x00, 0x80, 0, 0, 0, 0]
        let fragments = Socket()
        fragments.send([0x01, 0x80, 0, 0, 0, 0])
        for _ in 0..<50_000 where fragments.isOpen { fragments.send(empty) }
        #expect(fragments.events() == [.close(code: 1009)])

        let long = Socket(messageLimit: 10)
        long.send(Self.frame(0x02, [UInt8](repeating: 1, count: 6)))
        long.send(Self.frame(0x80, [UInt8](repeating: 1, count: 5)))
        #expect(long.events() == [.close(code: 1009)])

        let pings = Socket()
        for _ in 0..<50_000 where pings.isOpen { pings.send([0x89, 0x80, 0, 0, 0, 0]) }
        #expect(pings.events() == [.close(code: 1002)])
        #expect(pings.read().count == 50 * 2 + 4)
    }

    @Test func sendsFramesOfEverySize() {
        let socket = Socket()
        socket.say("hi")
        #expect(socket.read() == [0x81, 2, 0x68, 0x69])
        let chunk = Chunk([UInt8](repeating: 9, count: 70_000))
        socket.say(chunk, 0..<125)
        #expect(socket.read().prefix(2) == [0x82, 125])
        socket.say(chunk, 5..<131)
        #expect(socket.read().prefix(4) == [0x82, 126, 0, 126])
        socket.say(chunk, 0..<70_000)
        let bytes = socket.read()
        #expect(bytes.prefix(10) == [0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70])
        #expect(bytes.count == 70_010)
    }

    @Test func keepsAliveAndGivesUp() {
        let socket = Socket()
        socket.expire()
        #expect(socket.now == Instant.start + .seconds(25))
        #expect(socket.read() == [0x89, 0])
        socket.expire()
        #expect(socket.now == Instant.start + .seconds(50))
        #expect(socket.read() == [0x89, 0])
        socket.expire()
        #expect(socket.now == Instant.start + .seconds(60))
        #expect(socket.events() == [.close(code: 1006)])
        #expect(socket.deadline == nil)
    }

    @Test func closesPolitely() {
        let socket = Socket()
        socket.close(1001, String(repeating: "é", count: 100))
        let bytes = socket.read()
        #expect(bytes.prefix(4) == [0x88, 124, 0x03, 0xe9], "cut between characters")
        socket.say("too late")
        #expect(socket.read().isEmpty)
        socket.send(Self.frame(0x81, [0x41]) + Self.frame(0x88, [0x03, 0xe9]))
        #expect(socket.events() == [.close(code: 1001)])
        let silent = Socket()
        silent.close(1000, "")
        silent.expire()
        #expect(silent.now == Instant.start + .seconds(5))
        #expect(silent.events() == [.close(code: 1006)])
    }

    @Test func givesUpAReaderThatDoesNotRead() {
        let socket = Socket()
        socket.say(String(repeating: "a", count: 10_000))
        socket.wrote(0)
        #expect(socket.deadline == .seconds(10))
        socket.expire()
        #expect(socket.events() == [.close(code: 1006)])
        #expect(socket.read().isEmpty)
    }

    // MARK: The handshake

    static func request(_ headers: [(String, String)]) throws -> HTTPRequest {
        var request = HTTPRequest(
            id: .init(number: 0), method: .get, target: try HTTPTarget("/live/cam1.flv"))
        for (name, value) in headers { request.headers.add(name, value) }
        return request
    }

    static let headers = [
        ("Upgrade", "WebSocket"), ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ]

    /// The key of RFC 6455 §1.3.
    @Test func acceptsTheKey() throws {
        let response = try WebSocket.upgrade(try Self.request(Self.headers))
        #expect(response.status == 101)
        #expect(response.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(arguments: [(0, "h2c", 426), (1, "close", 426), (2, "8", 426), (3, "x", 400)])
    func refusesAHandshake(index: Int, value: String, status: Int) throws {
        var headers = Self.headers
        headers[index].1 = value
        let request = try Self.request(headers)
        let problem = #expect(throws: Problem.self) { try WebSocket.upgrade(request) }
        #expect(problem?.code.status == status)
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            FuzzTarget.webSocket.run(Damage.damaged(Self.conversation, using: &random).raw)
        }
    }
}
