import HTTP
import Testing
import WHIP
import Wire

/// Requests of WHIP and WHEP: numbers refer to the rules of RFC 9725 and to what clients do.
struct WHIPRequestTests {
    static let sdp = [("Content-Type", "application/sdp")]
    let scene = WHIPScene()

    // MARK: URLs

    @Test(arguments: [
        ("/whip/live/cam1", "publish live/cam1"), ("/whep/live/cam1/", "play live/cam1"),
        ("/whip/cam1", "publish live/cam1"), ("/whep/a/b/c", "play a/b/c"),
        ("/whep/live%2Fcam1", "play live/cam1"),
        ("/rtc/v1/whip/?app=live&stream=cam1", "publish live/cam1"),
        ("/rtc/v1/whip?stream=cam1&eip=10.0.0.1", "publish live/cam1"),
        ("/rtc/v1/whep/?app=show&stream=cam1", "play show/cam1"),
        ("/rtc/v1/whip-play/?app=live&stream=cam1", "play live/cam1"),
        ("/index/api/whip?app=live&stream=cam1&vhost=__defaultVhost__", "publish live/cam1"),
        ("/index/api/whep?app=live&stream=cam1", "play live/cam1"),
        ("/live/cam1/whip", "publish live/cam1"), ("/cam1/whep", "play live/cam1"),
        ("/a/b/c/whep/", "play a/b/c"),
    ])
    func everyStyleOfURLNamesAStream(target: String, what: String) throws {
        #expect(try scene.step(.post, target, Self.sdp, "v=0") == "\(what) standard v=0")
    }

    @Test(arguments: [
        ("/whip/session/x/y/z", "404 session-not-found"),
        ("/whip/session", "404 session-not-found"),
        ("/whip/live/a..b", "400 bad-name"), ("/whip/api/x", "400 bad-name"),
        ("/rtc/v1/whip/", "400 bad-name"), ("/index/api/whep?app=live", "400 bad-name"),
        ("/index/api/webrtc?app=a&stream=b&type=echo", "404 not-found"),
        ("/whip", "not WHIP"), ("/index/api/addStreamProxy", "not WHIP"), ("/", "not WHIP"),
        ("/rtc/v1/other", "not WHIP"), ("/live/cam1", "not WHIP"), ("/whep", "not WHIP"),
    ])
    func whatIsNoEndpointIsNotTakenForOne(target: String, what: String) throws {
        #expect(try scene.step(.post, target, Self.sdp, "v=0") == what)
    }

    @Test func sessionsHaveOneURLInEveryStyle() throws {
        #expect(try scene.step(.delete, "/whip/session/abc") == "close abc")
        #expect(try scene.step(.delete, "/whep/session/abc/") == "close abc")
        // MediaMTX clients that build the URL themselves.
        #expect(try scene.step(.delete, "/live/cam1/whip/abc") == "close abc")
    }

    // MARK: Section 1, methods

    @Test(arguments: [
        (HTTPMethod.put, "/whip/live/a", "405"), (.patch, "/whip/live/a", "405"),
        (.delete, "/live/a/whip", "405"), (.post, "/whip/session/x", "405"),
        (.put, "/whip/session/x", "405"), (.delete, "/whep/session/x/layer", "405"),
        (.get, "/whep/session/x/source", "405"), (.patch, "/whep/session/x/sse", "405"),
    ])
    func otherMethodsAre405WithAllow(method: HTTPMethod, target: String, what: String) throws {
        #expect(try scene.step(method, target) == what)
        let response = try scene.answer(method, target)
        #expect(response?.headers["Allow"]?.contains("OPTIONS") == true)
        #expect(response?.headers["Access-Control-Allow-Origin"] == "*")
    }

    @Test func lookingIsNoError() throws {
        #expect(try scene.step(.get, "/whip/live/a") == "204")
        #expect(try scene.step(.get, "/whep/session/x") == "204")
        let head = try scene.answer(.head, "/whep/live/a")
        #expect(head?.status == 200)
        #expect(head?.headers["Content-Type"] == "application/sdp")
    }

    @Test func preflightNeedsNoCredentialsAndTellsAll() throws {
        let response = try scene.answer(
            .options, "/whip/live/a", [("Access-Control-Request-Private-Network", "true")])
        let headers = try #require(response?.headers)
        #expect(response?.status == 204)
        #expect(headers["Accept-Post"] == "application/sdp")
        #expect(headers["Access-Control-Allow-Methods"]?.contains("POST") == true)
        #expect(headers["Access-Control-Allow-Headers"]?.contains("Authorization") == true)
        #expect(headers["Access-Control-Allow-Headers"]?.contains("If-Match") == true)
        #expect(headers["Access-Control-Expose-Headers"]?.contains("Location") == true)
        #expect(headers["Access-Control-Allow-Private-Network"] == "true")
        let session = try #require(try scene.answer(.options, "/whep/session/x")?.headers)
        #expect(session["Accept-Patch"] == "application/trickle-ice-sdpfrag")
        #expect(session["Access-Control-Allow-Methods"]?.contains("PATCH") == true)
        #expect(session["Access-Control-Allow-Methods"]?.contains("DELETE") == true)
    }

    // MARK: Section 1, bodies

    @Test func onlyTheMediaTypeItselfIsCompared() throws {
        for type in ["application/sdp; charset=utf-8", "Application/SDP", "application/sdp ;a=b"] {
            #expect(
                try scene.step(.post, "/whip/live/a", [("Content-Type", type)], "v=0")
                    == "publish live/a standard v=0")
        }
        // No type at all is believed to mean what belongs here.
        #expect(
            try scene.step(.post, "/whip/live/a", [], "v=0") == "publish live/a standard v=0")
        for type in ["application/json", "text/plain", ""] {
            #expect(
                try scene.step(.post, "/whip/live/a", [("Content-Type", type)], "v=0") == "415")
        }
    }

    @Test func whatIsWrongIsToldBeforeTheBodyIsRead() throws {
        let json = [("Content-Type", "application/json"), ("Content-Length", "50")]
        #expect(try scene.step(.post, "/whip/live/a", json, waiting: true) == "415")
        let large = Self.sdp + [("Content-Length", "65537")]
        #expect(try scene.step(.post, "/whip/live/a", large, waiting: true) == "413")
        let good = Self.sdp + [("Content-Length", "65536")]
        #expect(try scene.step(.post, "/whip/live/a", good, waiting: true) == "body up to 65536")
        #expect(try scene.step(.post, "/whip/live/a", Self.sdp) == "411")
    }

    @Test func anEmptyOfferIs400() throws {
        let empty = Self.sdp + [("Content-Length", "0")]
        #expect(try scene.step(.post, "/whep/live/a", empty) == "400")
    }

    // MARK: Sections 2 and 6, PATCH

    @Test func everyIfMatchIsHandedOn() throws {
        let type = ("Content-Type", "application/trickle-ice-sdpfrag")
        for (header, text) in [("*", "*"), ("\"abc\"", "\"abc\"")] {
            #expect(
                try scene.step(
                    .patch, "/whep/session/x", [type, ("If-Match", header)], "a=end-of-candidates")
                    == "patch x \(text) a=end-of-candidates")
        }
        #expect(try scene.step(.patch, "/whip/session/x", [type], "a=b") == "patch x - a=b")
    }

    @Test func aFragmentThatIsJSONIsRefusedAtOnce() throws {
        let json = [("Content-Type", "application/json"), ("Content-Length", "9")]
        #expect(try scene.step(.patch, "/whip/session/x", json, waiting: true) == "415")
    }

    @Test func anAnswerToACounterOfferIs422() throws {
        let response = try scene.answer(.patch, "/whep/session/x", Self.sdp, "v=0")
        #expect(response?.status == 422)
        #expect(response.map(WHIPScene.body)?.contains("renegotiation-unsupported") == true)
    }

    // MARK: Section 5, what a viewer can do more

    @Test func aViewerChangesItsStream() throws {
        let json = [("Content-Type", "application/json")]
        #expect(
            try scene.step(.post, "/whep/session/x/source", json, #"{"name":"live/b"}"#)
                == "change x live/b")
        #expect(try scene.step(.post, "/whep/session/x/source", json, #"{"name":"a..b"}"#) == "400")
        #expect(try scene.step(.post, "/whep/session/x/source", json, #"{}"#) == "400")
        #expect(try scene.step(.post, "/whep/session/x/source", json, #"[["#) == "400")
    }

    @Test func bothWordsForALayerAreUnderstood() throws {
        let url = "/whep/session/x/layer"
        #expect(try scene.step(.post, url, [], "{}") == "select x automatic")
        #expect(
            try scene.step(.post, url, [], #"{"mediaId":"1","rid":"h"}"#)
                == #"select x encoding("h")"#)
        #expect(
            try scene.step(.post, url, [], #"{"mediaId":"1","encodingId":"q"}"#)
                == #"select x encoding("q")"#)
        #expect(try scene.step(.post, url, [], #"{"rid":null}"#) == "select x automatic")
        for body in [#"{"rid":7}"#, #"{"rid":""}"#, #"{"rid":"a b"}"#, "[]"] {
            #expect(try scene.step(.post, url, [], body) == "400")
        }
    }

    @Test func eventsAreAskedForByPOSTOrByGET() throws {
        let url = "/whep/session/x/sse"
        let response = try scene.answer(.post, url, [], #"["active","viewercount","later"]"#)
        #expect(response?.status == 201)
        #expect(response?.headers["Location"] == "\(url)?events=active,viewercount")
        #expect(
            try scene.step(.get, "\(url)?events=active,viewercount")
                == "listen x active viewercount")
        // Players that open the link itself.
        #expect(
            try scene.step(.get, url) == "listen x active inactive layers reconnect viewercount")
    }

    // MARK: Older JSON signalling

    @Test func srsNamesTheStreamInTheBody() throws {
        let body = #"{"api":"x","streamurl":"webrtc://gw:8000/show/cam?token=k","sdp":"v=0"}"#
        #expect(
            try scene.step(.post, "/rtc/v1/publish/", [("Content-Type", "text/plain")], body)
                == "publish show/cam srs v=0")
        #expect(try scene.step(.post, "/rtc/v1/play/", [], body) == "play show/cam srs v=0")
        for bad in [
            "{}", #"{"streamurl":"x","sdp":""}"#, #"{"streamurl":"webrtc://h","sdp":"v=0"}"#,
            #"{"streamurl":"webrtc://h/../x","sdp":"v=0"}"#,
        ] {
            #expect(try scene.step(.post, "/rtc/v1/play/", [], bad) == "400", "\(bad)")
        }
    }

    @Test func zlmSendsPlainSDP() throws {
        let url = "/index/api/webrtc?app=live&stream=cam1"
        let text = [("Content-Type", "text/plain;charset=utf-8")]
        #expect(
            try scene.step(.post, "\(url)&type=play", text, "v=0") == "play live/cam1 zlm v=0")
        #expect(
            try scene.step(.post, "\(url)&type=push", text, "v=0") == "publish live/cam1 zlm v=0")
    }
}
