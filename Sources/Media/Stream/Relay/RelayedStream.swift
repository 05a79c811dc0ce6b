package import Media
package import Wire

/// A stream whose home is another worker, as this worker's viewers see it: what the Hub says of
/// it, and a relay for each rendition that is read here.
package final class RelayedStream: ReadableStream {
    package let name: String
    private let memory: MediaMemory
    private let numbers: Range<UInt32>
    private var used: UInt32 = 0
    private var known: StreamSnapshot
    private var relays: [RelayReader] = []
    private var dirty = false
    /// The home gave a rendition up: its readers have to look for another.
    private var hasLost = false

    /// - Parameter numbers: Relay numbers of this worker that no other stream of it uses.
    package init(_ snapshot: StreamSnapshot, memory: MediaMemory, numbers: Range<UInt32>) {
        precondition(!numbers.isEmpty, "a relayed stream needs numbers for its relays")
        name = snapshot.name
        self.memory = memory
        self.numbers = numbers
        known = snapshot
    }

    package var snapshot: StreamSnapshot { known }
    package var readerCount: Int { relays.reduce(0) { $0 + $1.rendition.readerCount } }

    /// Nobody reads it here any more, and the relays have been closed.
    package var isFree: Bool { relays.isEmpty }

    package func takeDirty() -> Bool {
        defer { dirty = false }
        return dirty
    }

    /// The home has told the Hub of a change: viewers resolve their slots anew.
    package func update(_ snapshot: StreamSnapshot, into orders: inout Orders) {
        guard snapshot.epoch >= known.epoch else { return }
        known = snapshot
        orders.append(.changed)
    }

    package func open(
        _ want: Subscription.Want, at now: Instant, into orders: inout Orders
    ) -> Rendition? {
        guard let codec = known[want.slot]?.format?.codec, let key = want.key(given: codec) else {
            return nil
        }
        if let present = relays.first(where: { $0.rendition.key == key && !$0.isClosed }) {
            present.rendition.attachReader()
            return present.rendition
        }
        let relay = numbers.lowerBound + used % UInt32(numbers.count)
        used += 1
        let reader = RelayReader(relay: relay, of: key, memory: memory, at: now)
        reader.rendition.attachReader()
        relays.append(reader)
        orders.append(.toHome(.open(relay: relay, stream: name, key)))
        return reader.rendition
    }

    package func close(
        _ rendition: Rendition, _ figures: ReaderFigures, at now: Instant,
        into orders: inout Orders
    ) {
        rendition.detachReader(figures, at: now)
        tellDemand(at: now, into: &orders)
    }

    /// What one reader here can use; nil takes it back, before `close`.
    package func setDemand(
        _ demand: Demand?, of rendition: Rendition, by reader: UInt64, at now: Instant,
        into orders: inout Orders
    ) {
        rendition.setDemand(demand, by: reader)
        if demand != nil { tellDemand(at: now, into: &orders) }
    }

    private func tellDemand(at now: Instant, into orders: inout Orders) {
        for index in relays.indices {
            if let up = relays[index].takeDemand(at: now) { orders.append(.toHome(up)) }
        }
    }

    package func requestKey(
        _ id: EncodingID, of rendition: Rendition, at now: Instant, into orders: inout Orders
    ) {
        guard let relay = relays.first(where: { $0.rendition === rendition }),
            let up = relay.requestKey(id, at: now)
        else { return }
        orders.append(.toHome(up))
    }

    package func codec(in slot: SlotName) -> Codec? { known[slot]?.format?.codec }
    package var answersPLI: Bool { known.answersPLI }

    /// A record from the ring, for one of the relays here; others are of relays that were closed.
    package func receive(_ record: RawSpan, at now: Instant) throws(ParseError) {
        let number = try RelayReader.relay(of: record)
        guard let index = relays.firstIndex(where: { $0.relay == number }) else { return }
        try relays[index].receive(record, at: now)
        if relays[index].isClosed { hasLost = true }
        dirty = true
    }

    package var deadline: Instant {
        if hasLost { return .start }
        return relays.reduce(Instant.distantFuture) {
            min($0, min($1.deadline, $1.rendition.dropAt ?? .distantFuture))
        }
    }

    package func expire(at now: Instant, into orders: inout Orders) {
        if hasLost {
            hasLost = false
            orders.append(.changed)
        }
        tellDemand(at: now, into: &orders)
        for index in relays.indices {
            while let up = relays[index].expire(at: now) { orders.append(.toHome(up)) }
        }
        relays.removeAll { relay in
            let isUnread = relay.rendition.dropAt.map { $0 <= now } ?? false
            let isOver = relay.isClosed && relay.rendition.readerCount == 0
            guard isUnread || isOver else { return false }
            if !relay.isClosed { orders.append(.toHome(.close(relay: relay.relay))) }
            return true
        }
        if isFree { orders.append(.free) }
    }
}
