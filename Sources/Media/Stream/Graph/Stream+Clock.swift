import Media
package import Wire

/// When things were taken: what sender reports say goes to the capture maps of the encodings.
///
/// Every encoding has a map, from the arrival of its frames; reports make it better. A WebRTC
/// publisher's clock is related to ours by its reports; a camera's is not to be believed, and only
/// says how its sound lies to its picture.
extension Stream {
    /// A pair of the publisher's clock and its media time, from a sender report.
    package func noteClock(
        slot: SlotName, layer: UInt8, ntp: Int64, ticks: Int64, epoch: Epoch, at now: Instant
    ) {
        guard isCurrent(epoch), let index = slotIndex(slot),
            let encoding = slots[index].given?.encoding(EncodingID(epoch: epoch, layer: layer))
        else { return }
        encoding.report(ntp: ntp, ticks: ticks)
        guard source?.publication.answersNACK == true else { return alignSound() }
        source?.clock.announce(track: index)
        let roundTrip = source?.roundTrip
        source?.clock.report(track: index, ntp: ntp, at: now, rtt: roundTrip)
        guard let clock = source?.clock else { return }
        for slot in slots {
            for encoding in slot.given?.encodings ?? [] { encoding.follow(clock) }
        }
    }

    /// How long it is to the publisher and back: what was taken left it half of that before it
    /// came, and a repair takes all of it.
    package func noteRoundTrip(_ roundTrip: Interval, epoch: Epoch) {
        guard isCurrent(epoch) else { return }
        source?.roundTrip = roundTrip
        for derivation in derivations { derivation.follow(roundTrip: roundTrip) }
    }

    private func alignSound() {
        guard let video = slots.first(where: { $0.name.kind == .video })?.given?.encodings.first
        else { return }
        for slot in slots where slot.name.kind == .audio {
            for encoding in slot.given?.encodings ?? [] { encoding.align(to: video) }
        }
    }
}
