import Media
import Stream
import Wire

/// What the viewers can use together, as the stream hears it: nothing is asked of a publisher for
/// layers and slots that nobody is shown.
extension FanOut {
    /// Somebody came, left or chose.
    func tellDemand(in stream: any ReadableStream, at now: Instant, into orders: inout Orders) {
        guard isDemandStale else { return }
        isDemandStale = false
        for index in feeds.indices { feeds[index].demand = .nothing }
        let seats = table.seats
        for place in 0..<seats.end where seats.isUsed(place) {
            for number in 0..<ViewerHot.slotCount {
                let slot = seats[place].slot(number)
                guard slot.hot.feed != Feed.none else { continue }
                let feed = Int(slot.hot.feed)
                feeds[feed].demand = feeds[feed].demand.union(demand(of: slot, seats[place]))
            }
        }
        for index in feeds.indices { tell(index, in: stream, at: now, into: &orders) }
    }

    private func tell(
        _ index: Int, in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        guard let rendition = feeds[index].rendition, feeds[index].readers > 0 else { return }
        // Who has never said anything needs everything.
        guard feeds[index].demand != feeds[index].told ?? .everything else { return }
        feeds[index].told = feeds[index].demand
        stream.setDemand(
            feeds[index].demand, of: rendition, by: readerNumber(index), at: now, into: &orders)
    }

    private func demand(of slot: ViewerSlot, _ viewer: Viewer) -> Demand {
        guard slot.hot.state != .paused, slot.cold.wanted != .off else { return .nothing }
        var demand = Demand.everything
        demand.bits = Int(clamping: viewer.cold.estimator.target)
        // Without a choice, or if its choice is not there, it is shown the highest there is.
        if case .rid = slot.cold.wanted, let number = wantedLane(slot, viewer),
            let encoding = lane(number)?.encoding, slot.cold.wanted == .rid(encoding.rid)
        {
            demand.highestLayer = encoding.id.layer
        }
        return demand
    }

    /// A feed gives its rendition back: what it said does not outlive it.
    func closeFeed(
        _ index: Int, in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        guard let rendition = feeds[index].rendition else { return }
        if feeds[index].told != nil {
            stream.setDemand(
                nil, of: rendition, by: readerNumber(index), at: now, into: &orders)
            feeds[index].told = nil
        }
        stream.close(rendition, ReaderFigures(), at: now, into: &orders)
        feeds[index].rendition = nil
    }

    /// Which one a feed is among the readers of a rendition. Relays and connections count from the
    /// bottom.
    private func readerNumber(_ index: Int) -> UInt64 { .max - UInt64(index) }
}
