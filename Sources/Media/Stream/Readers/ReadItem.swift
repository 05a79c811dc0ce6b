package import Media
package import Wire

/// One item on its way to a viewer on a connection, lent for the call.
package struct ReadItem: ~Escapable {
    package let bytes: RawSpan
    /// The same bytes in memory that all viewers of this worker share, for sessions that ask for
    /// it: they queue it without a copy. Nil: too small to be worth it.
    package let chunk: Chunk?
    package let meta: ItemMeta
    /// Whose format holds for this item.
    package let era: Encoding.FormatEra
    /// Where it lies: what is made of an item once is found by this for every viewer.
    package let encoding: EncodingID
    package let index: Int64
    package let slot: SlotName
    package let channel: ChannelID
    /// The item does not follow the one before it.
    package let jump: Jump?
    /// When it was taken: by this, slots lie to each other as they did before the lens.
    package let capture: Instant

    @_lifetime(copy bytes)
    package init(
        _ bytes: RawSpan, chunk: Chunk? = nil, _ meta: ItemMeta, _ era: Encoding.FormatEra,
        at index: Int64, of encoding: EncodingID, slot: SlotName, channel: ChannelID,
        jump: Jump?, capture: Instant
    ) {
        self.bytes = bytes
        self.chunk = chunk
        self.meta = meta
        self.era = era
        self.index = index
        self.encoding = encoding
        self.slot = slot
        self.channel = channel
        self.jump = jump
        self.capture = capture
    }
}

extension ReadItem {
    /// The one that holds for this item.
    package var format: Format { era.format }
}

/// A slot in which there is something to be read now, and what it is.
package struct PresentSlot: Equatable, Sendable {
    package var slot: SlotName
    package var format: Format

    package init(slot: SlotName, format: Format) {
        self.slot = slot
        self.format = format
    }
}
