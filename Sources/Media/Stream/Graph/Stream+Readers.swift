package import Media
package import Wire

/// Readers come and go; key frames are asked for once for all of them.
extension Stream: ReadableStream {
    package func open(
        _ want: Subscription.Want, at now: Instant, into orders: inout Orders
    ) -> Rendition? {
        guard let index = slotIndex(want.slot), let given = slots[index].given,
            let key = want.key(given: given.key.codec)
        else { return nil }
        return open(key, at: now, into: &orders)
    }

    /// The rendition of this key, for a reader that knows it: a relay.
    package func open(
        _ key: RenditionKey, at now: Instant, into orders: inout Orders
    ) -> Rendition? {
        guard let rendition = rendition(key, at: now, into: &orders) else { return nil }
        rendition.attachReader()
        stopSourceAt = nil
        tellDemand(at: now, into: &orders)
        return rendition
    }

    package func close(
        _ rendition: Rendition, _ figures: ReaderFigures, at now: Instant,
        into orders: inout Orders
    ) {
        rendition.detachReader(figures, at: now)
        scheduleStop(at: now)
        tellDemand(at: now, into: &orders)
    }

    /// A reader needs a key frame. However many do, the publisher hears it once per 500 ms.
    package func requestKey(
        _ id: EncodingID, of rendition: Rendition, at now: Instant, into orders: inout Orders
    ) {
        guard id.epoch == source?.epoch,
            let wanted = rendition.isGiven ? rendition.encoding(id) : origin(of: rendition)
        else { return }
        wantKey(wanted, rendition.key.slot, at: now, into: &orders)
    }

    package func codec(in slot: SlotName) -> Codec? {
        slotIndex(slot).flatMap { slots[$0].announced?.format.codec }
    }

    package var answersPLI: Bool { source?.publication.answersPLI ?? false }

    func wantKey(
        _ encoding: Encoding, _ slot: SlotName, at now: Instant, into orders: inout Orders
    ) {
        guard let source, source.publication.answersPLI, encoding.wantKey(at: now) else { return }
        orderKey(slot, encoding, into: &orders)
    }

    func orderKey(_ slot: SlotName, _ encoding: Encoding, into orders: inout Orders) {
        tally.keyRequests += 1
        orders.append(.keyFrame(encoding.id.epoch, slot, layer: encoding.id.layer))
    }

    // MARK: Waiting for a publisher

    /// Waits until the stream is ready; the first to do so starts a source that is on demand.
    package func wait(
        _ id: Waiters.ID, patience: Interval, at now: Instant, into orders: inout Orders
    ) throws(Refusal) {
        guard waiters.add(id, patience: patience, at: now) else {
            throw Refusal(.tooMany, "\(Waiters.maximum) viewers wait for \(name) already")
        }
        if isReady(at: now) {
            waiters.release(.ready)
        } else if source == nil {
            wantSource(into: &orders)
        }
    }

    package func stopWaiting(_ id: Waiters.ID) { waiters.remove(id) }

    /// The source could not be started: one result, with its cause, for all who wait.
    package func sourceFailed(_ refusal: Refusal) {
        sourceIsWanted = false
        waiters.release(.failed(refusal))
    }

    func wantSource(into orders: inout Orders) {
        guard rules.isOnDemand, !sourceIsWanted, source == nil else { return }
        guard !waiters.isEmpty || readerCount > 0 else { return }
        sourceIsWanted = true
        orders.append(.startSource)
    }

    func scheduleStop(at now: Instant) {
        guard rules.isOnDemand, source != nil, readerCount == 0 else { return }
        stopSourceAt = now + rules.stopAfter
    }
}
