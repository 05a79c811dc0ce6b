import Codecs
package import Media

/// Where media goes out, as far as it matters for what can be carried.
package enum Output: String, CaseIterable, Sendable {
    case webrtc = "WebRTC"
    case rtsp = "RTSP"
    case rtmp = "RTMP"
    case flv = "HTTP-FLV"
    case mpegTS = "MPEG-TS"
    case hls = "HLS"
    case fmp4 = "fMP4"
    case gb28181 = "GB28181"
}

/// Which codec goes out where: one table, so that every refusal, answer and page says the same.
package enum Carriage: Equatable, Sendable {
    case carried
    /// Audio only: by way of another codec, made once per stream.
    case transcoded(to: Codec)
    case refused(fix: String)

    package init(_ codec: Codec, to output: Output) {
        if Self.carried(by: output).contains(codec) {
            self = .carried
        } else if let target = Self.transcodeTarget(of: output),
            Self.canTranscode(codec, to: target)
        {
            self = .transcoded(to: target)
        } else {
            self = .refused(fix: Self.fix(codec, output))
        }
    }

    /// The refusal that a viewer gets, with what would help.
    package static func refusal(_ codec: Codec, to output: Output) -> Refusal? {
        guard case .refused(let fix) = Carriage(codec, to: output) else { return nil }
        return Refusal(
            .unsupportedCodec, "\(output.rawValue) cannot carry \(codec.name): \(fix)")
    }

    /// The codecs that a reader of this output takes of a stream in `codec`, best first.
    package static func codecs(for codec: Codec, to output: Output) -> [Codec] {
        switch Carriage(codec, to: output) {
        case .carried: [codec]
        case .transcoded(let target): [target]
        case .refused: []
        }
    }

    /// Frames of one codec can be made of the other's.
    package static func canTranscode(_ codec: Codec, to target: Codec) -> Bool {
        codec != target && Format.decodableSound.contains(codec)
            && Format.encodableSound.contains(target)
    }

    private static func carried(by output: Output) -> Set<Codec> {
        switch output {
        case .webrtc: [.h264, .h265, .av1, .vp8, .vp9, .opus, .pcma, .pcmu, .g722, .data]
        case .rtsp:
            [.h264, .h265, .av1, .vp8, .vp9, .mjpeg, .opus, .aac, .pcma, .pcmu, .g722, .mp2]
        // Enhanced RTMP where the peer says so; players that do not are refused by the session.
        case .rtmp: [.h264, .h265, .av1, .vp9, .aac, .mp3]
        case .flv: [.h264, .h265, .av1, .aac, .mp3]
        case .mpegTS: [.h264, .h265, .aac, .mp2, .mp3, .ac3, .eac3]
        // Segments are fMP4 where the codec is not one of MPEG-TS.
        case .hls: [.h264, .h265, .av1, .vp9, .aac, .mp3]
        case .fmp4: [.h264, .h265, .av1, .vp9, .aac, .opus, .mp3, .flac]
        case .gb28181: [.h264, .h265, .aac, .pcma, .pcmu, .g722]
        }
    }

    private static func transcodeTarget(of output: Output) -> Codec? {
        switch output {
        case .webrtc: .opus
        case .rtsp, .rtmp, .flv, .mpegTS, .hls, .fmp4: .aac
        case .gb28181: nil
        }
    }

    private static func fix(_ codec: Codec, _ output: Output) -> String {
        switch codec {
        case .vp8, .vp9, .av1, .h265:
            "publish H.264 (for WHIP, webrtc.prefer: h264 makes browsers do so)"
        case .mjpeg, .mpeg4Visual: "set the camera to H.264"
        case .data: "data channels exist between WebRTC peers only"
        case .h264: "no way is known"
        default: "publish AAC, Opus or G.711"
        }
    }
}
