import HTTP
import Testing
import WHIP
import Wire

struct WHIPAnswerTests {
    static let opened = WHIPOutcome.opened(session: "kJ2x", etag: "\"uf\"", sdp: Array("v=0".utf8))

    /// Section 2: OBS makes the string the path and clears the query.
    @Test func theLocationIsAPathWithoutAQuery() {
        let publish = Self.opened.response(.publish, .standard, WHIPLinks())
        #expect(publish.status == 201)
        #expect(publish.headers["Location"] == "/whip/session/kJ2x")
        #expect(publish.headers["Content-Type"] == "application/sdp")
        #expect(publish.headers["ETag"] == "\"uf\"")
        #expect(publish.headers["Accept-Patch"] == "application/trickle-ice-sdpfrag")
        #expect(publish.headers["Cache-Control"] == "no-store")
        #expect(WHIPScene.body(publish) == "v=0")
        let play = Self.opened.response(.play, .standard, WHIPLinks())
        #expect(play.headers["Location"] == "/whep/session/kJ2x")
    }

    /// Section 2: without this, pages get `null`.
    @Test func pagesMaySeeTheHeaders() {
        for outcome in [Self.opened, .trickled, .closed, .refused(Problem(.unauthorized))] {
            let response = outcome.response(.play, .standard, WHIPLinks())
            #expect(response.headers["Access-Control-Allow-Origin"] == "*")
            let exposed = response.headers["Access-Control-Expose-Headers"]
            #expect(exposed?.contains("Location, ETag, Link") == true)
            #expect(exposed?.contains("WWW-Authenticate") == true)
        }
    }

    /// Section 2: the order of attributes, one header each, no comma inside.
    @Test func iceServersAreLinks() {
        let links = WHIPLinks(iceServers: [
            ICEServer(url: "stun:stun.example.org:3478"),
            ICEServer(url: "turn:turn.example.org?transport=udp", username: "u", credential: "p"),
        ])
        let values = Self.opened.response(.publish, .standard, links).headers.values("Link")
        #expect(
            values == [
                "<stun:stun.example.org:3478>; rel=\"ice-server\"",
                "<turn:turn.example.org?transport=udp>; rel=\"ice-server\"; username=\"u\"; "
                    + "credential=\"p\"; credential-type=\"password\"",
            ])
        #expect(values.allSatisfy { !$0.contains(",") })
    }

    @Test func viewersAreToldOfTheExtensions() {
        let values = Self.opened.response(.play, .standard, WHIPLinks()).headers.values("Link")
        #expect(values.contains { $0.hasPrefix("</whep/session/kJ2x/sse>;") })
        #expect(values.contains { $0.hasPrefix("</whep/session/kJ2x/layer>;") })
        let publisher = Self.opened.response(.publish, .standard, WHIPLinks())
        #expect(publisher.headers["Link"] == nil)
    }

    /// Section 1: 204 for candidates without an ETag, 200 with a new one for a restart, and 200
    /// for DELETE, because OBS warns at anything else.
    @Test func eachVerbHasItsStatus() {
        let trickled = WHIPOutcome.trickled.response(.play, .standard, WHIPLinks())
        #expect(trickled.status == 204)
        #expect(trickled.headers["ETag"] == nil)
        let restarted = WHIPOutcome.restarted(etag: "\"n\"", fragment: Array("a=ice-lite".utf8))
            .response(.play, .standard, WHIPLinks())
        #expect(restarted.status == 200)
        #expect(restarted.headers["ETag"] == "\"n\"")
        #expect(restarted.headers["Content-Type"] == "application/trickle-ice-sdpfrag")
        #expect(WHIPOutcome.closed.response(.publish, .standard, WHIPLinks()).status == 200)
    }

    /// Section 5: players take 409 for "not yet", and must be told when to come back; 400 and 406
    /// mean something else to them.
    @Test func refusalsNameCauseFixAndTime() {
        let problem = Problem(.streamNotLive, "live/a", retryAfter: .seconds(2))
        let response = WHIPOutcome.refused(problem).response(.play, .standard, WHIPLinks())
        #expect(response.status == 409)
        #expect(response.headers["Retry-After"] == "2")
        #expect(response.headers["Content-Type"] == "application/problem+json")
        let body = WHIPScene.body(response)
        #expect(body.contains(#""code":"stream-not-live""#))
        // MediaMTX's player looks for this key.
        #expect(body.contains(#""error":"live/a""#))
        let refused = WHIPOutcome.refused(Problem(.unauthorized))
            .response(.publish, .standard, WHIPLinks())
        #expect(refused.headers["WWW-Authenticate"] == "Bearer realm=\"gateway\"")
        #expect(!ProblemCode.allCases.contains { $0 != .notAcceptable && $0.status == 406 })
    }

    @Test func olderSignallingHasACodeInItsJSON() {
        let srs = Self.opened.response(.play, .srs, WHIPLinks())
        #expect(srs.status == 200)
        #expect(
            WHIPScene.body(srs) == #"{"code":0,"type":"answer","sdp":"v=0","sessionid":"kJ2x"}"#)
        let zlm = Self.opened.response(.play, .zlm, WHIPLinks())
        #expect(WHIPScene.body(zlm) == #"{"code":0,"type":"answer","sdp":"v=0","id":"kJ2x"}"#)
        let refused = WHIPOutcome.refused(Problem(.unauthorized))
        #expect(
            WHIPScene.body(refused.response(.play, .zlm, WHIPLinks())).contains(#""code":-100"#))
        #expect(
            WHIPScene.body(refused.response(.play, .srs, WHIPLinks())).contains(#""code":401"#))
    }

    /// What a peer wrote cannot end a header and begin another one.
    @Test func aSessionNameCannotSplitTheHeader() throws {
        let outcome = WHIPOutcome.opened(session: "a\r\nSet-Cookie: x", etag: "e", sdp: [])
        let response = outcome.response(.publish, .standard, WHIPLinks())
        #expect(response.headers["Location"] == "/whip/session/a%0D%0ASet-Cookie: x")
    }
}
