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
        if given.key.form == .frames {
            for item in items {
                encoding.store(
                    effects.media.bytes(of: item), effects.media.items[item].meta, at: nil)
            }
        } else if slots[index].intakes.indices.contains(Int(layer)) {
            shape(effects, items, slots[index].intakes[Int(layer)], slot, at: now, into: &orders)
        }
        derive(at: now, into: &orders)
        dirty = true
        noteMedia(at: now, into: &orders)
    }

    /// Packets that the publisher did not repeat: their holes stay, and only a key frame helps.
    package func noteLoss(
        _ numbers: ClosedRange<Int64>, slot: SlotName, layer: UInt8, epoch: Epoch,
        at now: Instant, into orders: inout Orders
    ) {
        // Otherwise the indexes are ours, and have no holes.
        guard isCurrent(epoch), source?.publication.answersNACK == true,
            let index = slotIndex(slot),
            let encoding = slots[index].given?.encoding(EncodingID(epoch: epoch, layer: layer))
        else { return }
        encoding.history.giveUp(numbers)
        wantKey(encoding, slot, at: now, into: &orders)
    }

    /// Given packets go through the shaper, which knows what is missing and what has changed.
    private func shape(
        _ effects: borrowing Effects, _ items: Range<Int>, _ intake: Intake, _ slot: SlotName,
        at now: Instant, into orders: inout Orders
    ) {
        let outcome = intake.store(effects.media, items, effects.sequences)
        if outcome.formatChanged { orders.append(.changed) }
        if outcome.refusesBFrames { adviseAgainstBFrames(slot, into: &orders) }
        if outcome.wantsKey { wantKey(intake.encoding, slot, at: now, into: &orders) }
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
