import Containers
import RTMP
import Stream
import Wire

/// Our client and our server, back to back on a held clock: what one says the other hears.
final class ClientPair {
    let client: RTMPClient
    let server: RTMPSession
    var now = Instant.start
    var clientEffects = Effects()
    var serverEffects = Effects()
    private var toServer = Outbox(limit: 64 << 20)
    private var toClient = Outbox(limit: 64 << 20)
    private var pendingAtServer: [UInt8] = []
    private var pendingAtClient: [UInt8] = []
    /// Bytes at a time; the cut must not matter.
    private let piece: Int

    init(_ purpose: LinkPurpose, _ url: String, piece: Int = 4096) throws {
        self.piece = piece
        client = RTMPClient(
            LinkSeed(
                purpose, try LinkURL(url), name: "live/here", peer: .any(port: 1935), random: 7))
        server = RTMPSession(peer: .any(port: 1), seed: 1, at: .start)
        client.start(at: now, into: &clientEffects, out: &toServer)
        run()
    }

    /// Until both are silent.
    func run() {
        var isBusy = true
        while isBusy {
            pendingAtServer += bytes(of: &toServer)
            pendingAtClient += bytes(of: &toClient)
            let before = pendingAtServer.count + pendingAtClient.count
            feed(&pendingAtServer) {
                server.receive($0, at: now, into: &serverEffects, out: &toClient)
            }
            feed(&pendingAtClient) {
                client.receive($0, at: now, into: &clientEffects, out: &toServer)
            }
            let after = pendingAtServer.count + pendingAtClient.count
            isBusy = after < before || !toServer.isEmpty || !toClient.isEmpty
        }
    }

    private func feed(_ pending: inout [UInt8], _ take: (RawSpan) -> Int) {
        var shown = 0
        while shown < pending.count {
            shown = min(pending.count, shown + piece)
            let taken = take(pending.raw.extracting(0..<shown))
            pending.removeFirst(taken)
            shown -= taken
        }
    }

    /// What a session asked last.
    static func question(_ effects: Effects) -> (Question, QuestionID)? {
        for effect in effects.list.reversed() {
            if case .ask(let question, let id) = effect { return (question, id) }
        }
        return nil
    }

    func answerServer(_ answer: Answer) {
        guard let (_, id) = Self.question(serverEffects) else { return }
        serverEffects.clear()
        server.answer(answer, to: id, at: now, into: &serverEffects, out: &toClient)
        run()
    }

    func answerClient(_ answer: Answer) {
        guard let (_, id) = Self.question(clientEffects) else { return }
        clientEffects.clear()
        client.answer(answer, to: id, at: now, into: &clientEffects, out: &toServer)
        run()
    }

    func expireClient(_ passed: Interval) {
        now = now + passed
        client.expire(at: now, into: &clientEffects, out: &toServer)
    }

    func withClient(_ body: (RTMPClient, inout Outbox) -> Void) {
        body(client, &toServer)
        run()
    }

    func withServer(_ body: (RTMPSession, inout Outbox) -> Void) {
        body(server, &toClient)
        run()
    }

    /// Says something to the client that our server never says.
    func say(_ command: RTMPCommand, on stream: UInt32 = 0) {
        var writer = ChunkWriter()
        writer.announceChunkSize(into: &toClient)
        writer.write(.commandAMF0, command.bytes, stream: stream, stamp: 0, into: &toClient)
        run()
    }

    var isClosed: Bool {
        clientEffects.list.contains { if case .close = $0 { true } else { false } }
    }
}
