import ICE
import SDP
import Testing
import Wire

/// One rule of the brief a test: what is refused, with which code, and what is tolerated.
struct OfferRuleTests {
    static let fingerprint =
        "a=fingerprint:sha-256 " + Array(repeating: "AB", count: 32).joined(separator: ":")
    static let session = [
        "v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=group:BUNDLE 0 1",
        "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", fingerprint, "a=setup:actpass",
    ]
    static let audio = [
        "m=audio 9 UDP/TLS/RTP/SAVPF 111", "a=mid:0", "a=sendonly", "a=rtcp-mux",
        "a=rtpmap:111 opus/48000/2",
    ]
    static let video = [
        "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=sendonly", "a=rtcp-mux",
        "a=rtpmap:96 VP8/90000",
    ]
    static let good = (session + audio + video).joined(separator: "\r\n")

    static func replacing(_ old: String, _ new: String) -> String {
        var lines = good.split(separator: "\r\n").map(String.init)
        for index in lines.indices where lines[index].hasPrefix(old) {
            lines[index] = new + lines[index].dropFirst(old.count)
        }
        return lines.joined(separator: "\n")
    }

    static func dropping(_ prefix: String) -> String {
        good.split(separator: "\r\n").filter { !$0.hasPrefix(prefix) }.joined(separator: "\n")
    }

    @Test func theGoodOneIsGood() throws {
        let offer = try Corpus.read(Self.good, .publish)
        #expect(offer.medias.count == 2 && offer.setup == .actpass)
        let answer = try Corpus.answer(offer, Corpus.facts("")).answer
        #expect(answer.medias[0].transport.setup == .passive)
    }

    static let twoVideos =
        good + "\n" + video.joined(separator: "\n").replacing("mid:1", with: "mid:2")
    static let longUfrag = "a=ice-ufrag:" + String(repeating: "a", count: 257)

    static let refused: [(String, NegotiationError.Code)] = [
        ("", .malformed), (#"{"sdp":"v=0"}"#, .malformed),
        ("v=0\n", .noMedia), (String(repeating: "a", count: 70_000), .tooLarge),
        (replacing("a=sendonly", "a=recvonly"), .wrongDirection),
        (replacing("a=sendonly", "a=inactive"), .wrongDirection),
        (dropping("a=ice-ufrag"), .noICE), (dropping("a=ice-pwd"), .noICE),
        (replacing("a=ice-ufrag:abcd", "a=ice-ufrag:"), .noICE),
        (replacing("a=ice-ufrag:abcd", "a=ice-ufrag:a:bcd"), .noICE),
        (
            replacing("a=ice-ufrag:abcd", longUfrag),
            .noICE
        ),
        (dropping("a=fingerprint"), .noFingerprint),
        (replacing("a=fingerprint:sha-256", "a=fingerprint:md5"), .noFingerprint),
        (replacing(fingerprint, "a=fingerprint:sha-256 00:XX"), .noFingerprint),
        (replacing("m=video 9 UDP/TLS/RTP/SAVPF", "m=video 9 RTP/AVP"), .notSecure),
        (replacing("m=video 9 UDP/TLS/RTP/SAVPF", "m=video 9 FOO"), .notSecure),
        (dropping("a=rtcp-mux"), .noRTCPMux),
        (replacing("a=mid:1", "a=mid:0"), .malformed),
        (replacing("a=mid:1", "a=mid:<script>"), .malformed),
        (replacing("a=mid:1", "a=mid:12345678901234567"), .malformed),
        (replacing("a=setup:actpass", "a=setup:holdconn"), .malformed),
        (twoVideos, .tooManyTracks),
        (
            dropping("a=group") + "\na=ice-ufrag:other\na=ice-pwd:abcdefghijklmnopqrstuv",
            .notBundled
        ),
        (good + "\na=rid:1 send\na=simulcast:send 1;1", .malformed),
        (good + "\na=simulcast:send 1;2;3;4;5;6;7;8;9", .malformed),
    ]

    @Test(arguments: refused)
    func refuses(text: String, code: NegotiationError.Code) {
        let error = #expect(throws: NegotiationError.self) { try Corpus.read(text, .publish) }
        #expect(error?.code == code)
    }

    @Test(arguments: [
        replacing("a=rtpmap:96 VP8/90000", "a=rtpmap:96 FOO/90000"),
        replacing("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/0"),
        replacing("a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/8000"),
        replacing("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9 UDP/TLS/RTP/SAVPF"),
        replacing("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=video 9 UDP/TLS/RTP/SAVPF 999"),
        replacing("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 multiopus/48000/6"),
        good.replacing("96", with: "70"),
    ])
    func aPublisherWithoutACodecOfOursIsRefusedAsAWhole(text: String) throws {
        let offer = try Corpus.read(text, .publish)
        let error = #expect(throws: NegotiationError.self) {
            try Corpus.answer(offer, Corpus.facts(""))
        }
        #expect(error?.code == .noCommonCodec && error?.status == 422)
        #expect(error?.detail.contains("choose") == true)
    }

    @Test(arguments: [
        dropping("a=mid"), dropping("a=group"), dropping("a=setup"),
        replacing("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2 3"),
        replacing("a=group:BUNDLE 0 1", "a=group:BUNDLE 0"),
        replacing("a=sendonly", "a=sendrecv"),
        replacing("m=video 9 UDP/TLS/RTP/SAVPF", "m=video 9 RTP/SAVPF"),
        good + "\na=rtcp-fb:97 nack\na=fmtp:97 apt=97\na=rtpmap:97 rtx/90000",
        good + "\nm=text 9 RTP/AVP 98\na=mid:9",
        good + "\na=candidate:1 1 udp 1 169.254.169.254 0 typ host",
    ])
    func toleratesWhatDoesNotMatter(text: String) throws {
        let offer = try Corpus.read(text, .publish)
        let session = try Corpus.answer(offer, Corpus.facts("")).session
        #expect(session.video?.codecs.count == 1 && session.audio?.codecs.count == 1)
    }

    /// Firefox throws an answer away in which a refused m-line has no `c=` of its own.
    @Test func aRefusedSectionHasAConnectionLineToo() throws {
        let offer = try Corpus.read(Self.good + "\nm=text 9 RTP/AVP 98\na=mid:9", .publish)
        let written = SDPWriter.write(try Corpus.answer(offer, Corpus.facts("")).answer)
        let text = String(decoding: written, as: UTF8.self)
        #expect(text.contains("m=text 0 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n"))
    }

    @Test func aPlayerMayNotSend() {
        #expect(throws: NegotiationError.self) { try Corpus.read(Self.good, .play) }
    }

    @Test func retransmissionsOfThemselvesAreNone() throws {
        let video =
            "m=video 9 UDP/TLS/RTP/SAVPF 96 97 98\na=mid:1\na=rtcp-mux\na=sendonly\n"
            + "a=rtpmap:96 VP8/90000\na=rtpmap:97 rtx/90000\na=fmtp:97 apt=97\n"
            + "a=rtpmap:98 rtx/90000\na=fmtp:98 apt=97\n"
        let text = (Self.session + Self.audio).joined(separator: "\n") + "\n" + video
        let offer = try Corpus.read(text, .publish)
        #expect(offer.medias[1].codecs.map(\.format.payloadType) == [96])
        #expect(offer.medias[1].codecs[0].rtx == nil)
    }

    /// FFmpeg 8.0 waits for our ClientHello; others begin themselves.
    @Test(arguments: [
        ("actpass", SDPSetup.passive, NegotiatedSession.DTLSRole.server),
        ("active", .passive, .server), ("passive", .active, .client),
    ])
    func takesTheOtherRole(
        offered: String, answered: SDPSetup, role: NegotiatedSession.DTLSRole
    )
        throws
    {
        let offer = try Corpus.read(
            Self.replacing("a=setup:actpass", "a=setup:\(offered)"), .publish)
        let (answer, session) = try Corpus.answer(offer, Corpus.facts(""))
        #expect(answer.medias.allSatisfy { $0.transport.setup == answered })
        #expect(session.dtls == role)
    }
}
