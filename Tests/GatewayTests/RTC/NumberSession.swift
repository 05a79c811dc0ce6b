import Media
import Stream
import Wire

@testable import Gateway

extension ServedProtocol {
    /// Reads packets of a stream and says the number that the fake browser wrote into each.
    static let numbers = ServedProtocol("numbers") { NumberSession($0.peer) }
}

/// `read NAME` → `subscribed`, then `packet N` for each.
final class NumberSession: ByteSession {
    private let peer: Address
    private(set) var isEstablished = false
    var deadline: Instant { .distantFuture }

    init(_ peer: Address) { self.peer = peer }

    func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard let end = (0..<bytes.byteCount).first(where: { bytes.byte(at: $0) == 10 }) else {
            return 0
        }
        isEstablished = true
        let line = String(decoding: [UInt8](copying: bytes.extracting(0..<end)), as: UTF8.self)
        let words = line.split(separator: " ").map(String.init)
        if words.first == "read", words.count == 2 {
            let want = Subscription.Want(slot: .video, codecs: [.vp8], form: .packets)
            effects.ask(
                .subscribe(
                    1, name: words[1], Credential(), peer: peer,
                    Subscription(
                        wants: [want], rule: .connection, patience: .seconds(5))),
                1)
        }
        return end + 1
    }

    func receiveEnd(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        effects.append(.close(.done))
    }

    func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        switch answer {
        case .subscribed: out.append("subscribed\n")
        case .refused(let refusal): out.append("refused \(refusal.code.rawValue)\n")
        case .published, .allowed, .lines: break
        }
    }

    func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        if case .ended(_, let reason) = notice { out.append("ended \(reason.rawValue)\n") }
    }

    func send(_ item: borrowing ReadItem, out: inout Outbox) {
        guard item.bytes.byteCount >= 6 else { return }
        var number = 0
        for place in 2..<6 { number = number << 8 | Int(item.bytes.byte(at: place)) }
        out.append("packet \(number)\n")
    }

    func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {}
}
