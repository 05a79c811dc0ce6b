import Media
import SDP

/// How a payload type is answered, and what to say when none is left.
extension AnswerWriter {
    /// Parameters that describe the stream and so must match; all others are the offerer's own
    /// wishes as a receiver.
    private static let echoed: Set<String> = [
        "profile-level-id", "packetization-mode", "level-asymmetry-allowed", "profile-id",
        "profile", "level-idx", "tier", "tier-flag", "level-id", "tx-mode",
    ]

    /// Stereo both ways: browsers play and send mono unless it is said.
    private static let opus = [
        SDPParameter("minptime", "10"), SDPParameter("useinbandfec", "1"),
        SDPParameter("stereo", "1"), SDPParameter("sprop-stereo", "1"),
    ]

    static func format(_ codec: OfferedCodec, for media: OfferedMedia) -> SDPFormat {
        var format = SDPFormat(
            payloadType: codec.format.payloadType, encoding: codec.format.encoding,
            clockRate: codec.format.clockRate, channels: codec.format.channels)
        if codec.codec == .opus {
            format.parameters = opus
        } else {
            format.parameters = codec.format.parameters.filter {
                echoed.contains($0.name.lowercased())
            }
        }
        let feedback = feedback(codec.format)
        for known in NegotiatedCodec.Feedback.known where feedback.contains(known.value) {
            format.feedback.append(known.text)
        }
        return format
    }

    static func rtx(_ offered: SDPFormat) -> SDPFormat {
        var rtx = SDPFormat(
            payloadType: offered.payloadType, encoding: "rtx", clockRate: offered.clockRate)
        rtx.parameters = offered.parameters.filter { $0.name.lowercased() == "apt" }
        return rtx
    }

    static func negotiated(_ codec: OfferedCodec) -> NegotiatedCodec {
        let profile =
            codec.codec == .h264
            ? H264Profile(codec.format.parameter("profile-level-id")) : nil
        return NegotiatedCodec(
            codec: codec.codec, payloadType: codec.format.payloadType,
            rtx: codec.rtx?.payloadType, clockRate: codec.format.clockRate, profile: profile,
            feedback: feedback(codec.format))
    }

    private static func feedback(_ format: SDPFormat) -> NegotiatedCodec.Feedback {
        var feedback: NegotiatedCodec.Feedback = []
        for known in NegotiatedCodec.Feedback.known where format.feedback.contains(known.text) {
            feedback.insert(known.value)
        }
        // One way to estimate bandwidth is enough, and this is the better one.
        if feedback.contains(.transportCC) { feedback.remove(.remb) }
        return feedback
    }

    /// Names the codecs of both sides and what to do.
    func noCodec(_ media: OfferedMedia, for stream: Codec?) -> NegotiationError {
        let theirs = media.names.isEmpty ? "nothing known" : media.names.joined(separator: ", ")
        if let stream {
            return NegotiationError(
                .noCommonCodec,
                "the stream's \(media.kind.text) is \(stream.name), the player offers \(theirs): "
                    + "publish H.264 or VP8, or play the stream by HLS or FLV")
        }
        let ours = (media.kind == .video ? CodecChoice.video : CodecChoice.audio).map(\.name)
        let advice = media.kind == .video ? "H.264" : "Opus"
        return NegotiationError(
            .noCommonCodec,
            "the gateway takes \(ours.joined(separator: ", ")) \(media.kind.text), the publisher "
                + "offers \(theirs): choose \(advice) in the encoder")
    }

    /// Every m-line was refused.
    func nothingInCommon() -> NegotiationError {
        let theirs = Set(offer.medias.flatMap(\.names)).sorted().joined(separator: ", ")
        return NegotiationError(
            .noCommonCodec,
            "nothing to \(offer.role.rawValue): the stream has no track for the offered m-lines "
                + "(\(theirs.isEmpty ? "no codecs" : theirs))")
    }
}
