import Media
package import Stream

/// What a viewer's decoders were told last of each slot.
package struct SentFormats: Sendable {
    private struct Told: Equatable, Sendable {
        var codec: Codec
        var generation: UInt16
    }

    private var video: Told?
    private var audio: Told?

    package init() {}

    /// What was said at the start holds for the first items.
    package mutating func note(_ present: [PresentSlot]) {
        for entry in present {
            let told = Told(codec: entry.format.codec, generation: entry.format.generation)
            if entry.slot.kind == .video { video = told } else { audio = told }
        }
    }

    /// Whether something was said of the slot at all.
    package func has(_ slot: SlotName) -> Bool { (slot.kind == .video ? video : audio) != nil }

    /// - Returns: Whether a decoder must be told before this item.
    package mutating func change(to item: borrowing ReadItem) -> Bool {
        let told = Told(
            codec: item.era.format.codec, generation: item.meta.formatGeneration)
        // Another publisher may count its formats from the same number.
        let isNew =
            item.jump == .epoch || (item.slot.kind == .video ? video : audio) != told
        if item.slot.kind == .video { video = told } else { audio = told }
        return isNew
    }
}
