import GB28181
import Testing
import Wire

/// Registration, keep-alives, catalogues and calls, as a dialogue on a clock that the test holds.
struct GBPlatformTests {
    // MARK: - Registration

    @Test func aCameraRegistersWithItsPassword() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        let first = scene.tell(camera.register())
        #expect(first?.status == 401)
        // Pitfall 1: Dahua ignores a challenge without it.
        #expect(first?["WWW-Authenticate"]?.contains("algorithm=MD5") == true)
        #expect(first?["Via"]?.contains("rport=40211") == true)
        #expect(first?["Via"]?.contains("received=203.0.113.9") == true)
        let answer = scene.tell(
            camera.register(camera.authorization(first?["WWW-Authenticate"] ?? "")))
        #expect(answer?.status == 200)
        #expect(answer?["Expires"] == "3600")
        #expect(answer?["Date"] == "1970-01-01T08:16:40.000")
        #expect(scene.platform.devices[camera.id]?.isOnline == true)
        #expect(scene.events == [.online(camera.id)])
    }

    @Test func otherDigestsAreAccepted() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        camera.algorithm = "SHA-256"
        #expect(scene.register(&camera) == 200)
    }

    /// Pitfall 2: Hikvision signs another address than it asks.
    @Test func theSignedAddressMayDiffer() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        let challenge = scene.tell(camera.register())?["WWW-Authenticate"] ?? ""
        let signed = camera.authorization(challenge, uri: "sip:\(SimulatedCamera.server)@10.0.0.1")
        #expect(scene.tell(camera.register(signed))?.status == 200)
    }

    @Test func whoDoesNotKnowThePasswordIsRefusedAndThenNotHeard() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        camera.password = "wrong"
        for _ in 0..<5 { #expect(scene.register(&camera) == 403) }
        camera.password = SimulatedCamera.password
        #expect(scene.tell(camera.register())?.status == 403)
        scene.pass(.seconds(31))
        #expect(scene.register(&camera) == 200)
        #expect(scene.platform.devices.count == 1)
    }

    /// Who only sends in a camera's name cannot lock it out.
    @Test func whoHasHeardNoChallengeIsNotGuessing() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        let forged = camera.authorization("Digest realm=\"x\", nonce=\"0\"")
        for _ in 0..<10 { #expect(scene.tell(camera.register(forged))?.status == 403) }
        #expect(scene.register(&camera) == 200)
    }

    /// What stands in brackets is the address, and not the header's.
    @Test func aContactIsGivenBackWhole() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        camera.contact = "192.168.1.64:5060;transport=udp"
        scene.register(&camera)
        let answer = scene.sent.last { $0.message.status == 200 }?.message
        #expect(
            answer?["Contact"]
                == "<sip:\(camera.id)@192.168.1.64:5060;transport=udp>;expires=3600")
    }

    @Test func aNonceCountsOnceAndForItsDeviceOnly() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        let challenge = scene.tell(camera.register())?["WWW-Authenticate"] ?? ""
        let proof = camera.authorization(challenge)
        #expect(scene.tell(camera.register(proof))?.status == 200)
        let again = scene.tell(camera.register(proof))
        #expect(again?.status == 401)
        #expect(again?["WWW-Authenticate"]?.contains("stale=true") == true)
        var other = SimulatedCamera()
        other.id = "34020000001320000002"
        other.callID = "other"
        #expect(scene.tell(other.register(other.authorization(challenge)))?.status == 401)
        // An old one is stale, too.
        let old = scene.tell(other.register())?["WWW-Authenticate"] ?? ""
        scene.pass(.seconds(301))
        #expect(scene.tell(other.register(other.authorization(old)))?.status == 401)
    }

    @Test func aRepeatedRequestGetsTheSameAnswer() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        let text = camera.register()
        let first = scene.tell(text)
        #expect(scene.tell(text) == first)
        #expect(scene.platform.figures.messages == 2)
    }

    /// Pitfall 40: a refresh without a password changes nothing.
    @Test func aRefreshIsAuthenticatedToo() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        scene.register(&camera)
        camera.expires = 0
        #expect(scene.tell(camera.register())?.status == 401)
        #expect(scene.platform.devices[camera.id]?.isOnline == true)
        #expect(scene.register(&camera) == 200)
        #expect(scene.platform.devices[camera.id]?.isOnline == false)
    }

    /// Pitfalls 3 and 4: what a device says of its own address is not believed.
    @Test func requestsGoWhereTheDeviceReallyIs() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        camera.contact = "10.0.0.9:5060"
        scene.register(&camera)
        scene.pass(.seconds(2))
        let question = scene.sent.last {
            $0.message.method == "MESSAGE" && $0.message.status == nil
        }
        #expect(question?.route == SimulatedCamera.home)
        // It moves: signalling follows.
        let moved = GBRoute(
            peer: Address(ipv4: 0xcb00_7110, port: 1), local: SimulatedCamera.home.local)
        scene.register(&camera, from: moved)
        #expect(scene.platform.devices[camera.id]?.route == moved)
    }

    @Test func strangersChangeNothing() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        #expect(scene.tell(camera.keepAlive())?.status == 403)
        scene.register(&camera)
        let stranger = GBRoute(
            peer: Address(ipv4: 0x0a00_0001, port: 5060), local: SimulatedCamera.home.local)
        #expect(scene.tell(camera.keepAlive(), from: stranger)?.status == 403)
        #expect(scene.platform.devices[camera.id]?.route == SimulatedCamera.home)
        #expect(scene.tell("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == nil)
        #expect(scene.tell("\r\n\r\n") == nil)
        #expect(scene.platform.figures.broken == 1)
    }

    // MARK: - Life

    @Test func keepAlivesKeepItAndSilenceEndsIt() {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        scene.register(&camera)
        for _ in 0..<10 {
            scene.pass(.seconds(60))
            #expect(scene.tell(camera.keepAlive())?.status == 200)
        }
        // A port of a NAT that has changed.
        var route = SimulatedCamera.home
        route.peer.port = 50_000
        #expect(scene.tell(camera.keepAlive(), from: route)?.status == 200)
        #expect(scene.platform.devices[camera.id]?.route == route)
        scene.pass(.seconds(239))
        #expect(scene.platform.devices[camera.id]?.isOnline == true)
        scene.pass(.seconds(3))
        #expect(scene.platform.devices[camera.id]?.isOnline == false)
        // Its registration still holds: a sign of life is enough.
        #expect(scene.tell(camera.keepAlive(), from: route)?.status == 200)
        #expect(scene.platform.devices[camera.id]?.isOnline == true)
        scene.pass(.seconds(3600))
        #expect(scene.tell(camera.keepAlive(), from: route)?.status == 403)
    }

    // MARK: - Catalogues

    @Test func aCatalogueComesInAnyOrderAndTwice() throws {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        scene.register(&camera)
        scene.pass(.seconds(2))
        let number = try #require(scene.question("Catalog")).number
        var items = (1...600).map { camera.item($0) }
        items.append(items[3])
        var dice = SplitMix64(seed: 1)
        items.shuffle(using: &dice)
        for item in items { scene.tell(camera.catalogue(number, total: 600, [item])) }
        #expect(scene.platform.devices[camera.id]?.channels.count == 600)
        #expect(scene.events.last == .catalogue(camera.id, channels: 600, isWhole: true))
    }

    @Test func aCatalogueThatStaysIncompleteDeletesNothing() throws {
        var scene = PlatformScene()
        var camera = SimulatedCamera()
        scene.register(&camera)
        scene.pass(.seconds(2))
        var number = try #require(scene.question("Catalog")).number
        scene.tell(camera.catalogue(number, total: 2, [camera.item(1), camera.item(2)]))
        var effects: [GBEffect] = []
        #expect(scene.platform.synchronise(camera.id, at: scene.now, into: &effects))
        scene.note(effects)
        number = try #require(scene.question("Catalog")).number
        scene.tell(camera.catalogue(number, total: 3, [camera.item(3)]))
        scene.pass(.seconds(12))
        #expect(scene.platform.devices[camera.id]?.channels.count == 3)
        #expect(scene.events.last == .catalogue(camera.id, channels: 3, isWhole: false))
    }

    // MARK: - Calls

    static let channel = GBChannelID(
        device: "34020000001320000001", channel: "34020000001320000002")

    private func playing(_ scene: inout PlatformScene) throws -> SIPMessage {
        var camera = SimulatedCamera()
        scene.register(&camera)
        var effects: [GBEffect] = []
        _ = try scene.platform.play(Self.channel, at: scene.now, into: &effects)
        scene.note(effects)
        return try #require(scene.last("INVITE"))
    }

    @Test func aCameraIsCalledAndHungUp() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        let offer = String(decoding: invite.body, as: UTF8.self)
        #expect(offer.contains("m=video 10000 TCP/RTP/AVP 96\r\n"))
        #expect(offer.contains("a=setup:passive\r\n"))
        #expect(offer.contains("c=IN IP4 198.51.100.2\r\n"))
        #expect(offer.contains("\r\ny=0200000") || offer.contains("\r\ny=02000"))
        #expect(invite["Subject"]?.hasPrefix("34020000001320000002:02000") == true)
        scene.tell(PlatformScene.answer(invite, 100))
        let ack = scene.tell(PlatformScene.answer(invite, 200))
        #expect(ack?.method == "ACK")
        #expect(ack?.cSeq?.number == invite.cSeq?.number)
        // Said again, it is acknowledged again, with the same words.
        #expect(scene.tell(PlatformScene.answer(invite, 200)) == ack)
        scene.platform.mediaBegan(Self.channel)
        scene.pass(.seconds(60))
        var effects: [GBEffect] = []
        scene.platform.stop(
            Self.channel, GBFailure(.ended, "unwatched"), at: scene.now, into: &effects)
        scene.note(effects)
        let bye = try #require(scene.last("BYE"))
        #expect(bye.to?.tag == "dev1")
        #expect(bye.callID == invite.callID)
        #expect(scene.platform.callCount == 0 && scene.platform.serialCount == 0)
    }

    /// Pitfall 11: some choose their own.
    @Test func anSSRCOfTheCamerasOwnIsTaken() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        let answer =
            "v=0\r\no=x 0 0 IN IP4 10.0.0.1\r\ns=Embedded Net DVR\r\n"
            + "m=video 0 RTP/AVP 96\r\na=sendonly\r\ny=0300001234\r\n"
        scene.tell(PlatformScene.answer(invite, 200, body: answer))
        #expect(scene.events.contains(.answered(Self.channel, ssrc: 300_001_234)))
    }

    @Test(arguments: [
        (486, "busy"), (404, "channel-not-found"), (403, "forbidden"), (480, "channel-offline"),
    ])
    func refusalsAreNamed(status: Int, code: String) throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        let ack = scene.tell(PlatformScene.answer(invite, status))
        #expect(ack?.method == "ACK")
        #expect(ack?.via?.branch == invite.via?.branch)
        guard case .ended(_, let failure)? = scene.events.last else {
            Issue.record("the call was not ended")
            return
        }
        #expect(failure.code.rawValue == code)
        #expect(scene.platform.callCount == 0 && scene.platform.serialCount == 0)
    }

    @Test func theOtherTransportIsTriedOnce() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        scene.tell(PlatformScene.answer(invite, 488))
        let second = try #require(scene.last("INVITE"))
        #expect(String(decoding: second.body, as: UTF8.self).contains("m=video 10000 RTP/AVP 96"))
        #expect(second.cSeq?.number == 2)
        scene.tell(PlatformScene.answer(second, 488))
        #expect(scene.platform.callCount == 0)
    }

    /// Pitfall 10: nothing stays behind when nobody answers, or when nothing comes.
    @Test func aCallWithoutAnAnswerEnds() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        scene.tell(PlatformScene.answer(invite, 100))
        scene.pass(.seconds(19))
        #expect(scene.last("CANCEL")?.via?.branch == invite.via?.branch)
        #expect(scene.platform.callCount == 0 && scene.platform.serialCount == 0)
        // It says yes after all: it is told that it is too late.
        scene.tell(PlatformScene.answer(invite, 200))
        #expect(scene.last("BYE")?.callID == invite.callID)
    }

    /// Its branch is that of the INVITE, whose own answer still comes.
    @Test func theAnswerToACancelIsNotTheInvites() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        scene.tell(PlatformScene.answer(invite, 100))
        scene.pass(.seconds(19))
        let cancel = try #require(scene.last("CANCEL"))
        #expect(scene.tell(PlatformScene.answer(cancel, 200)) == nil)
        let ack = scene.tell(PlatformScene.answer(invite, 487))
        #expect(ack?.method == "ACK" && ack?.via?.branch == invite.via?.branch)
        #expect(scene.tell(PlatformScene.answer(invite, 487)) == ack)
        #expect(scene.last("BYE") == nil)
    }

    /// The number in an answer is the device's word.
    @Test func theLargestSequenceNumberIsSurvived() throws {
        var scene = PlatformScene()
        var invite = try playing(&scene)
        scene.pass(.seconds(19))
        invite.headers.removeAll { $0.name == "CSeq" }
        invite.add("CSeq", "4294967295 INVITE")
        scene.tell(PlatformScene.answer(invite, 200))
        #expect(scene.last("BYE")?.cSeq?.number == 0)
    }

    @Test func aCameraThatSendsNothingIsHungUp() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        scene.tell(PlatformScene.answer(invite, 200))
        scene.pass(.seconds(12))
        let ends = scene.events.compactMap { event -> GBFailure? in
            if case .ended(_, let failure) = event { failure } else { nil }
        }
        let failure = try #require(ends.first)
        // Pitfall 32: the address that it was told is in the sentence.
        #expect(failure.code == .noMedia && failure.sentence.contains("198.51.100.2:10000"))
        #expect(scene.last("BYE") != nil)
    }

    @Test func requestsAreRepeatedOverUDPAndNotOverTCP() throws {
        var scene = PlatformScene()
        _ = try playing(&scene)
        scene.pass(.seconds(8))
        #expect(scene.sent.count { $0.message.method == "INVITE" } == 5)
        var other = PlatformScene()
        var camera = SimulatedCamera()
        var route = SimulatedCamera.home
        route.connection = 3
        other.register(&camera, from: route)
        var effects: [GBEffect] = []
        _ = try other.platform.play(Self.channel, at: other.now, into: &effects)
        other.note(effects)
        other.pass(.seconds(8))
        #expect(other.sent.count { $0.message.method == "INVITE" } == 1)
        #expect(other.last("INVITE")?["Via"]?.hasPrefix("SIP/2.0/TCP") == true)
    }

    @Test func aSerialRestsBeforeItIsUsedAgain() throws {
        var scene = PlatformScene()
        var seen: Set<UInt32> = []
        var camera = SimulatedCamera()
        scene.register(&camera)
        for _ in 0..<100 {
            var effects: [GBEffect] = []
            seen.insert(try scene.platform.play(Self.channel, at: scene.now, into: &effects))
            scene.platform.stop(
                Self.channel, GBFailure(.ended, "-"), at: scene.now, into: &effects)
        }
        #expect(seen.count == 100)
    }

    @Test func whoIsNotThereCannotBeCalled() {
        var scene = PlatformScene()
        var effects: [GBEffect] = []
        #expect(throws: GBFailure.self) {
            try scene.platform.play(Self.channel, at: scene.now, into: &effects)
        }
    }

    @Test func aCameraMayHangUp() throws {
        var scene = PlatformScene()
        let invite = try playing(&scene)
        scene.tell(PlatformScene.answer(invite, 200))
        let bye =
            "BYE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=b\r\n"
            + "From: <sip:34020000001320000002@3402000000>;tag=dev1\r\n"
            + "To: \(invite["From"] ?? "")\r\n"
            + "Call-ID: \(invite.callID)\r\nCSeq: 5 BYE\r\nContent-Length: 0\r\n\r\n"
        let stranger = GBRoute(
            peer: Address(ipv4: 0x0a00_0001, port: 5060), local: SimulatedCamera.home.local)
        #expect(scene.tell(bye, from: stranger)?.status == 481)
        #expect(scene.platform.callCount == 1)
        #expect(scene.tell(bye)?.status == 200)
        #expect(scene.platform.callCount == 0)
    }
}
