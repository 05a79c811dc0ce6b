import Media
import Stream
import Wire

/// One subscription of a session on a connection.
final class ConnectionReader {
    let connection: Connection
    let channel: ChannelID
    let stream: LocalStream
    private let slots: [SlotName]
    private var reader: Reader
    private let sharesItems: Bool
    private var hasBegun = false

    init(
        _ connection: Connection, _ channel: ChannelID, _ subscription: Subscription,
        _ stream: LocalStream, at now: Instant
    ) {
        self.connection = connection
        self.channel = channel
        self.stream = stream
        slots = subscription.wants.map(\.slot)
        reader = Reader(subscription, number: stream.takeReaderNumber(), at: now)
        sharesItems = connection.session.sharesItems
    }

    enum Fed { case some(Int), hopeless }

    /// There was more to read than the connection could take: it is fed again when it has room,
    /// though nothing new may come for its stream.
    private(set) var isHeldBack = false

    /// Its socket is full: what comes meanwhile is for when it has room.
    func holdBack() { isHeldBack = true }

    /// Finds what the stream has of what is wanted and not being read yet.
    func resolve(at now: Instant, into orders: inout Orders) {
        switch stream.place {
        case .home(let stream): reader.resolve(in: stream, at: now, into: &orders)
        case .relayed(let stream): reader.resolve(in: stream, at: now, into: &orders)
        }
    }

    func close(at now: Instant, into orders: inout Orders) {
        if sharesItems, stream.readers.isEmpty {
            for track in slots.indices { reader.encoding(track)?.forgetChunks() }
        }
        switch stream.place {
        case .home(let stream): reader.close(in: stream, at: now, into: &orders)
        case .relayed(let stream): reader.close(in: stream, at: now, into: &orders)
        }
    }

    /// Hands the session what there is to read, in the order of arrival, while its connection
    /// takes it.
    func feed(at now: Instant, into orders: inout Orders) -> Fed {
        var count = 0
        isHeldBack = true
        reading: while connection.takesMore(at: now), begins(at: now) {
            switch reader.peek(at: now) {
            case .item(let track, let index, let jump): hand(track, index, jump)
            case .nothing:
                isHeldBack = false
                break reading
            case .close: return .hopeless
            }
            count += 1
        }
        switch stream.place {
        case .home(let stream): reader.requestKeys(in: stream, at: now, into: &orders)
        case .relayed(let stream): reader.requestKeys(in: stream, at: now, into: &orders)
        }
        return .some(count)
    }

    /// So far behind that its connection is better closed, though nothing can be written now.
    var isHopeless: Bool { reader.isHopeless }

    func change(_ slot: SlotName, _ body: (inout Reader, Int) -> Void) {
        if let track = slots.firstIndex(of: slot) { body(&reader, track) }
    }

    /// The session says that it must begin anew in a slot.
    func requestKey(_ slot: SlotName, at now: Instant, into orders: inout Orders) {
        guard let track = slots.firstIndex(of: slot), let encoding = reader.encoding(track),
            let rendition = reader.rendition(track)
        else { return }
        stream.readable.requestKey(encoding.id, of: rendition, at: now, into: &orders)
    }

    /// Whether the session has begun, or does now.
    private func begins(at now: Instant) -> Bool {
        if hasBegun { return true }
        let present = reader.present(at: now).compactMap { track in
            reader.encoding(track).map {
                PresentSlot(
                    slot: slots[track], format: $0.format(at: reader.cursor(track).next))
            }
        }
        guard !present.isEmpty else { return false }
        hasBegun = connection.session.begin(
            present, channel: channel, at: now, out: &connection.out)
        return hasBegun
    }

    func limit(
        _ slot: SlotName, to demand: Demand, at now: Instant, into orders: inout Orders
    ) {
        guard let track = slots.firstIndex(of: slot) else { return }
        switch stream.place {
        case .home(let stream):
            reader.limit(track, to: demand, in: stream, at: now, into: &orders)
        case .relayed(let stream):
            reader.limit(track, to: demand, in: stream, at: now, into: &orders)
        }
    }

    private func hand(_ track: Int, _ index: Int64, _ jump: Jump?) {
        defer { reader.advance() }
        guard let encoding = reader.encoding(track) else { return }
        let history = encoding.history
        guard let meta = history.meta(index), let bytes = history.bytes(index) else { return }
        connection.session.send(
            ReadItem(
                bytes, chunk: sharesItems ? encoding.chunk(index) : nil, meta,
                encoding.era(at: index), at: index, of: encoding.id, slot: slots[track],
                channel: channel, jump: jump, capture: encoding.capture(of: meta.ticks)),
            out: &connection.out)
    }
}
