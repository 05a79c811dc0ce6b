package import Media
package import Wire

extension Format {
    /// 90 kHz is the clock of all video in RTP, PES and our frames.
    static let videoClockRate: Int32 = 90_000

    /// - Parameter sequence: The sequence parameter set in use, one of `parameterSets`.
    package init(h264 sequence: [UInt8], parameterSets: [[UInt8]]) throws(ParseError) {
        let set = try H264SequenceParameterSet(sequence.raw)
        self.init(codec: .h264, clockRate: Self.videoClockRate)
        width = Int32(set.width)
        height = Int32(set.height)
        profile = set.profileLevelID
        mayHaveBFrames = set.reordering == .present
        self.parameterSets = parameterSets
    }

    /// `profile` holds tier, profile_idc and level_idc, a byte each.
    package init(h265 sequence: [UInt8], parameterSets: [[UInt8]]) throws(ParseError) {
        let set = try H265SequenceParameterSet(sequence.raw)
        self.init(codec: .h265, clockRate: Self.videoClockRate)
        width = Int32(set.width)
        height = Int32(set.height)
        profile = (set.profile.isHighTier ? 0x1_0000 : 0)
        profile |= UInt32(set.profile.profile) << 8 | UInt32(set.profile.level)
        mayHaveBFrames = set.reordering == .present
        self.parameterSets = parameterSets
    }

    /// `nil` while the record lacks a kind of set: they will come in-band.
    package init?(_ configuration: AVCConfiguration) {
        var sets = ParameterSets(.h264)
        sets.note(configuration.sequenceSets)
        sets.note(configuration.pictureSets)
        guard let format = sets.format else { return nil }
        self = format
    }

    package init?(_ configuration: HEVCConfiguration) {
        var sets = ParameterSets(.h265)
        sets.note(configuration.videoSets)
        sets.note(configuration.sequenceSets)
        sets.note(configuration.pictureSets)
        guard let format = sets.format else { return nil }
        self = format
    }

    /// The configuration record of this format, for MP4, FLV and RTMP.
    package var avcConfiguration: AVCConfiguration? {
        guard codec == .h264 else { return nil }
        var sets = ParameterSets(.h264)
        sets.note(parameterSets)
        guard sets.isComplete else { return nil }
        return AVCConfiguration(sequenceSets: sets.sequenceSets, pictureSets: sets.pictureSets)
    }

    package var hevcConfiguration: HEVCConfiguration? {
        guard codec == .h265 else { return nil }
        var sets = ParameterSets(.h265)
        sets.note(parameterSets)
        guard sets.isComplete else { return nil }
        return HEVCConfiguration(
            videoSets: sets.videoSets, sequenceSets: sets.sequenceSets,
            pictureSets: sets.pictureSets)
    }
}
