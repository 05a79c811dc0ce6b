/// A session description (RFC 8866) as WebRTC, RTSP and GB28181 need it: what is understood is
/// typed, what is not is kept as text. It holds what was said, not what it means: defaults, offers
/// and answers are the business of who asked.
package struct SDPDescription: Equatable, Sendable {
    package var origin = SDPOrigin()
    package var name = "-"
    /// GB28181 names the recording to play here.
    package var uri: String?
    package var connection: String?
    package var start: UInt64 = 0
    package var stop: UInt64 = 0
    package var bandwidths: [SDPBandwidth] = []

    /// The default for every m-line that does not say its own.
    package var transport = SDPTransport()
    package var direction: SDPDirection?
    package var control: String?
    package var groups: [SDPGroup] = []
    package var isICELite = false
    package var allowsMixedExtensions = false
    /// Session attributes that have no field here.
    package var attributes: [SDPAttribute] = []

    package var medias: [SDPMedia] = []

    /// GB28181 §C.2.1: the SSRC as ten decimal digits (`y=`), and the media parameters (`f=`).
    /// They stand behind the m-lines and belong to the session all the same.
    package var gbSSRC: String?
    package var gbFormat: String?

    package init() {}

    /// The ICE and DTLS parameters that hold for `media`: its own, else the session's.
    package func transport(of media: SDPMedia) -> SDPTransport {
        media.transport.filled(from: transport)
    }

    /// Without any direction line, RFC 8866 §6.7.1 says sendrecv.
    package func direction(of media: SDPMedia) -> SDPDirection {
        media.direction ?? direction ?? .sendrecv
    }
}

package struct SDPOrigin: Equatable, Sendable {
    package var username = "-"
    package var sessionID = "0"
    package var version = "0"
    package var address = "0.0.0.0"

    package init() {}
}

package struct SDPBandwidth: Equatable, Sendable {
    /// `AS` in kbit/s, `TIAS` in bit/s.
    package var type: String
    package var value: UInt64

    package init(type: String, value: UInt64) {
        self.type = type
        self.value = value
    }
}

package enum SDPDirection: String, Sendable {
    case sendrecv, sendonly, recvonly, inactive

    package var sends: Bool { self == .sendrecv || self == .sendonly }
    package var receives: Bool { self == .sendrecv || self == .recvonly }
}

/// `a=group:BUNDLE 0 1` (RFC 5888).
package struct SDPGroup: Equatable, Sendable {
    package var semantics: String
    package var mids: [String]

    package init(semantics: String, mids: [String]) {
        self.semantics = semantics
        self.mids = mids
    }
}

package struct SDPAttribute: Equatable, Sendable {
    package var name: String
    package var value: String?

    package init(_ name: String, _ value: String? = nil) {
        self.name = name
        self.value = value
    }
}
