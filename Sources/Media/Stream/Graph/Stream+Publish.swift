package import Media
package import Wire

/// Publishers come, announce, leave and are replaced.
extension Stream {
    /// Begins an epoch. A publisher that speaks is replaced by the same principal and nobody else.
    package func publish(
        _ publication: Publication, at now: Instant, into orders: inout Orders
    ) throws(Refusal) -> Epoch {
        if let source, !source.isSilent {
            guard publication.principal.isSamePerson(as: source.publication.principal) else {
                throw Refusal(
                    .nameInUse,
                    "\(name) is being published; only the same key or user may take it over")
            }
        }
        try check(publication.slots)
        if let source {
            tally.takenOver += 1
            orders.append(.endPublisher(source.epoch, .replaced))
        }
        lastEpoch += 1
        source = Source(epoch: lastEpoch, publication: publication)
        graceUntil = nil
        sourceIsWanted = false
        wasReady = false
        for index in slots.indices
        where !publication.slots.contains(where: { $0.slot == slots[index].name }) {
            empty(index, at: now, into: &orders)
        }
        for announced in publication.slots {
            fill(announced, epoch: lastEpoch, at: now, into: &orders)
        }
        scheduleStop(at: now)
        orders.append(.changed)
        return lastEpoch
    }

    /// A slot that comes later than the others, or is from now on something else.
    package func announce(
        _ announced: AnnouncedSlot, epoch: Epoch, at now: Instant, into orders: inout Orders
    ) throws(Refusal) {
        guard isCurrent(epoch) else { return }
        try check([announced])
        if let index = slotIndex(announced.slot), slots[index].announced == announced { return }
        fill(announced, epoch: epoch, at: now, into: &orders)
        orders.append(.changed)
    }

    /// The publisher will name no other slots: a place kept for them can be given up.
    package func tracksAreComplete(epoch: Epoch, into orders: inout Orders) {
        guard isCurrent(epoch) else { return }
        source?.publication.tracksComplete = true
        orders.append(.changed)
    }

    /// The format of a layer from its next item on.
    package func change(
        _ format: Format, slot: SlotName, layer: UInt8, epoch: Epoch, at now: Instant,
        into orders: inout Orders
    ) {
        guard isCurrent(epoch), let index = slotIndex(slot), let given = slots[index].given,
            let encoding = given.encoding(EncodingID(epoch: epoch, layer: layer))
        else { return }
        guard format.codec == given.key.codec else {
            guard var announced = slots[index].announced else { return }
            announced.format = format
            fill(announced, epoch: epoch, at: now, into: &orders)
            orders.append(.changed)
            return
        }
        if encoding.change(format) { orders.append(.changed) }
    }

    /// Its session hears nothing of the publisher for a while, or hears it again.
    package func noteSilence(_ isSilent: Bool, epoch: Epoch, into orders: inout Orders) {
        guard isCurrent(epoch), source?.isSilent != isSilent else { return }
        source?.isSilent = isSilent
        orders.append(.changed)
    }

    /// The publisher has gone. What it sent stays for those who still read, and its place is kept.
    package func unpublish(
        epoch: Epoch, _ reason: EndReason, at now: Instant, into orders: inout Orders
    ) {
        guard isCurrent(epoch) else { return }
        source = nil
        stopSourceAt = nil
        // What was sent last is still on its way through the graph.
        derive(at: now, into: &orders)
        for slot in slots { for rendition in slot.renditions { rendition.endEncodings() } }
        graceUntil = now + rules.grace
        // A source we start ourselves is started again at once for those who wait for it.
        if rules.isOnDemand, reason != .unwatched { wantSource(into: &orders) }
        orders.append(.changed)
    }

    /// Whether an epoch is the present one; what names another one is counted and dropped.
    func isCurrent(_ epoch: Epoch) -> Bool {
        if source?.epoch == epoch { return true }
        tally.stale += 1
        return false
    }

    private func check(_ announced: [AnnouncedSlot]) throws(Refusal) {
        let new = announced.filter { slotIndex($0.slot) == nil }.count
        guard slots.count + new <= StreamRules.slotMaximum else {
            throw Refusal(.tooMany, "a stream has at most \(StreamRules.slotMaximum) tracks")
        }
        guard announced.allSatisfy({ $0.rids.count <= StreamRules.layerMaximum }) else {
            throw Refusal(.tooMany, "a track has at most \(StreamRules.layerMaximum) layers")
        }
        guard announced.allSatisfy({ $0.slot.kind == $0.format.codec.kind }) else {
            throw Refusal(.unsupportedCodec, "a track's codec must be of the track's kind")
        }
        let histories = announced.reduce(0) {
            let limits = HistoryLimits(of: $1.format.codec)
            return $0 + limits.footprintAtFirst * max(1, $1.rids.count)
        }
        guard memory.admits(histories) else {
            throw Refusal(.outOfMemory, "media.memory is used up; no new publisher fits")
        }
    }

    private func empty(_ index: Int, at now: Instant, into orders: inout Orders) {
        slots[index].announced = nil
        slots[index].intakes = []
        let slot = slots[index].name
        removeDerivations(at: now, into: &orders) { $0.child.key.slot == slot }
        for rendition in slots[index].renditions { rendition.endEncodings() }
    }

    private func fill(
        _ announced: AnnouncedSlot, epoch: Epoch, at now: Instant, into orders: inout Orders
    ) {
        let index = slotIndex(announced.slot) ?? slots.count
        if index == slots.count { slots.append(Slot(name: announced.slot)) }
        slots[index].announced = announced
        slots[index].demand = DemandTold(at: now)
        slots[index].advice = nil
        let key = RenditionKey(
            slot: announced.slot, codec: announced.format.codec, form: announced.form)
        let rendition = slots[index].rendition(key) ?? Rendition(key)
        if slots[index].rendition(key) == nil { slots[index].renditions.append(rendition) }
        for other in slots[index].renditions where other !== rendition {
            other.replaceEncodings([], isGiven: false)
        }
        let rids = announced.rids.isEmpty ? [""] : announced.rids
        rendition.replaceEncodings(
            rids.enumerated().map { layer, rid in
                makeEncoding(
                    EncodingID(epoch: epoch, layer: UInt8(layer)), rid, announced.format, .given)
            }, isGiven: true)
        let answersNACK = source?.publication.answersNACK ?? false
        slots[index].intakes =
            announced.form == .frames
            ? []
            : rendition.encodings.map {
                Intake($0, answersNACK: answersNACK, rules)
            }
        rederive(announced.slot, at: now, into: &orders)
        for left in slots[index].renditions where left.encodings.isEmpty { left.giveUp() }
    }

    func makeEncoding(
        _ id: EncodingID, _ rid: String, _ format: Format, _ claimant: MediaMemory.Claimant
    ) -> Encoding {
        Encoding(
            id: id, rid: rid, format: format,
            history: History(HistoryLimits(of: format.codec), memory: memory, for: claimant))
    }
}
