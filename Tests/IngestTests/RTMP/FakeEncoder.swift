import Containers
import RTMP
import Stream
import Wire

/// The other end of a session, on a held clock: it says commands and media in our own chunks, and
/// reads what comes back.
final class FakeEncoder {
    let session: RTMPSession
    var now = Instant.start
    var effects = Effects()
    private var out = Outbox(limit: 64 << 20)
    private var writer = ChunkWriter()
    private var reader = ChunkReader()
    private var heard: [UInt8] = []
    private var isOpen = false

    init(handshaken: Bool = true) {
        session = RTMPSession(peer: .any(port: 1), seed: 1, at: .start)
        guard handshaken else { return }
        var random = SplitMix64(seed: 2)
        send(RTMPHandshake.begin(random: &random))
        send([UInt8](repeating: 9, count: RTMPHandshake.count))
        heard.removeFirst(1 + 2 * RTMPHandshake.count)
        isOpen = true
    }

    /// What the session has not taken yet.
    private var pending: [UInt8] = []

    func send(_ bytes: [UInt8]) {
        pending += bytes
        session.take(&pending, at: now, into: &effects, out: &out)
        collect()
    }

    private func collect() { heard += bytes(of: &out) }

    func expire(_ passed: Interval) {
        now = now + passed
        session.expire(at: now, into: &effects, out: &out)
        collect()
    }

    func answer(_ answer: Answer, _ id: QuestionID) {
        session.answer(answer, to: id, at: now, into: &effects, out: &out)
        collect()
        send([])
    }

    func notice(_ notice: Notice) {
        session.notice(notice, at: now, into: &effects, out: &out)
        collect()
    }

    func read(_ body: (RTMPSession, inout Outbox) -> Void) {
        body(session, &out)
        collect()
    }

    func say(_ command: RTMPCommand, on stream: UInt32 = 0, kind: RTMPKind = .commandAMF0) {
        let body = kind == .commandAMF3 ? [0] + command.bytes : command.bytes
        message(kind, body, on: stream)
    }

    func message(_ kind: RTMPKind, _ body: [UInt8], on stream: UInt32 = 1, at stamp: UInt32 = 0) {
        var box = Outbox(limit: 64 << 20)
        writer.write(kind, body, stream: stream, stamp: stamp, into: &box)
        send(bytes(of: &box))
    }

    func connect(app: String = "live") {
        say(
            RTMPCommand(
                "connect", 1,
                .object([.init("app", .string(app)), .init("tcUrl", .string("rtmp://h/\(app)"))])))
        say(RTMPCommand("createStream", 4))
        _ = messages()
    }

    /// Everything that has come since.
    func messages() -> [ChunkReaderTests.Message] {
        let read = try? ChunkReaderTests.read(&reader, heard)
        heard.removeFirst(heard.count - (read?.left ?? 0))
        return read?.messages ?? []
    }

    func commands() -> [RTMPCommand] {
        messages().compactMap { message in
            guard message.kind == .commandAMF0 else { return nil }
            return try? RTMPCommand(message.body.raw, .commandAMF0)
        }
    }

    /// The question that is open, and its id.
    func question() -> (Question, QuestionID)? {
        for effect in effects.list.reversed() {
            if case .ask(let question, let id) = effect { return (question, id) }
        }
        return nil
    }

    /// Publishes and is let in.
    func publish(_ name: String = "cam1", on stream: UInt32 = 1) {
        say(RTMPCommand("publish", 5, .null, [.string(name), .string("live")]), on: stream)
        if let (_, id) = question() { answer(.published(1), id) }
    }

    var closed: EndReason? {
        for effect in effects.list { if case .close(let reason) = effect { return reason } }
        return nil
    }
}
