package import Media
package import Wire

/// A stream as its viewers see it: at its home, or by relay at another worker.
///
/// Asked when viewers come, go and wish for a key frame; what they read, they read from the
/// rendition itself.
package protocol ReadableStream: AnyObject {
    /// The rendition for a viewer: the first of its codecs that this stream has or can make. Nil
    /// while the slot is empty, or if none can be had; to be asked again after `.changed`.
    func open(
        _ want: Subscription.Want, at now: Instant, into orders: inout Orders
    ) -> Rendition?

    /// A viewer leaves; what it lost is added to the rendition's figures.
    func close(
        _ rendition: Rendition, _ figures: ReaderFigures, at now: Instant,
        into orders: inout Orders)

    /// A viewer needs a key frame; many are one request.
    func requestKey(
        _ id: EncodingID, of rendition: Rendition, at now: Instant, into orders: inout Orders)

    /// The most that a viewer can use; nil takes it back, which goes before `close`. Who never says
    /// anything may need everything.
    ///
    /// - Parameter reader: Its number among the readers of the rendition.
    func setDemand(
        _ demand: Demand?, of rendition: Rendition, by reader: UInt64, at now: Instant,
        into orders: inout Orders)

    /// What the publisher gives in a slot now; nil: the slot is empty.
    func codec(in slot: SlotName) -> Codec?

    /// The publisher sends a key frame when asked.
    var answersPLI: Bool { get }
}
