package import Media
import SDP

/// Which of the offered payload types are answered, and in which order.
package enum CodecChoice {
    /// What RTP to and from browsers can carry. Order of preference for publishers: H.264 reaches
    /// every output without transcoding.
    package static let video: [Codec] = [.h264, .h265, .vp8, .vp9, .av1]
    package static let audio: [Codec] = [.opus, .pcma, .pcmu, .g722]

    /// The payload types of an m-line that we carry, in its order, each with its RTX.
    static func carried(_ media: SDPMedia) -> [OfferedCodec] {
        let wanted: [Codec] =
            switch media.kind {
            case .video: video
            case .audio: audio
            default: []
            }
        return media.formats.compactMap { format in
            guard let codec = format.codec, wanted.contains(codec), isUsable(format, codec) else {
                return nil
            }
            let rtx = media.formats.first { $0.repairs == format.payloadType }
            return OfferedCodec(codec: codec, format: format, rtx: rtx)
        }
    }

    /// Clock rates are fixed by the payload formats; anything else is another thing of that name.
    private static func isUsable(_ format: SDPFormat, _ codec: Codec) -> Bool {
        // RTCP types and the first byte's demultiplexing rule out 64 to 95 (RFC 5761 §4).
        guard !(64...95).contains(format.payloadType) else { return false }
        switch codec {
        case .opus: return format.clockRate == 48_000
        case .pcma, .pcmu, .g722: return format.clockRate == 8000
        case .h264:
            return format.clockRate == 90_000
                && H264Profile(format.parameter("profile-level-id")) != nil
        default: return format.clockRate == 90_000
        }
    }

    static func names(_ media: SDPMedia) -> [String] {
        var names: [String] = []
        for format in media.formats.prefix(64) {
            let name = format.codec?.name ?? String(format.encoding.prefix(20))
            if !name.isEmpty, !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// For a publisher: all we can take, `prefer` first, else in our order; Chrome sends the first.
    static func forPublisher(_ media: OfferedMedia, prefer: [Codec]) -> [OfferedCodec] {
        let order = prefer + (media.kind == .video ? video : audio)
        return sorted(media) { item in
            [order.firstIndex(of: item.codec) ?? order.count]
        }
    }

    /// For a player: what the stream has now, then everything else we could have later, in the
    /// player's own order.
    ///
    /// - Parameter format: What the slot carries; `nil`: nothing yet.
    static func forPlayer(_ media: OfferedMedia, _ format: Format?) -> [OfferedCodec] {
        let isH264 = format?.codec == .h264
        let profile = isH264 ? H264Profile(profileLevelID: format?.profile ?? 0) : nil
        let order = (profile ?? .constrainedBaseline).order
        return sorted(media) { item in
            let isPresent = item.codec == format?.codec
            let group = media.codecs.firstIndex { $0.codec == item.codec } ?? 0
            let own = H264Profile(item.format.parameter("profile-level-id")) ?? .baseline
            let place = item.codec == .h264 ? order.firstIndex(of: own) ?? order.count : 0
            return [isPresent ? -1 : group, place]
        }
    }

    /// By rank, then as offered. Packetization mode 0 cannot split a picture into packets: it is
    /// only for who offers nothing else.
    private static func sorted(
        _ media: OfferedMedia, by rank: (OfferedCodec) -> [Int]
    ) -> [OfferedCodec] {
        let hasMode1 = media.codecs.contains {
            $0.codec == .h264 && $0.format.packetizationMode == 1
        }
        let usable = media.codecs.filter {
            $0.codec != .h264 || !hasMode1 || $0.format.packetizationMode == 1
        }
        let ranked = usable.enumerated().map { (rank: rank($1) + [$0], item: $1) }
        return ranked.sorted { $0.rank.lexicographicallyPrecedes($1.rank) }.map(\.item)
    }
}
