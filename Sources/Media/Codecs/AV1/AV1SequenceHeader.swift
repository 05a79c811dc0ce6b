package import Wire

/// The sequence header of AV1 (§5.5): profile, level, size, depth and colour.
package struct AV1SequenceHeader: Equatable, Sendable {
    package var profile: UInt8
    package var level: UInt8 = 0
    package var isHighTier = false
    package var isStillPicture: Bool
    package var isReduced: Bool
    package var width = 0
    package var height = 0
    package var bitDepth = 8
    package var isMonochrome = false
    package var subsamplesWidth = true
    package var subsamplesHeight = true
    package var chromaPosition: UInt8 = 0
    package var signal = VideoSignal()
    package var frameRate: FrameRate?

    /// - Parameter payload: Of the unit, without its header and size.
    package init(_ payload: RawSpan) throws(ParseError) {
        var bits = BitReader(payload)
        profile = UInt8(try bits.read(3))
        guard profile <= 2 else { throw .invalid("seq_profile", value: UInt64(profile), at: 0) }
        isStillPicture = try bits.flag()
        isReduced = try bits.flag()
        if isReduced {
            level = UInt8(try bits.read(5))
        } else {
            try readOperatingPoints(&bits)
        }
        try readSize(&bits)
        if !isReduced, try bits.flag() { try bits.skip(7) }  // Frame id lengths.
        try bits.skip(3)
        if !isReduced { try Self.skipTools(&bits) }
        try bits.skip(3)
        try readColour(&bits)
        try bits.skip(1)  // film_grain_params_present
    }

    private mutating func readOperatingPoints(_ bits: inout BitReader) throws(ParseError) {
        var delayBits: Int?
        if try bits.flag() {
            let unitsInTick = try bits.read(32)
            let timeScale = try bits.read(32)
            if try bits.flag() {
                let ticks = try bits.golomb("num_ticks_per_picture_minus_1", atMost: 1 << 32)
                frameRate = FrameRate(timeScale, over: unitsInTick &* UInt64(ticks + 1))
            }
            if try bits.flag() {
                delayBits = 1 + (try bits.bits(5))
                try bits.skip(32 + 5 + 5)
            }
        }
        let hasDisplayDelay = try bits.flag()
        for point in 0...(try bits.bits(5)) {
            try bits.skip(12)  // operating_point_idc
            let pointLevel = UInt8(try bits.read(5))
            let pointTier = pointLevel > 7 ? try bits.flag() : false
            if point == 0 {
                level = pointLevel
                isHighTier = pointTier
            }
            if let delayBits, try bits.flag() { try bits.skip(2 * delayBits + 1) }
            if hasDisplayDelay, try bits.flag() { try bits.skip(4) }
        }
    }

    private mutating func readSize(_ bits: inout BitReader) throws(ParseError) {
        let widthBits = 1 + (try bits.bits(4))
        let heightBits = 1 + (try bits.bits(4))
        width = 1 + (try bits.bits(widthBits))
        height = 1 + (try bits.bits(heightBits))
        guard PictureSize.range.contains(width), PictureSize.range.contains(height) else {
            throw .tooMuch("picture size", limit: PictureSize.range.upperBound)
        }
    }

    private static func skipTools(_ bits: inout BitReader) throws(ParseError) {
        try bits.skip(4)
        let hasOrderHint = try bits.flag()
        if hasOrderHint { try bits.skip(2) }
        // Screen content tools: chosen per frame, or forced on or off for all.
        let choosesTools = try bits.flag()
        let mayHaveTools = choosesTools ? true : try bits.flag()
        if mayHaveTools, try !bits.flag() { try bits.skip(1) }
        if hasOrderHint { try bits.skip(3) }
    }

    /// §5.5.2.
    private mutating func readColour(_ bits: inout BitReader) throws(ParseError) {
        let isHighDepth = try bits.flag()
        bitDepth = isHighDepth ? 10 : 8
        if profile == 2, isHighDepth, try bits.flag() { bitDepth = 12 }
        isMonochrome = profile == 1 ? false : try bits.flag()
        if try bits.flag() {
            signal.colourPrimaries = UInt8(try bits.read(8))
            signal.transferCharacteristics = UInt8(try bits.read(8))
            signal.matrixCoefficients = UInt8(try bits.read(8))
        }
        let isSRGB =
            signal.colourPrimaries == 1 && signal.transferCharacteristics == 13
            && signal.matrixCoefficients == 0
        if isSRGB && !isMonochrome {
            signal.isFullRange = true
            subsamplesWidth = false
            subsamplesHeight = false
        } else {
            signal.isFullRange = try bits.flag()
            guard !isMonochrome else { return }
            try readSubsampling(&bits)
        }
        try bits.skip(1)  // separate_uv_delta_q
    }

    private mutating func readSubsampling(_ bits: inout BitReader) throws(ParseError) {
        if profile == 1 {
            subsamplesWidth = false
        } else if profile == 2 && bitDepth == 12 {
            subsamplesWidth = try bits.flag()
        }
        subsamplesHeight = profile == 0
        if profile == 2, bitDepth == 12, subsamplesWidth { subsamplesHeight = try bits.flag() }
        if subsamplesWidth && subsamplesHeight { chromaPosition = UInt8(try bits.read(2)) }
    }
}
