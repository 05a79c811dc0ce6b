import RTSP
import Stream
import Testing
import Wire

/// Pulling from cameras, habit by habit (brief 1, 2, 5 and 8).
struct RTSPClientTests {
    typealias Habits = FakeCamera.Habits
    static let video = "m=video 0 RTP/AVP 26\r\na=control:track0\r\n"
    static let audio = "m=audio 0 RTP/AVP 8\r\na=control:track1\r\n"
    static let metadata =
        "m=application 0 RTP/AVP 107\r\na=control:track2\r\n"
        + "a=rtpmap:107 vnd.onvif.metadata/90000\r\n"

    static func camera(_ change: (inout Habits) -> Void = { _ in }) -> FakeCamera {
        var habits = Habits()
        change(&habits)
        return FakeCamera(habits)
    }

    static func words(_ camera: FakeCamera) -> String {
        switch camera.client.ending {
        case .failed(let words): "failed: \(words)"
        case .denied(let words): "denied: \(words)"
        case .redirected(let url): "redirected: \(url)"
        case nil: ""
        }
    }

    @Test func aCameraIsAskedStepByStepAndItsMediaPublished() {
        let camera = Self.camera { $0.tracks = [Self.video, Self.audio, Self.metadata] }
        let place = "rtsp://192.0.2.1/cam?channel=1&subtype=0"
        #expect(
            camera.requests == [
                "OPTIONS \(place)", "DESCRIBE \(place)", "SETUP \(place)/track0",
                "SETUP \(place)/track1", "PLAY \(place)",
            ])
        #expect(camera.messages.allSatisfy { $0["User-Agent"] != nil })
        #expect(camera.messages[3]["Session"] == "77")
        #expect(camera.messages[4]["Range"] == "npt=0.000-")
        camera.packet(0)
        camera.packet(2, type: 8)
        #expect(camera.media == 2)
        #expect(camera.client.isRunning)
    }

    @Test func everyCutOfItsAnswersMeansTheSame() {
        // Byte by byte: the machine on the stream is the same.
        let camera = Self.camera()
        for byte in RTSPReaderTests.frame(0, RTSPSessionTests.packet(26, 1, 0)) {
            camera.send([byte])
        }
        #expect(camera.media == 1)
    }

    @Test func withoutAUserAgentSomeRefuse() {
        let camera = Self.camera { $0.needsAgent = true }
        #expect(camera.plays)
    }

    @Test(arguments: [nil, 404, 501])
    func optionsMayFailOrStayUnanswered(status: Int?) {
        let camera = Self.camera { $0.optionsStatus = status }
        camera.pass(.seconds(11))
        #expect(camera.methods.contains("PLAY"), "\(camera.methods)")
    }

    // MARK: - Authentication

    @Test(arguments: [
        "Digest realm=\"cam\", nonce=\"NONCE\"", "Basic realm=\"cam\"",
        "Digest realm=\"cam\", nonce=\"NONCE\", algorithm=SHA-256",
        "Digest realm=\"cam\", nonce=\"NONCE\", algorithm=\"MD5\", opaque=\"x\"",
    ])
    func aPasswordIsProvedInTheWayThatIsAskedFor(challenge: String) {
        var habits = Habits()
        (habits.user, habits.password, habits.challenge) = ("admin", "p@ss #1", challenge)
        let camera = FakeCamera(habits, "rtsp://admin:p%40ss%20%231@192.0.2.1/a")
        #expect(camera.plays, "\(Self.words(camera))")
        #expect(camera.methods == ["OPTIONS", "DESCRIBE", "DESCRIBE", "SETUP", "PLAY"])
        #expect(camera.requests.allSatisfy { !$0.contains("admin") })
    }

    @Test func aNonceThatRunsOutIsRenewedOnceWithEachRequest() {
        var habits = Habits()
        (habits.user, habits.password, habits.nonceLasts) = ("a", "b", 2)
        let camera = FakeCamera(habits, "rtsp://a:b@192.0.2.1/a")
        #expect(camera.plays, "\(Self.words(camera)) \(camera.methods)")
        // A refused keep-alive does not end the stream, and the next one is right.
        for index in 0..<40 {
            camera.packet(0, UInt16(index))
            camera.pass(.seconds(5))
        }
        #expect(camera.client.ending == nil, "\(Self.words(camera))")
    }

    @Test func aWrongPasswordIsTriedOnce() {
        var habits = Habits()
        (habits.user, habits.password) = ("a", "right")
        let camera = FakeCamera(habits, "rtsp://a:wrong@192.0.2.1/a")
        #expect(Self.words(camera) == "denied: user or password is wrong")
        #expect(camera.methods.count { $0 == "DESCRIBE" } == 2)
        habits.nonceLasts = 0
        let rolling = FakeCamera(habits, "rtsp://a:wrong@192.0.2.1/a")
        #expect(Self.words(rolling).hasPrefix("denied"))
        #expect(rolling.methods.count { $0 == "DESCRIBE" } <= 3)
    }

    @Test func aMissingPasswordIsSaidSo() {
        let camera = Self.camera { $0.user = "a" }
        #expect(Self.words(camera).contains("rtsp://USER:PASSWORD@HOST"))
    }

    @Test func aHubOfTPLinkLetsInWhoSeemsToBeItself() {
        let camera = Self.camera {
            $0.user = "x"
            $0.challenge = "Digest realm=\"TP-LINK Streaming Media\", nonce=\"NONCE\""
        }
        #expect(camera.requests.contains { $0.hasPrefix("DESCRIBE rtsp://127.0.0.1/cam") })
    }

    @Test func aRedirectKeepsTheUser() {
        var habits = Habits()
        habits.redirect = "rtsp://192.0.2.9:8554/other"
        let camera = FakeCamera(habits, "rtsp://a:b@192.0.2.1/a")
        guard case .redirected(let url) = camera.client.ending else {
            Issue.record("not redirected: \(Self.words(camera))")
            return
        }
        #expect(url.place == "192.0.2.9:8554" && url.path == "other")
        #expect(url.user == "a" && url.password == "b")
    }

    // MARK: - SETUP

    @Test(arguments: [
        "RTP/AVP/TCP;unicast;interleaved=4-5", "RTP/AVP/TCP;unicast;interleaved=4",
        "RTP/AVP;unicast;interleaved=4-5", "RTP/AVP/TCP;unicast;ssrc=AB12;interleaved=4-5",
    ])
    func theChannelsOfTheAnswerCount(transport: String) {
        let camera = Self.camera { $0.transport = { _ in transport } }
        camera.packet(4)
        #expect(camera.media == 1)
    }

    @Test func tracksOnOneChannelAreToldApartByPayloadType() {
        let camera = Self.camera {
            $0.tracks = [Self.video, Self.audio]
            $0.transport = { _ in "RTP/AVP/TCP;unicast;interleaved=0-1" }
        }
        camera.packet(0, type: 26)
        camera.packet(0, type: 8)
        let slots = camera.effects.list.compactMap { effect -> SlotName? in
            if case .media(_, let slot, _, _) = effect { slot } else { nil }
        }
        #expect(slots == [.video, .audio])
    }

    @Test func anAnswerOfUDPToAQuestionForTCPIsSaid() {
        let camera = Self.camera {
            $0.transport = { _ in "RTP/AVP;unicast;client_port=1-2;server_port=3-4" }
        }
        #expect(Self.words(camera).contains("cannot send media over TCP"))
    }

    @Test func aSecondTrackThatCannotBeHadDoesNotCostTheFirst() {
        let camera = Self.camera {
            $0.tracks = [Self.video, Self.audio]
            $0.setUpStatus = [1: 454]
        }
        camera.packet(0)
        #expect(camera.media == 1)
    }

    @Test func theBaseOfAnInternalAddressStaysOnTheHostThatWasDialled() {
        let camera = Self.camera { $0.contentBase = "rtsp://rtsp://10.0.0.4:554/x/" }
        #expect(camera.requests[2] == "SETUP rtsp://192.0.2.1/x/track0")
        #expect(camera.requests[3] == "PLAY rtsp://192.0.2.1/x/")
    }

    @Test func aRangeThatIsNotLikedIsLeftOut() {
        let camera = Self.camera { $0.refusesRange = true }
        #expect(camera.methods.suffix(2) == ["PLAY", "PLAY"])
        #expect(camera.plays)
    }

    @Test func answersWithoutCSeqAreTaken() {
        let camera = Self.camera { $0.leavesOutCSeq = true }
        #expect(camera.plays)
    }

    @Test func someBeginOnlyWhenEveryTrackIsSetUp() {
        let camera = Self.camera {
            $0.tracks = [Self.video, Self.metadata]
            $0.beginsOnlyWithEveryTrack = true
        }
        camera.packet(0)
        camera.pass(.seconds(9))
        #expect(Self.words(camera).contains("after PLAY"))
        #expect(camera.methods.last == "TEARDOWN")
        camera.again("rtsp://192.0.2.1/a")
        #expect(camera.setUps == 2)
        camera.packet(0)
        #expect(camera.media == 1)
    }

    // MARK: - Staying alive

    static func alive(_ camera: FakeCamera, seconds: Int) {
        for index in 0..<seconds {
            camera.packet(0, UInt16(index))
            camera.pass(.seconds(1))
        }
    }

    @Test func keepAlivesAreSentByWhatThePublicListNames() {
        let camera = Self.camera { $0.session = "9;timeout=30" }
        Self.alive(camera, seconds: 60)
        let kept = camera.messages.filter { message in
            if case .request("GET_PARAMETER", _) = message.start { true } else { false }
        }
        #expect(kept.count == 4)
        // The base address, not a track's; the id without its parameter.
        #expect(kept.allSatisfy { $0["Session"] == "9" })
        let other = Self.camera { $0.methods = "OPTIONS, DESCRIBE, SETUP, PLAY" }
        Self.alive(other, seconds: 60)
        #expect(other.methods.count { $0 == "OPTIONS" } == 3)
    }

    @Test(arguments: [nil, 454, 455, 405])
    func anAnswerToAKeepAliveEndsNothing(status: Int?) {
        let camera = Self.camera { $0.keepAliveStatus = status }
        Self.alive(camera, seconds: 120)
        #expect(camera.client.ending == nil, "\(Self.words(camera))")
        if status == 405 { #expect(camera.methods.last == "OPTIONS") }
    }

    @Test func receiverReportsGoEveryFiveSeconds() {
        let camera = Self.camera()
        Self.alive(camera, seconds: 31)
        #expect(camera.reports == 6)
    }

    @Test func whatTheCameraAsksIsAnswered() {
        let camera = Self.camera()
        let before = camera.requests.count
        camera.send(Array("OPTIONS rtsp://192.0.2.7/ RTSP/1.0\r\nCSeq: 5\r\n\r\n".utf8))
        camera.packet(0)
        #expect(camera.media == 1)
        #expect(camera.requests.count == before)
    }

    @Test func silenceIsNoticedAndGoodbyeSaid() {
        let camera = Self.camera()
        camera.packet(0)
        camera.pass(.seconds(9))
        #expect(Self.words(camera) == "failed: no media for 8 s")
        #expect(camera.methods.last == "TEARDOWN")
    }

    @Test func garbageForAnHourEndsEachTryWithAReason() {
        let camera = Self.camera()
        for index in 0..<200 {
            camera.again("rtsp://192.0.2.1/a")
            var random = SplitMix64(seed: UInt64(index))
            for _ in 0..<40 where camera.client.ending == nil {
                camera.send((0..<5000).map { _ in UInt8(truncatingIfNeeded: random.next()) })
                camera.pass(.seconds(1))
            }
            camera.pass(.seconds(20))
            #expect(camera.client.ending != nil)
        }
    }

    @Test func noCodecThatWeKnowIsSaidByName() {
        let camera = Self.camera {
            $0.tracks = ["m=video 0 RTP/AVP 96\r\na=rtpmap:96 X-PRIVATE/90000\r\n"]
        }
        #expect(Self.words(camera).contains("X-PRIVATE"))
    }
}
