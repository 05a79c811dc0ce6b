package import Crypto
package import Wire

/// What a player offers: everything that Chrome would, in its order and its words, because servers
/// are tested against that. One BUNDLE, one candidate, sound and picture to be received.
package struct ClientOffer: Sendable {
    package var credentials: ICECredentials
    package var fingerprint: Fingerprint
    /// Where we listen. Servers answer from where our checks come, so it need not be right.
    package var host: Address

    package init(credentials: ICECredentials, fingerprint: Fingerprint, host: Address) {
        self.credentials = credentials
        self.fingerprint = fingerprint
        self.host = host
    }

    private static let audio = [
        "rtpmap:111 opus/48000/2", "rtcp-fb:111 transport-cc",
        "fmtp:111 minptime=10;useinbandfec=1", "rtpmap:0 PCMU/8000", "rtpmap:8 PCMA/8000",
    ]

    /// Payload type, that of its repairs, name, parameters. H.264 in the profiles that SRS, ZLM and
    /// pion look for by their exact text.
    private static let video: [(type: Int, repairs: Int, name: String, parameters: String)] = [
        (108, 109, "H264", h264("42e01f")), (102, 103, "H264", h264("42001f")),
        (116, 117, "H264", h264("4d001f")), (41, 42, "H264", h264("64001f")),
        (96, 97, "VP8", ""), (98, 99, "VP9", "profile-id=0"),
        (45, 46, "AV1", "level-idx=5;profile=0;tier=0"),
        (49, 50, "H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"),
    ]

    private static let shared = [
        "extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
        "extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid",
        "extmap:6 http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
    ]

    private static func h264(_ level: String) -> String {
        "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=\(level)"
    }

    package var text: [UInt8] {
        let audioTypes = "111 0 8"
        let videoTypes = Self.video.map { "\($0.type) \($0.repairs)" }.joined(separator: " ")
        var lines = [
            "v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0",
            "a=group:BUNDLE 0 1", "a=extmap-allow-mixed", "a=msid-semantic: WMS",
        ]
        lines += section("audio", audioTypes, mid: 0)
        lines += Self.audio.map { "a=\($0)" }
        lines += section("video", videoTypes, mid: 1)
        lines.append("a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")
        for format in Self.video {
            lines.append("a=rtpmap:\(format.type) \(format.name)/90000")
            lines += ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"].map {
                "a=rtcp-fb:\(format.type) \($0)"
            }
            if !format.parameters.isEmpty {
                lines.append("a=fmtp:\(format.type) \(format.parameters)")
            }
            lines.append("a=rtpmap:\(format.repairs) rtx/90000")
            lines.append("a=fmtp:\(format.repairs) apt=\(format.type)")
        }
        return Array(lines.map { $0 + "\r\n" }.joined().utf8)
    }

    private func section(_ kind: String, _ types: String, mid: Int) -> [String] {
        let version = host.isIPv4 ? "IP4" : "IP6"
        // RFC 8839 §5.1.2.1: a host candidate of the first component.
        let candidate = "candidate:1 1 udp 2130706431 \(host.ip) \(host.port) typ host"
        return [
            "m=\(kind) \(host.port) UDP/TLS/RTP/SAVPF \(types)", "c=IN \(version) \(host.ip)",
            "a=rtcp:9 IN IP4 0.0.0.0", "a=\(candidate)", "a=end-of-candidates",
            "a=ice-ufrag:\(credentials.ufrag)", "a=ice-pwd:\(credentials.password)",
            "a=fingerprint:\(fingerprint)", "a=setup:actpass", "a=mid:\(mid)", "a=recvonly",
            "a=rtcp-mux", "a=rtcp-rsize",
        ] + Self.shared.map { "a=\($0)" }
    }
}
