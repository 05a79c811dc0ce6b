import Codecs
package import Media
package import RTP
package import SDP
package import Stream
import Wire

/// What a payload type of a description is to us.
package struct RTSPPayload: Equatable, Sendable {
    package var payloadType: UInt8
    /// As described; what comes in-band wins.
    package var format: Format
    package var facts = PayloadFacts()
    /// Of the RTP time stamps; the format's own rate may differ where the description is wrong.
    package var clockRate: Int32
    /// FFmpeg's `pcm_s16le`: L16 with its bytes the other way round.
    package var isLittleEndian = false

    /// Other readers of packets take one form of AAC only, and our players' description says which:
    /// everything else is taken apart when it comes.
    package var isNormal: Bool {
        guard format.codec == .aac else { return !isLittleEndian && format.codec != .l16 }
        return !facts.isLATM && facts.sizeLength == 13 && facts.indexLength == 3
            && facts.indexDeltaLength == 3
    }
}

/// One m-line of a camera's or an encoder's description.
package struct RTSPTrack: Equatable, Sendable {
    package var control: String?
    package var kind: SDPMedia.Kind
    /// nil: nothing that we carry. It is still set up for those who insist on it.
    package var slot: SlotName?
    /// Those we can use; the first is active until a packet of another one comes.
    package var payloads: [RTSPPayload] = []
    /// The peer wants to hear it: an ONVIF backchannel.
    package var isBackchannel = false
    /// Why nothing of it is used.
    package var reason: String?

    package init(kind: SDPMedia.Kind) { self.kind = kind }
}

/// What a description offers, in our words. Refuses nothing: who can use none of it says so.
package enum RTSPTracks {
    package static func read(_ description: SDPDescription) -> [RTSPTrack] {
        var numbers: [Codec.Kind: UInt8] = [:]
        // `a=sendonly` of a device means that we may send; some say it of everything they have.
        let isTalk = { (media: SDPMedia) in
            media.kind == .audio && description.direction(of: media) == .sendonly
        }
        let hasMedia = description.medias.contains {
            ($0.kind == .video || $0.kind == .audio)
                && description.direction(of: $0) != .sendonly
        }
        return description.medias.map { media in
            var track = RTSPTrack(kind: media.kind)
            track.control = media.control
            track.isBackchannel = hasMedia && isTalk(media)
            guard let kind = kind(media.kind) else {
                track.reason = "only pictures and sound are taken"
                return track
            }
            track.payloads = media.formats.compactMap { payload($0, media, kind) }
            guard let first = track.payloads.first else {
                let names = media.formats.map { $0.encoding.isEmpty ? "?" : $0.encoding }
                track.reason = "no codec that we know: \(names.joined(separator: ", "))"
                return track
            }
            guard !track.isBackchannel else { return track }
            let number = numbers[first.format.codec.kind, default: 0]
            numbers[first.format.codec.kind] = number + 1
            track.slot = SlotName(first.format.codec.kind, number)
            return track
        }
    }

    private static func kind(_ kind: SDPMedia.Kind) -> Codec.Kind? {
        switch kind {
        case .audio: .audio
        case .video: .video
        case .application, .other: nil
        }
    }

    private static func payload(
        _ format: SDPFormat, _ media: SDPMedia, _ kind: Codec.Kind
    ) -> RTSPPayload? {
        guard let codec = format.codec else { return nameless(format, media, kind) }
        guard codec.kind == kind else { return nil }
        let clock = format.clockRate
        switch codec {
        case .h264, .h265:
            return RTSPPayload(
                payloadType: format.payloadType, format: video(format, codec), clockRate: 90_000)
        case .aac: return aac(format)
        case .opus:
            // Whatever they say: RFC 7587 §4.1 knows one clock.
            let opus = Format(opusChannels: 2)
            return RTSPPayload(
                payloadType: format.payloadType, format: opus, clockRate: opus.clockRate)
        default:
            guard let known = sound(codec, format) else { return nil }
            return RTSPPayload(
                payloadType: format.payloadType, format: known,
                clockRate: clock > 0 ? clock : known.clockRate)
        }
    }

    private static func sound(_ codec: Codec, _ described: SDPFormat) -> Format? {
        let channels = max(1, min(8, described.channels ?? 1))
        switch codec {
        case .pcma, .pcmu:
            let rate = described.clockRate
            return Format(g711: codec, sampleRate: rate > 0 ? rate : 8000, channels: channels)
        case .g722: return .g722
        case .g726:
            // `G726-32`: 8,000 times four bits.
            let rate = described.encoding.split(separator: "-").last.flatMap { UInt32($0) } ?? 32
            return Format(g726Bits: rate / 8)
        case .l16:
            guard described.clockRate > 0 else { return nil }
            var format = Format(codec: .l16, clockRate: described.clockRate)
            (format.sampleRate, format.channels) = (described.clockRate, channels)
            return format
        case .mp2, .mjpeg, .vp8, .vp9, .av1: return Format(codec: codec, clockRate: 90_000)
        default: return nil
        }
    }

    private static func video(_ described: SDPFormat, _ codec: Codec) -> Format {
        let empty = Format(codec: codec, clockRate: 90_000)
        guard let nal = NALCodec(codec) else { return empty }
        var sets = ParameterSets(nal)
        if codec == .h264 {
            sets.note(ParameterSetText.read(described.parameter("sprop-parameter-sets") ?? ""))
        } else {
            let names = ["sprop-vps", "sprop-sps", "sprop-pps"]
            for name in names {
                sets.note(ParameterSetText.read(described.parameter(name) ?? ""))
            }
        }
        // Half of them are of no use; and profile-level-id is not to be believed at all.
        return sets.format ?? empty
    }

    /// Without its configuration nobody can decode it: that payload type is left out, as Dahua's
    /// list of backchannel codecs has some.
    private static func aac(_ described: SDPFormat) -> RTSPPayload? {
        guard let bytes = described.parameter("config").flatMap({ Hex.decode($0) }) else {
            return nil
        }
        var facts = PayloadFacts()
        facts.isLATM = described.encoding.uppercased() == "MP4A-LATM"
        let format: Format?
        if facts.isLATM {
            guard described.parameter("cpresent") == "0" else { return nil }
            format = (try? LATM(config: bytes.raw))?.configuration.flatMap { try? Format($0) }
        } else {
            format = try? Format(aac: bytes.raw)
            facts.sizeLength = number(described, "sizelength") ?? 13
            facts.indexLength = number(described, "indexlength") ?? 3
            facts.indexDeltaLength = number(described, "indexdeltalength") ?? 3
        }
        guard let format else { return nil }
        facts.samplesPerFrame =
            (try? AACConfiguration(format.configuration.raw)).map { Int64($0.samples) } ?? 1024
        return RTSPPayload(
            payloadType: described.payloadType, format: format, facts: facts,
            clockRate: described.clockRate > 0 ? described.clockRate : format.clockRate)
    }

    private static func number(_ described: SDPFormat, _ name: String) -> Int? {
        described.parameter(name).flatMap { Int($0) }.flatMap { (0...32).contains($0) ? $0 : nil }
    }

    /// kbit/s of `b=AS` as FFmpeg writes it for raw PCM, and sample rate and channels behind it.
    private static let rawRates: [UInt64: (Int32, Int32)] = [
        128: (8000, 1), 256: (16_000, 1), 384: (24_000, 1), 512: (32_000, 1), 705: (44_100, 1),
        768: (48_000, 1), 1411: (44_100, 2), 1536: (48_000, 2),
    ]

    /// FFmpeg announces `pcm_s16le` by a dynamic payload type alone.
    private static func nameless(
        _ described: SDPFormat, _ media: SDPMedia, _ kind: Codec.Kind
    ) -> RTSPPayload? {
        guard kind == .audio, described.encoding.isEmpty, described.payloadType >= 96,
            let bits = media.bandwidths.first(where: { $0.type == "AS" })?.value,
            let (rate, channels) = rawRates[bits]
        else { return nil }
        var format = Format(codec: .l16, clockRate: rate)
        (format.sampleRate, format.channels) = (rate, channels)
        return RTSPPayload(
            payloadType: described.payloadType, format: format, clockRate: rate,
            isLittleEndian: true)
    }
}

extension RTSPTrack {
    /// What is announced of a track in its active payload.
    func announcement(_ payload: RTSPPayload) -> AnnouncedSlot? {
        guard let slot else { return nil }
        var announced = AnnouncedSlot(
            slot: slot, format: payload.format, form: payload.isNormal ? .packets : .frames)
        announced.facts = payload.facts
        return announced
    }
}
