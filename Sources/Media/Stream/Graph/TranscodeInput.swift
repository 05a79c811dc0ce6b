package import Media

/// Frames on their way to the transcoder, with the formats that hold for them.
package struct TranscodeInput: Sendable {
    package var frames = ItemBatch()
    /// Those that begin within the frames; frames name theirs by its generation.
    package var formats: [Format] = []
    /// Frames left out because the transcoder was too slow for them.
    package var skipped = 0

    package init() {}
}
