import ICE
import SCTP
import Wire

/// The data channels of a DTLS client and server over the two associations of a `Wires`: what the
/// owner of sessions and associations does in the program.
final class ChannelEnds {
    struct Message: Equatable {
        var isText: Bool
        var bytes: [UInt8]
    }

    private struct Place: Hashable {
        var end: UInt32
        var stream: UInt16
    }

    let wires: Wires
    private var channels: [UInt32: DataChannels]
    private var messages: [Place: [Message]] = [:]
    private var terms: [UInt32: [UInt16: DataChannelTerms]] = [:]
    private var gone: [UInt32: Set<UInt16>] = [:]
    /// Streams of either end that have said there is room again.
    var writable: Set<UInt16> = []

    init?(lossPerMille: Int, seed: UInt64) {
        guard let wires = Wires(lossPerMille: lossPerMille, seed: seed) else { return nil }
        self.wires = wires
        channels = [
            wires.left: DataChannels(isDTLSClient: true),
            wires.right: DataChannels(isDTLSClient: false),
        ]
    }

    var client: UInt32 { wires.left }
    var server: UInt32 { wires.right }

    func opened(by end: UInt32) -> [UInt16: DataChannelTerms] { terms[end] ?? [:] }
    func closed(by end: UInt32) -> Set<UInt16> { gone[end] ?? [] }

    func received(by end: UInt32, on stream: UInt16) -> [Message] {
        messages[Place(end: end, stream: stream)] ?? []
    }

    func takeReceived(by end: UInt32, on stream: UInt16) -> [Message] {
        messages.removeValue(forKey: Place(end: end, stream: stream)) ?? []
    }

    func open(_ terms: DataChannelTerms, by end: UInt32) -> UInt16? {
        calling(end) { $0.open(terms, into: &$1) } ?? nil
    }

    func send(_ message: Message, on stream: UInt16, by end: UInt32) -> Bool {
        calling(end) {
            $0.send(message.bytes.raw, isText: message.isText, on: stream, into: &$1)
        } ?? false
    }

    func close(_ stream: UInt16, by end: UInt32) {
        calling(end) { $0.close(stream, into: &$1) }
    }

    /// Until `done`, for at most an hour of theirs.
    func run(until done: () -> Bool) {
        for _ in 0..<360_000 {
            if done() { return }
            wires.run(10)
            for end in [client, server] { take(from: end) }
        }
    }

    private func take(from end: UInt32) {
        for message in wires.takeMessages(of: end) {
            calling(end) {
                $0.receive(
                    message.bytes.raw, payload: message.payload, on: message.stream, into: &$1)
            }
        }
        for event in wires.takeEvents(of: end) {
            calling(end) {
                switch event {
                case .sent(_, let stream, let count):
                    $0.receiveSent(count, on: stream, into: &$1)
                case .streamReset(_, let stream): $0.receiveReset(of: stream, into: &$1)
                default: break
                }
            }
        }
    }

    @discardableResult private func calling<Result>(
        _ end: UInt32, _ body: (inout DataChannels, inout DataOutput) -> Result
    ) -> Result? {
        guard var own = channels.removeValue(forKey: end) else { return nil }
        var out = DataOutput()
        let result = body(&own, &out)
        channels[end] = own
        for entry in out.entries { perform(entry, out.bytes, for: end) }
        return result
    }

    private func perform(_ entry: DataOutput.Entry, _ bytes: [UInt8], for end: UInt32) {
        switch entry {
        case .send(let stream, let payload, let delivery, let range):
            _ = wires.send(
                Array(bytes[range]), from: end, stream: stream, payload: payload.rawValue,
                delivery: Self.delivery(delivery))
        case .reset(let stream): _ = wires.reset(stream, from: end)
        case .opened(let stream, let own): terms[end, default: [:]][stream] = own
        case .message(let stream, let isText, let range):
            messages[Place(end: end, stream: stream), default: []].append(
                .init(isText: isText, bytes: Array(bytes[range])))
        case .writable(let stream): writable.insert(stream)
        case .closed(let stream): gone[end, default: []].insert(stream)
        case .abort: wires.close()
        }
    }

    private static func delivery(_ delivery: DataDelivery) -> SCTPDelivery {
        let reliability: SCTPDelivery.Reliability =
            switch delivery.reliability {
            case .reliable: .reliable
            case .retransmits(let count): .retransmits(count)
            case .lifetime(let milliseconds): .lifetime(milliseconds: milliseconds)
            }
        return SCTPDelivery(ordered: delivery.ordered, reliability: reliability)
    }
}
