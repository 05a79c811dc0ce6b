import Codecs
package import Media
import SDP
package import Stream
package import Wire

/// The description that our players get (RFC 2326 §C, and the payload formats' own).
package enum RTSPDescription {
    package struct Track: Equatable, Sendable {
        package var slot: SlotName
        package var format: Format
        package var payloadType: UInt8

        /// Ticks of the RTP time stamps.
        package var clockRate: Int32 { format.clockRate }
    }

    /// What players of ours may read, as it came if it can be carried.
    package static func subscription(patience: Interval) -> Subscription {
        Subscription(
            wants: [
                .init(
                    slot: .video, codecs: [.h264, .h265, .av1, .vp8, .vp9, .mjpeg],
                    form: .packets),
                .init(
                    slot: .audio, codecs: [.aac, .opus, .pcma, .pcmu, .g722, .mp2],
                    form: .packets),
            ], rule: .connection, patience: patience)
    }

    package static func tracks(_ present: [PresentSlot]) -> [Track] {
        present.enumerated().map { index, slot in
            let codec = slot.format.codec
            let isStandard = slot.format.clockRate == 8000 && slot.format.channels <= 1
            let type: UInt8 =
                switch codec {
                case .pcmu where isStandard: 0
                case .pcma where isStandard: 8
                case .g722: 9
                case .mp2: 14
                case .mjpeg: 26
                default: 96 + UInt8(index)
                }
            return Track(slot: slot.slot, format: slot.format, payloadType: type)
        }
    }

    package static func write(_ tracks: [Track], name: String, sessionID: String) -> [UInt8] {
        var description = SDPDescription()
        description.origin.sessionID = sessionID
        description.origin.version = "1"
        description.name = name
        // A multicast address here would make VLC join it.
        description.connection = "0.0.0.0"
        description.control = "*"
        description.attributes = [SDPAttribute("range", "npt=0-")]
        description.medias = tracks.enumerated().map { index, track in
            var media = SDPMedia(
                kind: track.slot.kind == .video ? .video : .audio, port: 0, proto: "RTP/AVP")
            media.control = "trackID=\(index)"
            media.formats = [format(track)]
            return media
        }
        return SDPWriter.write(description)
    }

    private static func format(_ track: Track) -> SDPFormat {
        let format = track.format
        var described = SDPFormat(
            payloadType: track.payloadType, encoding: name(format.codec),
            clockRate: track.clockRate)
        if track.slot.kind == .audio, format.codec != .mp2 {
            described.channels = format.codec == .opus ? 2 : max(1, format.channels)
        }
        described.parameters = parameters(format)
        return described
    }

    private static func name(_ codec: Codec) -> String {
        switch codec {
        case .h264: "H264"
        case .h265: "H265"
        case .av1: "AV1"
        case .vp8: "VP8"
        case .vp9: "VP9"
        case .mjpeg: "JPEG"
        case .opus: "opus"
        case .aac: "MPEG4-GENERIC"
        case .pcma: "PCMA"
        case .pcmu: "PCMU"
        case .g722: "G722"
        case .mp2: "MPA"
        case .mpeg4Visual, .g726, .mp3, .ac3, .eac3, .flac, .l16, .speex, .data: codec.name
        }
    }

    private static func parameters(_ format: Format) -> [SDPParameter] {
        switch format.codec {
        case .h264: return h264(format)
        case .h265:
            var sets = ParameterSets(.h265)
            sets.note(format.parameterSets)
            // One of them alone is of no use to anybody.
            guard sets.isComplete else { return [] }
            return [
                SDPParameter("sprop-vps", ParameterSetText.write(sets.videoSets)),
                SDPParameter("sprop-sps", ParameterSetText.write(sets.sequenceSets)),
                SDPParameter("sprop-pps", ParameterSetText.write(sets.pictureSets)),
            ]
        case .aac:
            return [
                SDPParameter("streamtype", "5"), SDPParameter("profile-level-id", "1"),
                SDPParameter("mode", "AAC-hbr"), SDPParameter("sizelength", "13"),
                SDPParameter("indexlength", "3"), SDPParameter("indexdeltalength", "3"),
                SDPParameter("config", Hex.encode(format.configuration.raw)),
            ]
        case .opus: return [SDPParameter("sprop-stereo", format.channels > 1 ? "1" : "0")]
        default: return []
        }
    }

    private static func h264(_ format: Format) -> [SDPParameter] {
        var parameters = [SDPParameter("packetization-mode", "1")]
        guard !format.parameterSets.isEmpty else { return parameters }
        parameters.append(
            SDPParameter("sprop-parameter-sets", ParameterSetText.write(format.parameterSets)))
        let hex = String(format.profile, radix: 16, uppercase: true)
        parameters.append(
            SDPParameter(
                "profile-level-id", String(repeating: "0", count: max(0, 6 - hex.count)) + hex))
        return parameters
    }
}
