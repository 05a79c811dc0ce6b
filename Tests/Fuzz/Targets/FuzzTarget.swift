/// Every parser that meets bytes from the network, by name.
///
/// `scripts/fuzz NAME SECONDS` runs one under libFuzzer and address sanitizer; the tests run all
/// of them over their corpus (`Tests/Vectors/fuzz/NAME`) and on damage. A target's body lives in
/// a file of its own beside this one and may only trap when the parser is wrong.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case demoFile = "demo-file"
    case demux = "demux"
    case dcep = "dcep"
    case httpRequest = "http-request"
    case amf = "amf"
    case flv = "flv"
    case rtmpChunks = "rtmp-chunks"
    case rtmpSession = "rtmp-session"
    case iceAgent = "ice-agent"
    case dtls = "dtls"
    case json = "json"
    case codecAudio = "codec-audio"
    case codecVideo = "codec-video"
    case nalH264 = "nal-h264"
    case nalH265 = "nal-h265"
    case programStream = "program-stream"
    case gbFraming = "gb-framing"
    case gbMessage = "gb-message"
    case gbPlatform = "gb-platform"
    case rfc4571 = "rfc4571"
    case rtcSession = "rtc-session"
    case rtcp = "rtcp"
    case rtpHeader = "rtp-header"
    case rtpPayload = "rtp-payload"
    case rtspClient = "rtsp-client"
    case rtspHeaders = "rtsp-headers"
    case rtspReader = "rtsp-reader"
    case rtspSession = "rtsp-session"
    case sctp = "sctp"
    case sdp = "sdp"
    case srtID = "srt-id"
    case stun = "stun"
    case srtp = "srtp"
    case textHead = "text-head"
    case transportStream = "ts"
    case webSocket = "websocket"
    case whip = "whip"
    case yamlConfig = "yaml-config"

    package func run(_ bytes: RawSpan) {
        switch self {
        case .demoFile: fuzzDemoFile(bytes)
        case .demux: fuzzDemux(bytes)
        case .dcep: fuzzDCEP(bytes)
        case .httpRequest: fuzzHTTPRequest(bytes)
        case .amf: fuzzAMF(bytes)
        case .flv: fuzzFLV(bytes)
        case .rtmpChunks: fuzzRTMPChunks(bytes)
        case .rtmpSession: fuzzRTMPSession(bytes)
        case .iceAgent: fuzzICEAgent(bytes)
        case .dtls: fuzzDTLS(bytes)
        case .json: fuzzJSON(bytes)
        case .codecAudio: fuzzAudio(bytes)
        case .codecVideo: fuzzVideo(bytes)
        case .nalH264: fuzzH264(bytes)
        case .nalH265: fuzzH265(bytes)
        case .programStream: fuzzProgramStream(bytes)
        case .gbFraming: fuzzGBFraming(bytes)
        case .gbMessage: fuzzGBMessage(bytes)
        case .gbPlatform: fuzzGBPlatform(bytes)
        case .rfc4571: fuzzRFC4571(bytes)
        case .rtcSession: fuzzRTCSession(bytes)
        case .rtcp: fuzzRTCP(bytes)
        case .rtpHeader: fuzzRTPHeader(bytes)
        case .rtpPayload: fuzzRTPPayload(bytes)
        case .rtspClient: fuzzRTSPClient(bytes)
        case .rtspHeaders: fuzzRTSPHeaders(bytes)
        case .rtspReader: fuzzRTSPReader(bytes)
        case .rtspSession: fuzzRTSPSession(bytes)
        case .sctp: fuzzSCTP(bytes)
        case .sdp: fuzzSDP(bytes)
        case .srtID: fuzzSRTID(bytes)
        case .stun: fuzzSTUN(bytes)
        case .srtp: fuzzSRTP(bytes)
        case .textHead: fuzzTextHead(bytes)
        case .transportStream: fuzzTS(bytes)
        case .webSocket: fuzzWebSocket(bytes)
        case .whip: fuzzWHIP(bytes)
        case .yamlConfig: fuzzYAMLConfig(bytes)
        }
    }
}
