import Codecs
package import Media
import RTP
package import Wire

/// Renditions that the publisher does not give are made of those it gives, once for all readers,
/// at the first reader; and dropped some time after the last.
extension Stream {
    /// The rendition of this key with media coming into it, made if it must be.
    func rendition(
        _ key: RenditionKey, at now: Instant, into orders: inout Orders
    ) -> Rendition? {
        guard let slot = slotIndex(key.slot) else { return nil }
        if let present = slots[slot].rendition(key), isFed(present) { return present }
        guard let given = slots[slot].given, !given.encodings.isEmpty,
            let plan = plan(key, given: given.key),
            let parent = rendition(plan.parent, at: now, into: &orders),
            let reading = parent.best(at: now)
        else { return nil }
        let child = slots[slot].rendition(key) ?? Rendition(key)
        if slots[slot].rendition(key) == nil { slots[slot].renditions.append(child) }
        var format = reading.format
        if format.codec != key.codec { format = format.transcoded(to: key.codec) }
        child.replaceEncodings(
            [makeEncoding(EncodingID(epoch: lastEpoch, layer: 0), "", format, .derived)],
            isGiven: false)
        let derivation = Derivation(plan.kind, from: parent, reading: reading, to: child)
        if let roundTrip = source?.roundTrip { derivation.follow(roundTrip: roundTrip) }
        parent.attachReader()
        derivations.append(derivation)
        if case .transcode = plan.kind {
            orders.append(.startTranscode(from: parent.key, to: key))
        }
        advance(derivation, at: now, into: &orders)
        return child
    }

    /// The last step towards a rendition, and the rendition before it.
    private func plan(
        _ key: RenditionKey, given: RenditionKey
    ) -> (kind: Derivation.Kind, parent: RenditionKey)? {
        if key.form == .packets, given != key {
            let frames = RenditionKey(slot: key.slot, codec: key.codec, form: .frames)
            return (.packetize(rules.bFrames), frames)
        }
        if given.codec == key.codec, given.form == .packets {
            let facts = slots[slotIndex(key.slot) ?? 0].announced?.facts ?? PayloadFacts()
            return (
                .assemble(
                    facts, answersNACK: source?.publication.answersNACK ?? false,
                    onLoss: rules.onLoss), given
            )
        }
        guard rules.convertsSound, Carriage.canTranscode(given.codec, to: key.codec) else {
            return nil
        }
        return (.transcode, RenditionKey(slot: key.slot, codec: given.codec, form: .frames))
    }

    private func isFed(_ rendition: Rendition) -> Bool {
        rendition.isGiven || derivations.contains { $0.child === rendition }
    }

    /// What has been stored goes on into what is made of it; parents before children.
    func derive(at now: Instant, into orders: inout Orders) {
        for derivation in derivations { advance(derivation, at: now, into: &orders) }
    }

    private func advance(
        _ derivation: Derivation, at now: Instant, into orders: inout Orders
    ) {
        derivation.advance(at: now)
        if derivation.refusesBFrames {
            adviseAgainstBFrames(derivation.parent.key.slot, into: &orders)
        }
        guard let wanted = derivation.keyWish else { return }
        wantKey(wanted, derivation.parent.key.slot, at: now, into: &orders)
    }

    /// Policy `refuse`: said once per publisher, in words that an encoder's settings know.
    func adviseAgainstBFrames(_ slot: SlotName, into orders: inout Orders) {
        guard let index = slotIndex(slot), slots[index].advice == nil else { return }
        slots[index].advice =
            "B-frames cannot be shown by browsers: set bframes to 0 (OBS: tune zerolatency or "
            + "profile baseline), or b-frames: drop here"
        orders.append(.changed)
    }

    /// A back-fill that goes on next turn.
    var isDeriving: Bool { derivations.contains { $0.isBehind } }

    /// The publisher's encoding that a derived rendition is made of in the end.
    func origin(of rendition: Rendition) -> Encoding? {
        var rendition = rendition
        while let step = derivations.first(where: { $0.child === rendition }) {
            if step.parent.isGiven { return step.reading }
            rendition = step.parent
        }
        return nil
    }

    /// The slot's publisher has changed: what was made of the former one is made of this one now,
    /// if it can be, for those who read it.
    func rederive(_ slot: SlotName, at now: Instant, into orders: inout Orders) {
        removeDerivations(at: now, into: &orders) { $0.child.key.slot == slot }
        guard let index = slotIndex(slot) else { return }
        let wanted = slots[index].renditions.filter { !$0.isGiven && $0.readerCount > 0 }
        for rendition in wanted { _ = self.rendition(rendition.key, at: now, into: &orders) }
    }

    func removeDerivations(
        at now: Instant, into orders: inout Orders, where isGone: (Derivation) -> Bool
    ) {
        for derivation in derivations where isGone(derivation) {
            derivation.parent.detachReader(ReaderFigures(), at: now)
            derivation.child.endEncodings()
            if case .transcode = derivation.kind {
                orders.append(.stopTranscode(to: derivation.child.key))
            }
        }
        derivations.removeAll(where: isGone)
    }

    // MARK: By message: the transcoder

    /// Frames that the transcoder has not had yet. It is handed copies: it lives elsewhere.
    package func takeForTranscode(
        to key: RenditionKey, at now: Instant, into out: inout TranscodeInput
    ) {
        for derivation in derivations where derivation.child.key == key {
            if case .transcode = derivation.kind { derivation.take(at: now, into: &out) }
        }
    }

    /// What the transcoder made of them.
    package func storeTranscoded(
        _ batch: borrowing ItemBatch, format: Format, to key: RenditionKey, epoch: Epoch,
        at now: Instant, into orders: inout Orders
    ) {
        guard isCurrent(epoch), let derivation = derivations.first(where: { $0.child.key == key }),
            case .transcode = derivation.kind, let target = derivation.child.encodings.first
        else { return }
        target.change(format)
        target.follow(origin(of: derivation.parent) ?? derivation.reading)
        for item in 0..<batch.count {
            target.store(batch.bytes(of: item), batch.items[item].meta, at: nil)
        }
        derive(at: now, into: &orders)
        dirty = true
    }

    /// Why there is no sound for those who need it in another codec; nil: there is again.
    package func noteTranscode(
        to key: RenditionKey, advice: String?, into orders: inout Orders
    ) {
        guard let index = slotIndex(key.slot), slots[index].advice != advice else { return }
        slots[index].advice = advice
        orders.append(.changed)
    }
}
