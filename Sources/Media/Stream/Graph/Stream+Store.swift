import Media
package import Wire

/// What the publisher sends goes into its histories: the hot part of a stream.
extension Stream {
    /// Stores items that a session wrote, all of one layer of one slot.
    package func store(
        _ effects: borrowing Effects, items: Range<Int>, slot: SlotName, layer: UInt8,
        epoch: Epoch, at now: Instant, into orders: inout Orders
    ) {
        guard isCurrent(epoch) else { return }
        guard let index = slotIndex(slot), let given = slots[index].given,
            let encoding = given.encoding(EncodingID(epoch: epoch, layer: layer))
        else {
            tally.unannounced += UInt64(items.count)
            return
        }
        let keepsNumbers =
            given.key.form == .packets && source?.publication.answersNACK == true
        for item in items {
            encoding.store(
                effects.media.bytes(of: item), effects.media.items[item].meta,
                at: keepsNumbers ? effects.sequences[item] : nil)
        }
        derive()
        dirty = true
        noteMedia(at: now, into: &orders)
    }

    /// Readiness is looked at until it is there, then never again in this epoch.
    func noteMedia(at now: Instant, into orders: inout Orders) {
        guard !wasReady else { return }
        if source?.firstMedia == nil { source?.firstMedia = now }
        guard isReady(at: now) else { return }
        wasReady = true
        waiters.release(.ready)
        orders.append(.changed)
    }
}
