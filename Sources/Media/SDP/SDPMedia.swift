/// One m-line and what follows it.
package struct SDPMedia: Equatable, Sendable {
    package var kind: Kind
    /// 0 refuses the m-line, or says "bundled" together with `a=bundle-only` (RFC 9143 §6).
    package var port: UInt16
    package var proto: String
    /// The payload types of an RTP m-line, in the order of preference.
    package var formats: [SDPFormat] = []
    /// What an m-line without RTP lists: `webrtc-datachannel`.
    package var formatNames: [String] = []
    package var connection: String?
    package var bandwidths: [SDPBandwidth] = []

    package var mid: String?
    package var transport = SDPTransport()
    package var direction: SDPDirection?
    package var control: String?
    package var isRTCPMux = false
    package var isRTCPReducedSize = false
    package var isBundleOnly = false
    package var allowsMixedExtensions = false
    package var extensions: [SDPExtension] = []

    package var msid: SDPStreamID?
    package var sources: [SDPSource] = []
    package var sourceGroups: [SDPSourceGroup] = []
    package var restrictions: [SDPRestriction] = []
    package var simulcast: SDPSimulcast?

    package var candidates: [SDPCandidate] = []
    package var hasEndOfCandidates = false

    package var sctpPort: UInt16?
    package var maxMessageSize: UInt64?

    /// Attributes that have no field here.
    package var attributes: [SDPAttribute] = []

    package enum Kind: Equatable, Sendable {
        case audio, video, application
        case other(String)

        package var text: String {
            switch self {
            case .audio: "audio"
            case .video: "video"
            case .application: "application"
            case .other(let name): name
            }
        }
    }

    package init(kind: Kind, port: UInt16, proto: String) {
        self.kind = kind
        self.port = port
        self.proto = proto
    }

    package func format(_ payloadType: UInt8) -> SDPFormat? {
        formats.first { $0.payloadType == payloadType }
    }

    package func attribute(_ name: String) -> SDPAttribute? {
        attributes.first { $0.name == name }
    }
}

/// `a=extmap` (RFC 8285).
package struct SDPExtension: Equatable, Sendable {
    package var id: UInt16
    package var direction: SDPDirection?
    package var uri: String

    package init(id: UInt16, direction: SDPDirection? = nil, uri: String) {
        self.id = id
        self.direction = direction
        self.uri = uri
    }
}

/// `a=msid:<stream> <track>` (RFC 8830).
package struct SDPStreamID: Equatable, Sendable {
    package var stream: String
    package var track: String?

    package init(stream: String, track: String?) {
        self.stream = stream
        self.track = track
    }
}

/// All `a=ssrc` lines of one SSRC (RFC 5576).
package struct SDPSource: Equatable, Sendable {
    package var ssrc: UInt32
    package var cname: String?
    package var msid: SDPStreamID?

    package init(ssrc: UInt32, cname: String? = nil, msid: SDPStreamID? = nil) {
        self.ssrc = ssrc
        self.cname = cname
        self.msid = msid
    }
}

/// `a=ssrc-group:FID 1 2`.
package struct SDPSourceGroup: Equatable, Sendable {
    package var semantics: String
    package var sources: [UInt32]

    package init(semantics: String, sources: [UInt32]) {
        self.semantics = semantics
        self.sources = sources
    }
}

/// `a=rid:<id> send|recv …` (RFC 8851).
package struct SDPRestriction: Equatable, Sendable {
    package enum Direction: String, Sendable { case send, recv }

    package var id: String
    package var direction: Direction
    /// `pt=…;max-width=…` as written.
    package var parameters: String?

    package init(id: String, direction: Direction, parameters: String? = nil) {
        self.id = id
        self.direction = direction
        self.parameters = parameters
    }
}

/// `a=simulcast` (RFC 8853): the ids of the layers in their order. Of alternatives (`1,2`) only the
/// first counts, since no sender is known to write several.
package struct SDPSimulcast: Equatable, Sendable {
    package struct Layer: Equatable, Sendable {
        package var id: String
        /// Written `~id`: not sent at first.
        package var isPaused = false

        package init(id: String, isPaused: Bool = false) {
            self.id = id
            self.isPaused = isPaused
        }
    }

    package var send: [Layer] = []
    package var receive: [Layer] = []

    package init(send: [Layer] = [], receive: [Layer] = []) {
        self.send = send
        self.receive = receive
    }
}
