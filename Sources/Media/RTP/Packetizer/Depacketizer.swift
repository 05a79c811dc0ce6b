import Codecs
package import Media
package import Wire

/// What an SDP says of a payload format, beyond its name.
package struct PayloadFacts: Equatable, Sendable {
    /// `mpeg4-generic` (RFC 3640 §4.1): 13, 3, 3 in the AAC-hbr mode, which all cameras use.
    package var sizeLength = 13
    package var indexLength = 3
    package var indexDeltaLength = 3
    /// Samples of an AAC access unit: 1,024, or 960; twice that if the clock counts SBR samples.
    package var samplesPerFrame: Int64 = 1024
    /// `MP4A-LATM` (RFC 6416) instead of `mpeg4-generic`.
    package var isLATM = false

    package init() {}
}

/// Takes RTP payloads apart, in order and without gaps, and lays what is in them into a frame in
/// the making. Where a frame ends is not its business, but for audio, where the payload says it.
package struct Depacketizer: Sendable {
    private enum Kind { case nal(NALCodec), vp8, vp9, av1, aac, latm, mpegAudio, jpeg, whole }

    private let kind: Kind
    private let facts: PayloadFacts
    private var jpeg = JPEGPayload()

    /// `nil` for a codec whose payload format nobody here reads.
    package init?(codec: Codec, facts: PayloadFacts = PayloadFacts()) {
        switch codec {
        case .h264: kind = .nal(.h264)
        case .h265: kind = .nal(.h265)
        case .vp8: kind = .vp8
        case .vp9: kind = .vp9
        case .av1: kind = .av1
        case .aac: kind = facts.isLATM ? .latm : .aac
        case .mp2, .mp3: kind = .mpegAudio
        case .mjpeg: kind = .jpeg
        case .opus, .pcma, .pcmu, .g722, .g726, .l16, .speex: kind = .whole
        case .mpeg4Visual, .ac3, .eac3, .flac, .data: return nil
        }
        self.facts = facts
    }

    /// A packet without payload is a probe or a keep-alive: nothing.
    package mutating func append(
        _ payload: RawSpan, marker: Bool, to draft: inout FrameDraft
    ) throws(ParseError) {
        guard payload.byteCount > 0 else { return }
        switch kind {
        case .nal(let nal): try NALPayload.depacketize(payload, nal, to: &draft)
        case .vp8: try VP8Payload.depacketize(payload, to: &draft)
        case .vp9: try VP9Payload.depacketize(payload, to: &draft)
        case .av1: try AV1Payload.depacketize(payload, to: &draft)
        case .aac: try AACPayload.depacketize(payload, marker: marker, facts, to: &draft)
        case .latm: try LATMPayload.depacketize(payload, marker: marker, facts, to: &draft)
        case .mpegAudio: try MPEGAudio.depacketize(payload, to: &draft)
        case .jpeg: try jpeg.depacketize(payload, marker: marker, to: &draft)
        case .whole:
            try draft.append(payload)
            draft.cuts.append(FrameDraft.Cut(end: draft.bytes.count, ticks: 0))
        }
    }
}
