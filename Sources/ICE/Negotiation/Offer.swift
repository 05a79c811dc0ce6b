package import Crypto
package import Media
package import SDP

/// An offer as we understood it: checked, typed, nothing answered yet.
package struct Offer: Sendable {
    package enum Role: String, Sendable { case publish, play }

    package var role: Role
    package var ice: ICECredentials
    /// Any of them may be the peer's certificate.
    package var fingerprints: [Fingerprint]
    package var setup: SDPSetup
    package var medias: [OfferedMedia]
    package var allowsMixedExtensions: Bool
    /// Some of its manners differ: see `HeaderExtension` and `NegotiatedSession`.
    package var isFirefox: Bool
}

package struct OfferedMedia: Sendable {
    package enum State: Equatable, Sendable {
        case usable
        /// Answered with port 0, for this reason.
        case refused(String)
    }

    package var kind: SDPMedia.Kind
    package var proto: String
    package var mid: String?
    package var direction: SDPDirection
    package var state: State
    package var codecs: [OfferedCodec]
    /// All names of the m-line, for the text of a refusal.
    package var names: [String]
    package var extensions: [SDPExtension]
    package var allowsMixedExtensions: Bool
    package var isRTCPReducedSize: Bool
    /// The layers of a simulcast publisher, in its order.
    package var layers: [String]
    package var sources: [OfferedSource]
    package var formatNames: [String]
    package var sctpPort: UInt16?
    package var maxMessageSize: UInt64?

    package var isDataChannel: Bool {
        kind == .application && proto.uppercased().contains("SCTP")
    }
}

/// A payload type whose codec WebRTC carries, with the one that repeats its packets.
package struct OfferedCodec: Sendable {
    package var codec: Codec
    package var format: SDPFormat
    package var rtx: SDPFormat?
}

/// An SSRC announced by a publisher.
package struct OfferedSource: Equatable, Sendable {
    package var ssrc: UInt32
    package var rtx: UInt32?

    package init(ssrc: UInt32, rtx: UInt32?) {
        self.ssrc = ssrc
        self.rtx = rtx
    }
}
