/// Every reason for a refusal. Codes are for ever: scripts and dashboards match them. Protocols
/// without status codes (RTMP, SRT) use the same codes in their own words.
public enum ProblemCode: String, CaseIterable, Sendable {
    // The request itself.
    case badRequest = "bad-request"
    case badPath = "bad-path"
    case badName = "bad-name"
    case badJSON = "bad-json"
    case methodNotAllowed = "method-not-allowed"
    case methodUnknown = "method-unknown"
    case versionUnknown = "version-unknown"
    case encodingUnknown = "encoding-unknown"
    case expectationUnknown = "expectation-unknown"
    case lengthRequired = "length-required"
    case bodyTooLarge = "body-too-large"
    case targetTooLong = "target-too-long"
    case headTooLarge = "head-too-large"
    case mediaTypeUnknown = "media-type-unknown"
    case notAcceptable = "not-acceptable"
    case rangeNotSatisfiable = "range-not-satisfiable"
    case preconditionFailed = "precondition-failed"
    case preconditionRequired = "precondition-required"
    case upgradeRequired = "upgrade-required"
    case tooSlow = "too-slow"

    // Who may do what.
    case unauthorized = "unauthorized"
    case forbidden = "forbidden"
    case originRefused = "origin-refused"
    case hookRefused = "hook-refused"

    // Streams and sessions.
    case notFound = "not-found"
    case streamNotFound = "stream-not-found"
    case streamNotLive = "stream-not-live"
    case streamTaken = "stream-taken"
    case sessionNotFound = "session-not-found"
    case codecNotCarried = "codec-not-carried"
    case noCommonCodec = "no-common-codec"
    case tracksUnsupported = "tracks-unsupported"
    case sourceFailed = "source-failed"

    // Offers that cannot be answered.
    case sdpMalformed = "sdp-malformed"
    case sdpTooLarge = "sdp-too-large"
    case sdpWrongDirection = "sdp-wrong-direction"
    case sdpNoMedia = "sdp-no-media"
    case sdpNoICE = "sdp-no-ice"
    case sdpNoFingerprint = "sdp-no-fingerprint"
    case sdpNotSecure = "sdp-not-secure"
    case sdpNotBundled = "sdp-not-bundled"
    case sdpNoRTCPMux = "sdp-no-rtcp-mux"
    case sdpTooManyTracks = "sdp-too-many-tracks"
    case renegotiationUnsupported = "renegotiation-unsupported"

    // The gateway.
    case tooManySessions = "too-many-sessions"
    case overloaded = "overloaded"
    case shuttingDown = "shutting-down"
    case hookFailed = "hook-failed"
    case noAnswer = "no-answer"
    case badAnswer = "bad-answer"
    case notEnabled = "not-enabled"
    case internalError = "internal-error"

    public var status: Int { entry.status }
    public var title: String { entry.title }
    /// What the user can do. Empty where only the peer's programmer can.
    public var fix: String { entry.fix }

    private typealias Entry = (status: Int, title: String, fix: String)

    private var entry: Entry {
        requestEntry ?? accessEntry ?? streamEntry ?? offerEntry ?? gatewayEntry
    }

    private var requestEntry: Entry? {
        switch self {
        case .badRequest: (400, "The request is malformed", "")
        case .badPath: (400, "The path is not one that can be served", "")
        case .badName:
            (400, "The stream name is refused", "Use letters, digits and _ . ~ - in app/stream")
        case .badJSON: (400, "The body is not the JSON that is expected", "")
        case .methodNotAllowed: (405, "The method is not allowed here", "")
        case .methodUnknown: (501, "The method is unknown", "")
        case .versionUnknown: (505, "The HTTP version is not spoken", "Use HTTP/1.1")
        case .encodingUnknown: (501, "The transfer encoding is unknown", "Use chunked or a length")
        case .expectationUnknown: (417, "The expectation is unknown", "")
        case .lengthRequired: (411, "The length of the body must be told", "")
        case .bodyTooLarge: (413, "The body is too large", "")
        case .targetTooLong: (414, "The URL is too long", "")
        case .headTooLarge: (431, "The request has too many or too long headers", "")
        case .mediaTypeUnknown: (415, "The content type is not accepted here", "")
        case .notAcceptable: (406, "No acceptable answer exists", "")
        case .rangeNotSatisfiable: (416, "The range lies outside of the content", "")
        case .preconditionFailed: (412, "The session has changed since", "")
        case .preconditionRequired: (428, "If-Match is required here", "")
        case .upgradeRequired: (426, "This address speaks WebSocket", "")
        case .tooSlow: (408, "The request took too long", "")
        default: nil
        }
    }

    private var accessEntry: Entry? {
        switch self {
        case .unauthorized:
            (401, "Credentials are missing or wrong", "Send the key as a Bearer token or ?token=")
        case .forbidden: (403, "These credentials do not allow that", "")
        case .originRefused:
            (403, "The page's origin is not allowed", "Open the page by its own URL")
        case .hookRefused: (403, "The authorisation hook refused", "Ask the operator of the hook")
        default: nil
        }
    }

    private var streamEntry: Entry? {
        switch self {
        case .notFound: (404, "Nothing is served here", "")
        case .streamNotFound: (404, "No such stream", "Check the name; start the publisher")
        case .streamNotLive: (409, "Nobody is publishing this stream yet", "Start the publisher")
        case .streamTaken:
            (409, "The stream is being published by somebody else", "Stop the other publisher")
        case .sessionNotFound: (404, "No such session", "")
        case .codecNotCarried:
            (415, "The stream's codec cannot be carried by this output", "Publish H.264 and AAC")
        case .noCommonCodec:
            (422, "No codec is common to both sides", "Offer H.264 or VP8, and Opus")
        case .tracksUnsupported: (422, "These tracks cannot be served", "")
        case .sourceFailed: (502, "The source of the stream failed", "Check the source's address")
        default: nil
        }
    }

    private var offerEntry: Entry? {
        switch self {
        case .sdpMalformed: (400, "The session description cannot be read", "")
        case .sdpTooLarge: (413, "The session description is too large", "")
        case .sdpWrongDirection:
            (400, "The offer's direction is wrong", "Publish with sendonly, play with recvonly")
        case .sdpNoMedia: (400, "The offer has neither audio nor video", "Add a track")
        case .sdpNoICE: (400, "The offer has no ICE credentials", "")
        case .sdpNoFingerprint: (400, "The offer has no DTLS fingerprint", "Use sha-256")
        case .sdpNotSecure:
            (400, "The offer asks for unencrypted media", "Use UDP/TLS/RTP/SAVPF")
        case .sdpNotBundled: (422, "The tracks are not bundled", "Set bundlePolicy to max-bundle")
        case .sdpNoRTCPMux: (400, "RTP and RTCP are not multiplexed", "Offer a=rtcp-mux")
        case .sdpTooManyTracks: (422, "The offer has too many tracks", "Send one of each kind")
        case .renegotiationUnsupported:
            (422, "A session cannot be negotiated again", "Open a new one")
        default: nil
        }
    }

    private var gatewayEntry: Entry {
        switch self {
        case .tooManySessions: (429, "Too many sessions from this address", "Close some, or wait")
        case .overloaded: (503, "The gateway is at its limit", "Try again later")
        case .shuttingDown: (503, "The gateway is shutting down", "Try again")
        case .hookFailed: (502, "The authorisation hook failed", "Check the hook's address")
        case .noAnswer: (504, "No answer came in time", "Try again")
        case .badAnswer: (502, "The other side's answer makes no sense", "Check its address")
        case .notEnabled: (404, "This interface is not enabled", "Enable it in the configuration")
        default: (500, "Something in the gateway went wrong", "Report it with the log")
        }
    }
}
