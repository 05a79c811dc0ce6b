import Browser
import CHeldClock
import SCTP
import Wire

/// Two associations of one engine, each the other's peer, and between them a wire that delays by up
/// to 40 ms, reorders and loses.
final class Wires {
    struct Message: Equatable {
        var stream: UInt16
        var payload: UInt32
        var bytes: [UInt8]
    }

    private struct Packet {
        var due: Int64
        var target: UInt32
        var bytes: [UInt8]
    }

    let left: UInt32
    let right: UInt32
    private let shared = OneEngine.shared
    private var random: SplitMix64
    /// May change while the wires are in use: 1,000 is a cut.
    var lossPerMille: Int
    private var underWay: [Packet] = []
    private(set) var connected: Set<UInt32> = []
    private(set) var ended: Set<UInt32> = []
    private(set) var largestPacket = 0
    /// Every packet that was sent, for those who want to damage it.
    private(set) var recorded: [(from: UInt32, bytes: [UInt8])] = []
    private let isRecording: Bool
    /// Everything else that happened, by association, until it is taken.
    private var messages: [UInt32: [Message]] = [:]
    private var others: [UInt32: [SCTPEvents.Event]] = [:]

    init?(lossPerMille: Int = 0, seed: UInt64 = 1, isRecording: Bool = false) {
        self.isRecording = isRecording
        self.lossPerMille = lossPerMille
        random = SplitMix64(seed: seed)
        var events = SCTPEvents()
        held_clock_set(shared.now)
        defer { held_clock_set(-1) }
        guard let left = shared.engine.open(port: 5000, into: &events),
            let right = shared.engine.open(port: 5000, into: &events)
        else { return nil }
        self.left = left
        self.right = right
        note(events)
    }

    func received(by id: UInt32) -> [Message] { messages[id] ?? [] }

    func takeMessages(of id: UInt32) -> [Message] { messages.removeValue(forKey: id) ?? [] }

    func takeEvents(of id: UInt32) -> [SCTPEvents.Event] { others.removeValue(forKey: id) ?? [] }

    func peer(of id: UInt32) -> UInt32 { id == left ? right : left }

    func send(
        _ bytes: [UInt8], from id: UInt32, stream: UInt16 = 0, payload: UInt32 = 53,
        delivery: SCTPDelivery = .init(ordered: true, reliability: .reliable)
    ) -> Bool {
        calling {
            $0.send(
                bytes.raw, payload: payload, stream: stream, delivery: delivery, for: id,
                into: &$1)
        }
    }

    func reset(_ stream: UInt16, from id: UInt32) -> Bool {
        calling { $0.resetStream(stream, for: id, into: &$1) }
    }

    func inject(_ packet: [UInt8], to id: UInt32) {
        calling { $0.receive(packet.raw, for: id, into: &$1) }
    }

    func close() {
        calling {
            $0.close(left, into: &$1)
            $0.close(right, into: &$1)
        }
    }

    func closeLeft() { calling { $0.close(left, into: &$1) } }

    /// Lets `milliseconds` pass, 10 at a time.
    func run(_ milliseconds: Int, until done: () -> Bool = { false }) {
        for _ in 0..<(milliseconds / 10) {
            if done() { return }
            shared.now += 10_000
            deliver()
            calling { $0.tick(.milliseconds(10), into: &$1) }
        }
    }

    private func calling<Result>(
        _ body: (SCTPEngine, inout SCTPEvents) -> Result
    ) -> Result {
        var events = SCTPEvents()
        held_clock_set(shared.now)
        defer { held_clock_set(-1) }
        let result = body(shared.engine, &events)
        note(events)
        return result
    }

    private func deliver() {
        let due = underWay.filter { $0.due <= shared.now }
        underWay.removeAll { $0.due <= shared.now }
        for packet in due { inject(packet.bytes, to: packet.target) }
    }

    private func note(_ output: SCTPEvents) {
        for event in output.events {
            switch event {
            case .packet(let id, let range): carry(Array(output.bytes[range]), from: id)
            case .message(let id, let stream, let payload, let range):
                messages[id, default: []].append(
                    .init(stream: stream, payload: payload, bytes: Array(output.bytes[range])))
            case .connected(let id): connected.insert(id)
            case .ended(let id): ended.insert(id)
            case .streamReset(let id, _), .sent(let id, _, _), .refused(let id, _, _):
                others[id, default: []].append(event)
            }
        }
    }

    private func carry(_ bytes: [UInt8], from id: UInt32) {
        largestPacket = max(largestPacket, bytes.count)
        if isRecording { recorded.append((id, bytes)) }
        guard random.next() % 1000 >= UInt64(lossPerMille) else { return }
        let delay = Int64(random.next() % 40_000)
        underWay.append(.init(due: shared.now + delay, target: peer(of: id), bytes: bytes))
    }
}
