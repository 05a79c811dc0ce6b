/// Every parser that meets bytes from the network, by name.
///
/// `scripts/fuzz NAME SECONDS` runs one under libFuzzer and address sanitizer; the tests run all
/// of them over their corpus (`Tests/Vectors/fuzz/NAME`) and on damage. A target's body lives in
/// a file of its own beside this one and may only trap when the parser is wrong.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case httpRequest = "http-request"
    case json = "json"
    case codecAudio = "codec-audio"
    case codecVideo = "codec-video"
    case nalH264 = "nal-h264"
    case nalH265 = "nal-h265"
    case rtpHeader = "rtp-header"
    case textHead = "text-head"
    case webSocket = "websocket"
    case yamlConfig = "yaml-config"

    package func run(_ bytes: RawSpan) {
        switch self {
        case .httpRequest: fuzzHTTPRequest(bytes)
        case .json: fuzzJSON(bytes)
        case .codecAudio: fuzzAudio(bytes)
        case .codecVideo: fuzzVideo(bytes)
        case .nalH264: fuzzH264(bytes)
        case .nalH265: fuzzH265(bytes)
        case .rtpHeader: fuzzRTPHeader(bytes)
        case .textHead: fuzzTextHead(bytes)
        case .webSocket: fuzzWebSocket(bytes)
        case .yamlConfig: fuzzYAMLConfig(bytes)
        }
    }
}
