import Media

/// One place of a stream and what stands in it: what the publisher gives, and what has been
/// derived from it for those who read.
struct Slot {
    let name: SlotName
    /// As announced by the present publisher; nil: the slot is empty.
    var announced: AnnouncedSlot?
    var renditions: [Rendition] = []
    /// One for each layer that is given in packets.
    var intakes: [Intake] = []
    /// What the present publisher has been told of its readers.
    var demand: DemandTold?
    /// What the publisher should change at its encoder, for those who cannot be served now.
    var advice: String?

    func rendition(_ key: RenditionKey) -> Rendition? { renditions.first { $0.key == key } }

    var given: Rendition? { renditions.first { $0.isGiven } }

    /// Something has come in it.
    var hasMedia: Bool { given?.encodings.contains { !$0.history.isEmpty } ?? false }
}
