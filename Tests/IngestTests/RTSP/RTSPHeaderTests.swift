import Crypto
import RTSP
import Stream
import Testing
import Wire

/// Addresses, transports and challenges as devices write them (brief 1, 2 and 5).
struct RTSPHeaderTests {
    // MARK: - Transport

    @Test func interleavedInEveryWayThatDevicesWriteIt() throws {
        let ways = [
            "RTP/AVP/TCP;unicast;interleaved=2-3", "RTP/AVP;unicast;interleaved=2-3",
            "RTP/AVP/TCP;ssrc=1A2B;interleaved=2-3;mode=\"PLAY\"",
            " rtp/avp/tcp ; unicast ; interleaved = 2 - 3", "RTP/AVP/TCP;interleaved=2",
        ]
        for way in ways {
            let transport = try #require(RTSPTransport.choices(way).first, "\(way)")
            #expect(transport.lower == .tcp, "\(way)")
            #expect(transport.interleaved == .init(2, 3), "\(way)")
        }
    }

    @Test func severalChoicesAndQuotesWithCommas() {
        let choices = RTSPTransport.choices(
            "RTP/AVP;unicast;client_port=4588-4589;mode=\"PLAY,RECORD\",RTP/AVP/TCP;unicast,"
                + "RTP/SAVP;multicast,nonsense")
        #expect(choices.map(\.lower) == [.udp, .tcp, .udp])
        #expect(choices[0].clientPort == .init(4588, 4589))
        #expect(choices[0].isRecord)
        #expect(choices[2].isMulticast && choices[2].isSecure)
    }

    @Test(arguments: ["record", "RECORD", "\"record\"", "receive", "\"RECEIVE\""])
    func theModeInAnyCaseAndQuotes(mode: String) {
        #expect(RTSPTransport.choices("RTP/AVP/UDP;mode=\(mode)").first?.isRecord == true)
        #expect(RTSPTransport.choices("RTP/AVP/UDP;mode=\(mode)").first?.lower == .udp)
    }

    @Test func aTransportIsWrittenInOrder() {
        var transport = RTSPTransport(.tcp)
        transport.interleaved = .init(0, 1)
        transport.ssrc = 0xabc
        #expect(transport.text == "RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=00000ABC")
    }

    @Test func theSessionLosesItsTimeout() throws {
        let session = try #require(RTSPSessionHeader(" 12345 ; timeout=30"))
        #expect(session.id == "12345")
        #expect(session.timeout == .seconds(30))
        #expect(RTSPSessionHeader("1;timeout=0")?.timeout == .seconds(60))
        #expect(RTSPSessionHeader(";timeout=5") == nil)
    }

    // MARK: - Addresses

    @Test func brokenAddressesAreRepaired() throws {
        let broken = [
            ("rtsp://rtsp://192.168.1.2/a", "192.168.1.2", nil, "/a"),
            ("192.168.1.2:1935/", "192.168.1.2", 1935, "/"),
            ("rtsp://::ffff:192.168.1.123/a", "::ffff:192.168.1.123", nil, "/a"),
            ("rtsp://[2001:db8::1]:554/a", "2001:db8::1", 554, "/a"),
            ("rtsp://192.0.2.1?channel=1", "192.0.2.1", nil, "?channel=1"),
        ]
        for (text, host, port, path) in broken {
            let url = try #require(RTSPURL(text), "\(text)")
            #expect(url.host == host && url.port == port.map { UInt16($0) }, "\(text)")
            #expect(url.path == path, "\(text)")
        }
        #expect(RTSPURL("trackID=0") == nil)
        #expect(RTSPURL("rtsp://192.0.2.1:99999/a") == nil)
    }

    @Test func credentialsAreDecodedAndLeaveTheAddress() throws {
        let url = try #require(
            RTSPURL("rtsp://ad%40min:p%23a%3Aw%2Fd@192.0.2.1/cam/realmonitor?channel=1&subtype=0"))
        #expect(url.user == "ad@min")
        #expect(url.password == "p#a:w/d")
        #expect(url.text == "rtsp://192.0.2.1/cam/realmonitor?channel=1&subtype=0")
        // An @ that nobody encoded belongs to the password.
        #expect(RTSPURL("rtsp://a:p@ss@192.0.2.1/")?.password == "p@ss")
    }

    static let dialled = RTSPURL("rtsp://203.0.113.9:8554/live?x=1")

    @Test func theBaseIsWhereTheCameraSaysOnTheHostThatWasDialled() throws {
        let dialled = try #require(Self.dialled)
        func base(_ base: String?, _ location: String? = nil) -> String {
            RTSPBase(dialled: dialled, contentBase: base, contentLocation: location).url.text
        }
        #expect(base(nil) == "rtsp://203.0.113.9:8554/live?x=1")
        #expect(base("rtsp://10.0.0.5/live/") == "rtsp://203.0.113.9:8554/live/")
        #expect(base("rtsp://rtsp://10.0.0.5/b") == "rtsp://203.0.113.9:8554/b")
        #expect(base("10.0.0.5:1935/b/") == "rtsp://203.0.113.9:8554/b/")
        #expect(base("rtsp://::ffff:10.0.0.5/b") == "rtsp://203.0.113.9:8554/b")
        #expect(base(nil, "rtsp://10.0.0.5/c") == "rtsp://203.0.113.9:8554/c")
        #expect(base("", "rtsp://10.0.0.5/c") == "rtsp://203.0.113.9:8554/c")
    }

    @Test func controlsAreAppendedBehindTheQuery() throws {
        let dialled = try #require(Self.dialled)
        let base = RTSPBase(dialled: dialled, contentBase: nil, contentLocation: nil)
        let root = "rtsp://203.0.113.9:8554"
        #expect(base.track("trackID=0").text == "\(root)/live?x=1/trackID=0")
        // go2rtc #1236: a slash in front means append, and not twice.
        #expect(base.track("/trackID=0").text == "\(root)/live?x=1/trackID=0")
        #expect(base.track("rtsp://10.0.0.5/x/t=1").text == "\(root)/x/t=1")
        #expect(base.track("*").text == "\(root)/live?x=1")
        #expect(base.track(nil).text == "\(root)/live?x=1")
        let slashed = RTSPBase(
            dialled: dialled, contentBase: "rtsp://h/live/", contentLocation: nil)
        #expect(slashed.track("track1").text == "\(root)/live/track1")
        #expect(slashed.track("/track1").text == "\(root)/live/track1")
    }

    @Test func bothStylesOfATrackAddress() throws {
        // GStreamer before the query, FFmpeg behind it.
        for text in [
            "rtsp://192.0.2.1:8554/live/cam1/trackID=1?token=abc",
            "rtsp://192.0.2.1:8554/live/cam1?token=abc/trackID=1",
        ] {
            let address = try #require(RTSPAddress(text))
            #expect(address.name == "live/cam1", "\(text)")
            #expect(address.track == 1, "\(text)")
            #expect(address.credential.token == "abc", "\(text)")
        }
        let plain = try #require(RTSPAddress("rtsp://u:p@192.0.2.1/live/cam1/"))
        #expect(plain.name == "live/cam1" && plain.track == nil)
        #expect(plain.base == "rtsp://192.0.2.1/live/cam1")
        #expect(plain.credential.password == "p")
    }

    // MARK: - Digest

    @Test func theExampleOfTheStandardIsAnsweredRight() {
        // RFC 2617 §3.5 and RFC 7616 §3.9.1.
        var auth = DigestAuth()
        (auth.user, auth.realm, auth.method) = ("Mufasa", "testrealm@host.com", "GET")
        (auth.nonce, auth.uri) = ("dcd98b7102dd2f0e8b11d0f600bfb0c093", "/dir/index.html")
        auth.protection = .init(count: "00000001", nonce: "0a4f113b")
        #expect(auth.response(password: "Circle Of Life") == "6629fae49393a05397450978507c4ef1")
        var newer = DigestAuth()
        newer.algorithm = .sha256
        (newer.user, newer.realm, newer.method) = ("Mufasa", "http-auth@example.org", "GET")
        newer.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
        newer.uri = "/dir/index.html"
        newer.protection = .init(
            count: "00000001", nonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
        #expect(
            newer.response(password: "Circle of Life")
                == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
    }

    @Test func digestBeforeBasicAndTheUnknownSkipped() throws {
        let challenge = try #require(
            RTSPChallenge([
                "Basic realm=\"a\"", "Digest realm=\"b\", nonce=\"1\", algorithm=SHA-512",
                "Digest realm=\"c\", nonce=\"2\", algorithm=\"SHA-256\", opaque=\"x,y\"",
            ]))
        #expect(challenge.scheme == .digest(.sha256))
        #expect(challenge.realm == "c")
        #expect(RTSPChallenge(["Negotiate", "Basic realm=\"a\""])?.scheme == .basic)
        #expect(RTSPChallenge(["Negotiate"]) == nil)
    }

    @Test func whatWasGivenIsEchoedAndTheAddressIsTheVeryText() throws {
        var dice = SplitMix64(seed: 1)
        let uri = "rtsp://192.0.2.1/cam?channel=1&subtype=0"
        let plain = try #require(RTSPChallenge(["Digest realm=\"IP Camera\", nonce=\"af\""]))
        let header = plain.authorization(
            user: "admin", password: "a", method: "DESCRIBE", uri: uri, dice: &dice)
        // RTSP usually has no qop: H(HA1:nonce:HA2).
        let first = Digest.md5.hex("admin:IP Camera:a")
        let second = Digest.md5.hex("DESCRIBE:\(uri)")
        #expect(header.contains("response=\"\(Digest.md5.hex("\(first):af:\(second)"))\""))
        #expect(header.contains("uri=\"\(uri)\""))
        #expect(!header.contains("opaque") && !header.contains("algorithm"))
        let rich = try #require(
            RTSPChallenge([
                "Digest realm=\"r\", nonce=\"n\", opaque=\"o\", algorithm=MD5, "
                    + "qop=\"auth,auth-int\", stale=TRUE"
            ]))
        #expect(rich.isStale)
        let echoed = rich.authorization(
            user: "u", password: "p", method: "PLAY", uri: uri, dice: &dice)
        #expect(echoed.contains("opaque=\"o\"") && echoed.contains("algorithm=\"MD5\""))
        #expect(echoed.contains("qop=auth, nc=00000001, cnonce=\""))
    }

    @Test func basicIsUTF8() throws {
        var dice = SplitMix64(seed: 1)
        let basic = try #require(RTSPChallenge(["Basic realm=\"a\""]))
        let header = basic.authorization(
            user: "ü", password: "ß:", method: "DESCRIBE", uri: "*", dice: &dice)
        #expect(header == "Basic " + Base64.encode(Array("ü:ß:".utf8).raw))
    }
}
