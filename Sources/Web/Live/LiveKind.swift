package import Containers
import Media
package import Stream
package import Wire

/// In which container a stream is sent, frame by frame, over HTTP or WebSocket.
package enum LiveKind: Equatable, Sendable {
    case flv(FLVDialect)
    /// Opus stays Opus where the player asks for that; all others get AAC.
    case fmp4(takesOpus: Bool)
    case transportStream

    package var output: Output {
        switch self {
        case .flv: .flv
        case .fmp4: .fmp4
        case .transportStream: .mpegTS
        }
    }

    package var contentType: String {
        switch self {
        case .flv: "video/x-flv"
        case .fmp4: "video/mp4"
        case .transportStream: "video/mp2t"
        }
    }

    /// What viewers of this kind read.
    package func subscription(patience: Interval) -> Subscription {
        switch self {
        // mpegts.js takes no VP9.
        case .flv:
            OutletStart.subscription(video: [.h264, .h265, .av1], patience: patience)
        case .fmp4(let takesOpus):
            OutletStart.subscription(
                video: [.h264, .h265, .av1, .vp9], audio: takesOpus ? [.aac, .opus] : [.aac],
                patience: patience)
        case .transportStream:
            OutletStart.subscription(
                video: [.h264, .h265], audio: [.aac, .mp3, .mp2, .ac3, .eac3],
                patience: patience)
        }
    }
}
