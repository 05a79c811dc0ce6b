import Media
import Stream
import Wire

/// A protocol for tests: one command a line, one answer a line. It publishes and reads VP8 frames
/// whose bytes are the text of the line, so a test can see what arrived, where, and in which order.
final class LineSession: ByteSession {
    private var questions: [QuestionID: String] = [:]
    private var nextQuestion: QuestionID = 0
    private var ticks: Int64 = 0
    private let peer: Address
    /// Whether it repeats what its stream's readers use; most tests ask for something else.
    private var tellsDemand = false
    private(set) var isEstablished = false
    private(set) var deadline = Instant.distantFuture

    init(_ seed: Address) { peer = seed }

    func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard let end = (0..<bytes.byteCount).first(where: { bytes.byte(at: $0) == 10 }) else {
            return 0
        }
        isEstablished = true
        let line = String(decoding: [UInt8](copying: bytes.extracting(0..<end)), as: UTF8.self)
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        run(words.first ?? "", words.count > 1 ? words[1] : "", now, &effects, &out)
        return end + 1
    }

    private func run(
        _ command: String, _ text: String, _ now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        switch command {
        case "echo": out.append("\(text)\n")
        case "big":
            for _ in 0..<(Int(text) ?? 0) { out.append(String(repeating: "x", count: 1023) + "\n") }
        case "publish": ask("publish", text, &effects)
        case "read": ask("read", text, &effects)
        case "key", "delta":
            ticks += 3000
            let flags: ItemMeta.Flags =
                command == "key" ? [.frameStart, .frameEnd, .key] : [.frameStart, .frameEnd]
            let bytes = Array(text.utf8)
            effects.frame(
                bytes.raw,
                ItemMeta(ticks: ticks, arrival: now, length: bytes.count, flags: flags),
                channel: 0, slot: .video)
        case "unpublish": effects.append(.unpublish(0, .done))
        case "wantkey": effects.append(.keyRequest(1, .video))
        case "limit":
            let numbers = text.split(separator: " ").compactMap { Int($0) }
            effects.append(
                .demand(1, .video, Demand(bits: numbers[0], highestLayer: UInt8(numbers[1]))))
        case "demands": tellsDemand = true
        case "leave": effects.append(.unsubscribe(1))
        case "timer": deadline = now + .milliseconds(Int64(text) ?? 0)
        case "bye": effects.append(.close(.done))
        default: out.append("what is \(command)?\n")
        }
    }

    private func ask(_ what: String, _ name: String, _ effects: inout Effects) {
        nextQuestion += 1
        questions[nextQuestion] = what
        let parts = name.split(separator: " ").map(String.init)
        let codec: Codec = parts.count > 2 && parts[2] == "h264" ? .h264 : .vp8
        let announced = AnnouncedSlot(
            slot: .video, format: Format(codec: codec, clockRate: 90_000), form: .frames)
        var publication = Publication(
            principal: .local, protocolName: "line", slots: [announced])
        publication.answersPLI = true
        let want = Subscription.Want(slot: .video, codecs: [.vp8, .h264], form: .frames)
        let patience = parts.count > 1 ? Int64(parts[1]) ?? 0 : 0
        effects.ask(
            what == "publish"
                ? .publish(0, name: parts[0], credential(parts), peer: peer, publication)
                : .subscribe(
                    1, name: parts[0], Credential(), peer: peer,
                    Subscription(
                        wants: [want], rule: .connection, patience: .milliseconds(patience))),
            nextQuestion)
    }

    private func credential(_ words: [String]) -> Credential {
        var credential = Credential()
        if words.count > 1 { credential.token = words[1] }
        return credential
    }

    func receiveEnd(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        effects.append(.close(.done))
    }

    func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard let what = questions.removeValue(forKey: id) else { return }
        switch answer {
        case .published(let epoch): out.append("published \(epoch)\n")
        case .subscribed(let snapshot): out.append("subscribed \(snapshot.epoch)\n")
        case .refused(let refusal): out.append("refused \(what) \(refusal.code.rawValue)\n")
        case .allowed, .lines: out.append("allowed\n")
        }
    }

    func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .keyWanted: out.append("keywanted\n")
        case .ended(_, let reason): out.append("ended \(reason.rawValue)\n")
        case .demand(_, _, let bits, let layer):
            if tellsDemand { out.append("demand \(bits == .max ? "all" : "\(bits)") \(layer)\n") }
        case .changed: break
        }
    }

    func send(_ item: borrowing ReadItem, out: inout Outbox) {
        let mark = item.jump.map { " (\($0))" } ?? ""
        out.append("item \(item.bytes.string(0..<item.bytes.byteCount))\(mark)\n")
    }

    func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        deadline = .distantFuture
        out.append("expired\n")
    }
}
