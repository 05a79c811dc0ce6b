package import Crypto
package import Media
import SDP

/// What offer and answer have settled: all that a session needs to know of them.
package struct NegotiatedSession: Sendable {
    package enum DTLSRole: Sendable { case server, client }

    package var role: Offer.Role
    package var local: ICECredentials
    package var remote: ICECredentials
    package var dtls: DTLSRole
    package var fingerprints: [Fingerprint]
    package var audio: NegotiatedMedia?
    package var video: NegotiatedMedia?
    package var channel: NegotiatedChannel?
    /// RTCP name of what we send.
    package var cname: String
    /// Firefox cannot play a stream whose RTX packets carry the mid extension.
    package var omitsMidOnRTX: Bool

    package init(
        role: Offer.Role, local: ICECredentials, remote: ICECredentials, dtls: DTLSRole,
        fingerprints: [Fingerprint], audio: NegotiatedMedia? = nil,
        video: NegotiatedMedia? = nil, channel: NegotiatedChannel? = nil, cname: String,
        omitsMidOnRTX: Bool
    ) {
        self.role = role
        self.local = local
        self.remote = remote
        self.dtls = dtls
        self.fingerprints = fingerprints
        self.audio = audio
        self.video = video
        self.channel = channel
        self.cname = cname
        self.omitsMidOnRTX = omitsMidOnRTX
    }
}

package struct NegotiatedMedia: Equatable, Sendable {
    package var mid: String
    package var codecs: [NegotiatedCodec]
    package var extensions: HeaderExtensions
    package var isRTCPReducedSize: Bool
    /// A player's: what we send with. Zero for a publisher.
    package var ssrc: UInt32 = 0
    package var rtxSSRC: UInt32 = 0
    /// A publisher's, as far as it announced them.
    package var sources: [OfferedSource] = []
    package var layers: [String] = []

    package init(
        mid: String, codecs: [NegotiatedCodec], extensions: HeaderExtensions,
        isRTCPReducedSize: Bool
    ) {
        self.mid = mid
        self.codecs = codecs
        self.extensions = extensions
        self.isRTCPReducedSize = isRTCPReducedSize
    }

    package func codec(payloadType: UInt8) -> NegotiatedCodec? {
        codecs.first { $0.payloadType == payloadType }
    }

    /// The payload type to send this format with: for H.264 the one of the nearest profile.
    package func codec(for format: Format) -> NegotiatedCodec? {
        let same = codecs.filter { $0.codec == format.codec }
        guard format.codec == .h264, let own = H264Profile(profileLevelID: format.profile) else {
            return same.first
        }
        let order = own.order
        return same.min {
            (order.firstIndex(of: $0.profile ?? .baseline) ?? 5)
                < (order.firstIndex(of: $1.profile ?? .baseline) ?? 5)
        }
    }
}

package struct NegotiatedCodec: Equatable, Sendable {
    package var codec: Codec
    package var payloadType: UInt8
    package var rtx: UInt8?
    package var clockRate: Int32
    /// H.264 only.
    package var profile: H264Profile?
    package var feedback: Feedback

    package init(
        codec: Codec, payloadType: UInt8, rtx: UInt8?, clockRate: Int32, profile: H264Profile?,
        feedback: Feedback
    ) {
        self.codec = codec
        self.payloadType = payloadType
        self.rtx = rtx
        self.clockRate = clockRate
        self.profile = profile
        self.feedback = feedback
    }

    /// The kinds of RTCP feedback both sides know for this payload type.
    package struct Feedback: OptionSet, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let nack = Feedback(rawValue: 1)
        package static let pli = Feedback(rawValue: 2)
        package static let fir = Feedback(rawValue: 4)
        package static let transportCC = Feedback(rawValue: 8)
        package static let remb = Feedback(rawValue: 16)
    }
}

package struct NegotiatedChannel: Equatable, Sendable {
    package var remotePort: UInt16
    /// What the peer takes; 64 KiB when it does not say (RFC 8841 §6).
    package var maxMessageSize: UInt64

    package init(remotePort: UInt16, maxMessageSize: UInt64) {
        self.remotePort = remotePort
        self.maxMessageSize = maxMessageSize
    }
}

extension NegotiatedCodec.Feedback {
    /// What we do, in the words of SDP and in the order we write them.
    static let known: [(text: String, value: NegotiatedCodec.Feedback)] = [
        ("transport-cc", .transportCC), ("goog-remb", .remb), ("ccm fir", .fir), ("nack", .nack),
        ("nack pli", .pli),
    ]
}
