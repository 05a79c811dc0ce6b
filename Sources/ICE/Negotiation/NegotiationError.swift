/// Why an offer was refused: a stable name for programs, a sentence for people that says what
/// would work, and the status of RFC 9725 for HTTP.
package struct NegotiationError: Error, Equatable, Sendable {
    package enum Code: String, Sendable {
        case malformed = "sdp-malformed"
        case tooLarge = "sdp-too-large"
        case wrongDirection = "sdp-wrong-direction"
        case noMedia = "sdp-no-media"
        case noICE = "sdp-no-ice"
        case noFingerprint = "sdp-no-fingerprint"
        /// Plain RTP or SDES: nothing here is sent in the clear.
        case notSecure = "sdp-not-secure"
        case notBundled = "sdp-not-bundled"
        case noRTCPMux = "sdp-no-rtcp-mux"
        case tooManyTracks = "sdp-too-many-tracks"
        case noCommonCodec = "no-common-codec"
    }

    package var code: Code
    package var detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    /// 406 is not among them: WHEP players take it for a counter-offer.
    package var status: Int {
        switch code {
        case .tooLarge: 413
        case .tooManyTracks, .noCommonCodec, .notBundled: 422
        case .malformed, .wrongDirection, .noMedia, .noICE, .noFingerprint, .notSecure, .noRTCPMux:
            400
        }
    }
}
