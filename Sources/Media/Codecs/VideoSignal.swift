/// What a video sequence says of itself beside its size: the same facts in H.264, H.265, VP9 and
/// AV1, in the code points of H.273 that all of them share.
package struct VideoSignal: Equatable, Sendable {
    package var colourPrimaries: UInt8 = 2  // 2: unspecified.
    package var transferCharacteristics: UInt8 = 2
    package var matrixCoefficients: UInt8 = 2
    package var isFullRange = false

    package init() {}
}

/// How many pictures a second, as a fraction; only if the stream says it.
package struct FrameRate: Equatable, Sendable {
    package var numerator: UInt32
    package var denominator: UInt32

    /// `nil` for what no camera or encoder means: zero, or above 1,000 pictures a second.
    package init?(_ numerator: UInt64, over denominator: UInt64) {
        guard denominator > 0, numerator > 0, numerator / denominator <= 1000,
            let numerator = UInt32(exactly: numerator),
            let denominator = UInt32(exactly: denominator)
        else { return nil }
        self.numerator = numerator
        self.denominator = denominator
    }

    package var perSecond: Double { Double(numerator) / Double(denominator) }
}

/// Whether pictures come in another order than they are shown. Not every stream says it.
package enum Reordering: UInt8, Sendable { case none, present, unknown }

/// The sizes we believe. Larger pictures exist in no codec level; they come from broken or hostile
/// parameter sets, and memory must not follow them.
package enum PictureSize {
    package static let range = 1...16_384
}
