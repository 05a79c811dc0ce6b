import Media
import Stream
import Wire

/// What a publisher says by data channel, read once for all viewers of this worker: each of them
/// has bounds of its own, and who has no room misses a message.
struct ChannelFeed {
    private static let subscription = Subscription(
        wants: [.init(slot: .data, codecs: [.data], form: .frames)], rule: .relay)

    private var reader: Reader
    private var isResolved = false

    /// It begins with what is said from now on.
    init(at now: Instant) { reader = Reader(Self.subscription, at: now) }

    /// Slots of the stream have changed.
    mutating func streamChanged() { isResolved = false }

    mutating func resolve(in local: LocalStream, at now: Instant, into orders: inout Orders) {
        guard !isResolved else { return }
        isResolved = true
        reader.resolve(in: local.readable, at: now, into: &orders)
    }

    mutating func close(in local: LocalStream, at now: Instant, into orders: inout Orders) {
        reader.close(in: local.readable, at: now, into: &orders)
    }

    /// The next message, and where it lies.
    mutating func next(at now: Instant) -> (encoding: Encoding, index: Int64)? {
        guard case .item(let track, let index, _) = reader.peek(at: now),
            let encoding = reader.encoding(track)
        else { return nil }
        reader.advance()
        return (encoding, index)
    }
}
