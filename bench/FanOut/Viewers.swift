import Crypto
import ICE
import Media
import RTP
import Stream
import Wire

/// A stream and a viewer as all rows have them: pictures with RTX, transport-wide numbers and what
/// else Chrome agrees to.
enum Viewers {
    static var publication: Publication {
        let slot = AnnouncedSlot(
            slot: .video, format: Format(codec: .vp8, clockRate: 90_000), form: .packets)
        var publication = Publication(
            principal: .configured, protocolName: "bench", slots: [slot])
        publication.answersNACK = true
        return publication
    }

    static let purpose = RTCPurpose.play(
        name: "b", Credential(), Subscription(wants: [], rule: .realTime))

    static func negotiated(
        _ number: Int, local: ICECredentials = ICECredentials(ufrag: "a", password: "b"),
        remote: ICECredentials = ICECredentials(ufrag: "c", password: "d"),
        fingerprints: [Fingerprint] = []
    ) -> NegotiatedSession {
        var extensions = HeaderExtensions()
        (extensions.mid, extensions.transportCC) = (1, 3)
        (extensions.absCaptureTime, extensions.playoutDelay) = (4, 5)
        let codec = NegotiatedCodec(
            codec: .vp8, payloadType: 96, rtx: 97, clockRate: 90_000, profile: nil,
            feedback: .nack)
        var video = NegotiatedMedia(
            mid: "0", codecs: [codec], extensions: extensions, isRTCPReducedSize: true)
        (video.ssrc, video.rtxSSRC) = (UInt32(2 * number + 1), UInt32(2 * number + 2))
        return NegotiatedSession(
            role: .play, local: local, remote: remote, dtls: .server, fingerprints: fingerprints,
            video: video, cname: "bench", omitsMidOnRTX: false)
    }
}
