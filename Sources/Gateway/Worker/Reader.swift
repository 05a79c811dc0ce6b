import Media
import Stream
import Wire

/// One subscription of a session: a cursor in each slot it wants.
final class Reader {
    /// A slot that is wanted, and where the reader is in it; no rendition while it is empty.
    struct Place {
        let want: Subscription.Want
        var rendition: Rendition?
        var cursor: Cursor
    }

    let connection: Connection
    let channel: ChannelID
    let subscription: Subscription
    let stream: LocalStream
    var places: [Place]

    init(
        _ connection: Connection, _ channel: ChannelID, _ subscription: Subscription,
        _ stream: LocalStream, at now: Instant
    ) {
        self.connection = connection
        self.channel = channel
        self.subscription = subscription
        self.stream = stream
        let keyAfter = subscription.start == .cached ? Instant.start : now
        places = subscription.wants.map { want in
            Place(
                want: want, rendition: nil,
                cursor: Cursor(subscription.rule, keyAfter: keyAfter, liveFrom: now))
        }
    }

    /// What the socket is given at a time: beyond this the cursors wait, not a queue.
    private static let outHigh = 64 * 1024

    enum Fed { case some(Int), hopeless }

    /// Hands the session what there is to read, all slots in the order of arrival, while its
    /// connection takes it.
    func feed(at now: Instant) -> Fed {
        var count = 0
        while connection.out.byteCount < Self.outHigh {
            var earliest: (place: Int, index: Int64, jump: Jump?, arrival: Instant)?
            for place in places.indices {
                guard let rendition = places[place].rendition else { continue }
                let reading = places[place].cursor.peek(rendition, at: now)
                let found: (Int64, Jump?)
                switch reading {
                case .item(let index): found = (index, nil)
                case .jump(let index, let jump): found = (index, jump)
                case .nothing: continue
                case .close: return .hopeless
                }
                guard let meta = places[place].cursor.encoding?.history.meta(found.0) else {
                    continue
                }
                if earliest.map({ meta.arrival < $0.arrival }) ?? true {
                    earliest = (place, found.0, found.1, meta.arrival)
                }
            }
            guard let next = earliest else { break }
            hand(next.place, next.index, next.jump)
            count += 1
        }
        return .some(count)
    }

    /// So far behind that its connection is better closed, though nothing can be written now.
    var isHopeless: Bool { places.contains { $0.cursor.isHopeless } }

    private func hand(_ place: Int, _ index: Int64, _ jump: Jump?) {
        guard let encoding = places[place].cursor.encoding else { return }
        let history = encoding.history
        guard let meta = history.meta(index), let bytes = history.bytes(index) else { return }
        connection.session.send(
            bytes, meta, encoding.format(at: index), of: places[place].want.slot,
            channel: channel, jump: jump, out: &connection.out)
        places[place].cursor.advance()
    }
}
