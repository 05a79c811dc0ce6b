/// How to decode an encoding from some index on: codec and parameter sets, with a generation.
///
/// A change in the middle of an epoch makes a new generation; each output says it in its own words
/// (in-band for RTP, a new sequence header for FLV, a new init segment for fMP4).
package struct Format: Equatable, Sendable {
    package var codec: Codec
    /// Ticks per second of the rendition: 90,000 for video, the sample rate for audio; 48,000 for
    /// Opus whatever it says, 8,000 for G.722 whatever it is (RFC 3551 §4.5.2).
    package var clockRate: Int32
    package var generation: UInt16 = 0

    /// Video, from the parameter sets or the key frame; 0: not known yet.
    package var width: Int32 = 0
    package var height: Int32 = 0
    /// Audio.
    package var channels: Int32 = 0
    package var sampleRate: Int32 = 0

    /// H.264: SPS and PPS; H.265: VPS, SPS, PPS. Each without start code or length.
    /// AV1: the sequence header OBU. Empty where the codec has none.
    package var parameterSets: [[UInt8]] = []
    /// AAC: the AudioSpecificConfig. Opus: the identification header's mapping, if it is not
    /// family 0. Empty where the codec has none.
    package var configuration: [UInt8] = []
    /// H.264: profile_idc, constraint flags, level_idc as in `profile-level-id`; others their own.
    package var profile: UInt32 = 0
    /// The encoder may reorder frames: parameter sets or time stamps say so.
    package var mayHaveBFrames = false

    package init(codec: Codec, clockRate: Int32) {
        self.codec = codec
        self.clockRate = clockRate
    }
}
