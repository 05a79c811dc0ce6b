import Foundation
import Media
import SDP
import Testing
import Wire

/// Offers of real clients, as files: `Tests/Vectors/offers`.
enum Offers {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Vectors/offers")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".sdp") && !$0.hasSuffix(".answer.sdp") }.sorted()
    }()

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    static func load(_ name: String) throws -> SDPDescription {
        let bytes = try bytes(name)
        return try SDPDescription(bytes.raw)
    }

    static func parse(_ text: String) throws -> SDPDescription {
        let bytes = Array(text.utf8)
        return try SDPDescription(bytes.raw)
    }
}

struct SDPParserTests {
    @Test func readsChromiumsPublisher() throws {
        let offer = try Offers.load("chromium-whip.sdp")
        #expect(offer.groups == [SDPGroup(semantics: "BUNDLE", mids: ["0", "1"])])
        #expect(offer.allowsMixedExtensions)
        #expect(offer.medias.count == 2)

        let audio = offer.medias[0]
        #expect(audio.kind == .audio)
        #expect(audio.formats.map(\.payloadType) == [111, 63, 9, 0, 8, 13, 110, 126])
        #expect(audio.format(111)?.codec == .opus)
        #expect(audio.format(111)?.parameter("useinbandfec") == "1")
        #expect(audio.format(63)?.parameters == [SDPParameter("111/111")])
        #expect(audio.candidates.count == 8)
        #expect(audio.candidates[4].tcpType == .active)
        #expect(audio.transport.ufrag == "fm5L")

        let video = offer.medias[1]
        #expect(video.mid == "1")
        #expect(video.direction == .sendonly)
        #expect(video.isRTCPMux && video.isRTCPReducedSize)
        #expect(video.format(109)?.repairs == 108)
        #expect(video.format(108)?.parameter("profile-level-id") == "42e01f")
        #expect(
            video.format(108)?.feedback
                == ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"])
        let group = SDPSourceGroup(semantics: "FID", sources: [1_530_944_411, 541_622_772])
        #expect(video.sourceGroups == [group])
        #expect(video.sources.map(\.ssrc) == [1_530_944_411, 541_622_772])
        #expect(video.msid?.stream == "fd365136-5e3d-4f55-8a9b-ee6e86aa7f29")
        #expect(video.extensions.first { $0.id == 4 }?.uri.hasSuffix("sdes:mid") == true)
        #expect(video.transport.fingerprints[0].hasPrefix("sha-256 64:6B:30:DA"))
        #expect(video.transport.setup == .actpass)
    }

    /// Firefox puts fingerprint and options at session level, bundles by port 0, leaves feedback
    /// lines of codecs that it has taken out of the m-line, and names directions of extensions.
    @Test func readsFirefoxsSimulcast() throws {
        let offer = try Offers.load("firefox-whip-simulcast.sdp")
        let video = offer.medias[1]
        #expect(video.port == 0 && video.isBundleOnly)
        #expect(video.transport.fingerprints.isEmpty)
        #expect(offer.transport(of: video).fingerprints.count == 1)
        #expect(offer.transport(of: video).options == ["trickle"])
        #expect(offer.transport(of: video).setup == .actpass)
        #expect(video.formats.map(\.payloadType) == [120, 124, 123, 122, 119])
        #expect(video.restrictions.map(\.id) == ["q", "h", "f"])
        #expect(video.simulcast?.send.map(\.id) == ["q", "h", "f"])
        #expect(video.extensions.first { $0.id == 9 }?.direction == .sendonly)
        #expect(offer.medias[0].allowsMixedExtensions)
    }

    @Test func readsADeviceOfGB28181() throws {
        let answer = try Offers.parse(
            """
            v=0
            o=34020000001320000001 0 0 IN IP4 192.0.2.64
            s=Playback
            u=34020000001320000001:0
            c=IN IP4 192.0.2.64
            t=1700000000 1700000600
            m=video 15060 TCP/RTP/AVP 96 97
            a=setup:active
            a=connection:new
            a=sendonly
            a=rtpmap:96 PS/90000
            a=rtpmap:97 MPEG4/90000
            a=filesize:1234
            y=0200006279
            f=v/2/4/25/1/1024a///\u{0}
            """)
        #expect(answer.gbSSRC == "0200006279")
        #expect(answer.gbFormat == "v/2/4/25/1/1024a///")
        #expect(answer.uri == "34020000001320000001:0")
        #expect(answer.start == 1_700_000_000 && answer.stop == 1_700_000_600)
        #expect(answer.origin.username == "34020000001320000001")
        #expect(answer.medias[0].transport.setup == .active)
        #expect(answer.medias[0].attribute("filesize")?.value == "1234")
        #expect(answer.medias[0].format(96)?.encoding == "PS")
    }

    /// What cameras write: several session names, no zero time, parameters with blanks and base64,
    /// static payload types without rtpmap, an rtpmap with a blank at its end.
    @Test func readsACamera() throws {
        let camera = try Offers.parse(
            "a=x:early\rv=0\ro=broken\rs=one\rs=two\rt=\rc=IN IP4 239.0.0.1/127\ra=control:*\r"
                + "m=video 0/2 RTP/AVP 96\rb=AS:5000\ra=control:trackID=1\r"
                + "a=RTPMAP:96 h264/90000 \ra=fmtp:96 packetization-mode=1; "
                + "sprop-parameter-sets=Z0IAH5WoFAFuQA==,aM48gA== ;profile-level-id=42001F\r"
                + "m=audio 0 RTP/AVP 8 0 96\rm=vnd.onvif.metadata 0 RTP/AVP 107")
        #expect(camera.name == "one")
        #expect(camera.control == "*")
        #expect(camera.connection == "239.0.0.1")
        #expect(camera.attributes == [SDPAttribute("x", "early")])
        #expect(camera.medias[0].control == "trackID=1")
        #expect(camera.medias[0].bandwidths == [SDPBandwidth(type: "AS", value: 5000)])
        #expect(camera.medias[0].format(96)?.codec == .h264)
        #expect(
            camera.medias[0].format(96)?.parameter("sprop-parameter-sets")
                == "Z0IAH5WoFAFuQA==,aM48gA==")
        #expect(camera.medias[1].formats.map(\.codec) == [.pcma, .pcmu, nil])
        #expect(camera.medias[2].kind == .other("vnd.onvif.metadata"))
    }

    @Test func appliesFeedbackForAllFormats() throws {
        let text = "m=video 9 UDP/TLS/RTP/SAVPF 96 97\na=rtcp-fb:* nack\na=rtcp-fb:97 nack PLI\n"
        let media = try Offers.parse(text).medias[0]
        #expect(media.format(96)?.feedback == ["nack"])
        #expect(media.format(97)?.feedback == ["nack", "nack pli"])
    }

    @Test func readsDataChannelsInBothForms() throws {
        let text =
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=sctp-port:5000\n"
            + "a=max-message-size:262144\nm=application 9 DTLS/SCTP 5000\n"
            + "a=sctpmap:5000 webrtc-datachannel 1024\n"
        let medias = try Offers.parse(text).medias
        #expect(medias[0].formatNames == ["webrtc-datachannel"])
        #expect(medias[0].sctpPort == 5000 && medias[0].maxMessageSize == 262_144)
        #expect(medias[1].formatNames == ["5000"])
    }

    @Test func readsPausedAndAlternativeLayers() throws {
        let text = "m=video 9 RTP/AVP 96\na=simulcast:send 1,4;~2;3 recv 5\n"
        let simulcast = try Offers.parse(text).medias[0].simulcast
        #expect(simulcast?.send.map(\.id) == ["1", "2", "3"])
        #expect(simulcast?.send.map(\.isPaused) == [false, true, false])
        #expect(simulcast?.receive.map(\.id) == ["5"])
    }

    @Test(arguments: Offers.names)
    func whatIsWrittenReadsTheSame(name: String) throws {
        let first = try Offers.load(name)
        let written = SDPWriter.write(first)
        let second = try SDPDescription(written.raw)
        #expect(second == first)
        #expect(SDPWriter.write(second) == written)
    }

    @Test func aNameCannotBeginALine() throws {
        var description = SDPDescription()
        description.name = "x\r\na=evil:1"
        let text = String(decoding: SDPWriter.write(description), as: UTF8.self)
        #expect(text == "v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\ns=x__a=evil:1\r\nt=0 0\r\n")
    }
}
