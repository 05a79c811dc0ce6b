package import RTP
package import Wire

/// What the configuration says about a stream. The figures are those of numbers.md.
package struct StreamRules: Equatable, Sendable {
    /// Publisher gone: slots and readers are kept this long.
    package var grace = Interval.seconds(15)
    /// The source is started by us when somebody wants it.
    package var isOnDemand = false
    /// On-demand sources are stopped so long after the last reader.
    package var stopAfter = Interval.seconds(20)
    /// After the first media, other announced slots are waited for no longer than this.
    package var readyAfter = Interval.seconds(2)

    /// Sound is made into another codec for those who cannot play it as it comes.
    package var convertsSound = true

    /// What becomes of B-frames in packets that we make or shape.
    package var bFrames = BFramePolicy.drop
    /// What follows a loss that nobody repairs.
    package var onLoss = PacketShaper.LossPolicy.proceed

    package init() {}

    /// Slots of one publisher: one video, a few languages, one of data, and room.
    static let slotMaximum = 16
    /// Simulcast has three layers in every browser.
    static let layerMaximum = 8
}
