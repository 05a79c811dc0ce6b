import Media

/// What a stream asks the worker to do, besides storing and reading: a sink lent for the call.
package struct Orders {
    package enum Order: Equatable, Sendable {
        /// Ask the publisher of this epoch for a key frame of a layer.
        case keyFrame(Epoch, SlotName, layer: UInt8)
        /// Tell the publisher of this epoch the most that anybody reads of a slot.
        case demand(Epoch, SlotName, Demand)
        /// Send the publisher of this epoch away.
        case endPublisher(Epoch, EndReason)
        /// Slots were filled, emptied or changed their format: tell the Hub, and those readers
        /// that must say so on the wire or cannot go on.
        case changed
        case tell(Waiters.ID, Waiters.Result)
        /// On demand: somebody waits or reads, and nobody publishes.
        case startSource
        /// On demand: nobody has read for 20 s.
        case stopSource
        /// Make one codec of another, elsewhere: frames of `from` are handed over by
        /// `takeForTranscode`, what comes back by `storeTranscoded`.
        case startTranscode(from: RenditionKey, to: RenditionKey)
        case stopTranscode(to: RenditionKey)
        /// At a worker that is not the home: a letter to it.
        case toHome(RelayUp)
        /// The publisher did not come back: viewers are sent away.
        case endReaders(EndReason)
        /// Nothing holds the stream any more: its home may be given back.
        case free
    }

    package private(set) var list: [Order] = []

    package init() {}

    package mutating func append(_ order: Order) { list.append(order) }
    package mutating func clear() { list.removeAll(keepingCapacity: true) }
}
