/// Every codec the gateway can name. Naming one is not carrying it: which protocol carries what is
/// one table (`Stream/Carriage`), and a refusal quotes it.
package enum Codec: UInt8, CaseIterable, Sendable {
    case h264, h265, av1, vp8, vp9, mjpeg, mpeg4Visual
    case opus, aac, pcma, pcmu, g722, g726, mp2, mp3, ac3, eac3, flac, l16, speex
    case data

    package enum Kind: UInt8, Sendable { case video, audio, data }

    package var kind: Kind {
        switch self {
        case .h264, .h265, .av1, .vp8, .vp9, .mjpeg, .mpeg4Visual: .video
        case .opus, .aac, .pcma, .pcmu, .g722, .g726, .mp2, .mp3, .ac3, .eac3, .flac, .l16, .speex:
            .audio
        case .data: .data
        }
    }

    /// As people write it: in messages, in the API, on the page.
    package var name: String {
        switch self {
        case .h264: "H.264"
        case .h265: "H.265"
        case .av1: "AV1"
        case .vp8: "VP8"
        case .vp9: "VP9"
        case .mjpeg: "MJPEG"
        case .mpeg4Visual: "MPEG-4 Visual"
        case .opus: "Opus"
        case .aac: "AAC"
        case .pcma: "G.711 A-law"
        case .pcmu: "G.711 µ-law"
        case .g722: "G.722"
        case .g726: "G.726"
        case .mp2: "MP2"
        case .mp3: "MP3"
        case .ac3: "AC-3"
        case .eac3: "E-AC-3"
        case .flac: "FLAC"
        case .l16: "L16"
        case .speex: "Speex"
        case .data: "data"
        }
    }
}
