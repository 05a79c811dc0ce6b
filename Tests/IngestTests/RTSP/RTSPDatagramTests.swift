import Media
import RTSP
import Stream
import Testing
import Wire

/// Media over UDP: our players, our publishers, and cameras (brief 3, 4 and 5).
struct RTSPDatagramTests {
    static let udp = ["Transport": "RTP/AVP;unicast;client_port=5000-5001"]
    static let player = FakeRTSPClient.address
    static let track = "rtsp://192.0.2.1:8554/live/a/trackID="

    // MARK: - Players

    private static func playing() -> FakeRTSPClient {
        let client = RTSPSessionTests.described()
        client.ask("SETUP", "\(track)0", udp)
        client.answer(.lines(0, port: 30_500))
        client.ask("PLAY")
        #expect(client.begin(RTSPSessionTests.present))
        return client
    }

    private static func give(_ client: FakeRTSPClient, jump: Jump? = nil) {
        client.give(
            [0x65, 1], RTSPSessionTests.h264, ticks: 5000, capture: client.now, jump: jump,
            slot: .video)
    }

    @Test func aPlayerOverUDPGetsPortsAndItsMediaThere() throws {
        let client = RTSPSessionTests.described()
        #expect(client.ask("SETUP", "\(Self.track)0", Self.udp) == nil, "waits for ports")
        guard case .lines(0) = client.questions.last?.0 else {
            Issue.record("no ports asked for")
            return
        }
        client.answer(.lines(0, port: 30_500))
        let transport = try #require(client.messages.last?["Transport"])
        #expect(
            transport.hasPrefix(
                "RTP/AVP;unicast;client_port=5000-5001;server_port=30500-30501;ssrc="))
        client.ask("PLAY")
        #expect(client.begin(RTSPSessionTests.present))
        Self.give(client, jump: .start)
        #expect(client.status == 200)
        let sent = client.datagrams
        #expect(sent.map(\.line) == [1, 0], "the report is first")
        #expect(sent.map(\.to) == [Self.player.with(port: 5001), Self.player.with(port: 5000)])
        #expect(sent[0].bytes[1] == 200)
        #expect(sent[1].bytes.suffix(2) == [0x65, 1])
        #expect(client.frames.isEmpty, "nothing in the connection")
    }

    @Test func aPlayerBehindANATIsFoundByItsFirstPacketAndNotLedOn() {
        let client = Self.playing()
        let outside = Self.player.with(port: 61_000)
        client.datagram([0x80, 0, 0, 0], on: 0, from: outside)
        client.datagram([0x80, 0xc9, 0, 1], on: 1, from: outside.with(port: 61_001))
        client.datagram([0x80, 0, 0, 0], on: 0, from: outside.with(port: 1))
        Self.give(client, jump: .start)
        #expect(client.datagrams.map(\.to) == [outside.with(port: 61_001), outside])
    }

    @Test func strangersDoNotMoveAPlayer() {
        let client = Self.playing()
        client.datagram([0x80, 0, 0, 0], on: 0, from: Address(ipv4: 0xc633_6401, port: 5000))
        Self.give(client, jump: .start)
        #expect(client.datagrams.allSatisfy { $0.to.isIPv4 && $0.to.ip == Self.player.ip })
        #expect(client.session.strangers == 1)
    }

    @Test func aPlayerOverUDPThatSaysNothingForAMinuteIsGone() {
        let client = Self.playing()
        Self.give(client, jump: .start)
        client.expire(.seconds(50))
        client.datagram([0x81, 0xc9, 0, 7], on: 1, from: Self.player.with(port: 5001))
        client.expire(.seconds(50))
        #expect(!client.isClosed, "its reports are a sign of life")
        client.expire(.seconds(11))
        #expect(client.isClosed)
    }

    @Test func mediaForSomebodyElseIsRefused() {
        let client = RTSPSessionTests.described()
        let transport = "RTP/AVP;unicast;destination=198.51.100.1;client_port=5000-5001"
        client.ask("SETUP", "\(Self.track)0", ["Transport": transport])
        #expect(client.status == 461)
        client.ask("SETUP", "\(Self.track)0", ["Transport": "RTP/AVP;unicast;client_port=0-1"])
        #expect(client.status == 461)
    }

    @Test func whoEncryptsTheDialogueGetsNoMediaInTheClear() {
        let client = FakeRTSPClient(takesUDP: false)
        client.ask("DESCRIBE")
        client.answer(.subscribed(RTSPSessionTests.snapshot))
        #expect(!client.begin(RTSPSessionTests.present))
        client.ask("SETUP", "\(Self.track)0", Self.udp)
        #expect(client.status == 461)
    }

    @Test func withoutPortsAPlayerGoesOnWithTCP() {
        let client = RTSPSessionTests.described()
        client.ask("SETUP", "\(Self.track)0", Self.udp)
        client.answer(.refused(Refusal(.tooMany, "all pairs are taken")))
        #expect(client.status == 461, "FFmpeg tries TCP after a 461 only")
        client.ask("SETUP", "\(Self.track)0", RTSPSessionTests.tcp)
        #expect(client.status == 200)
    }

    /// What FFmpeg does when nothing has come by UDP.
    @Test func afterAPauseAPlayerMaySetUpTCPInstead() {
        let client = Self.playing()
        Self.give(client, jump: .start)
        _ = client.datagrams
        client.ask("PAUSE")
        client.ask("SETUP", "\(Self.track)0", RTSPSessionTests.tcp)
        #expect(client.status == 200)
        client.ask("PLAY")
        Self.give(client, jump: .start)
        #expect(client.frames.contains { $0.bytes.suffix(2) == [0x65, 1] })
        #expect(client.datagrams.isEmpty)
    }

    @Test func describingAnewGivesThePortsBack() {
        let client = Self.playing()
        client.ask("DESCRIBE")
        #expect(client.effects.list.contains(.closeLines))
    }

    // MARK: - Publishers

    private static func recording() -> FakeRTSPClient {
        let client = FakeRTSPClient()
        client.ask(
            "ANNOUNCE", body: "v=0\r\ns=x\r\n" + RTSPClientTests.video + RTSPClientTests.audio)
        client.answer(.allowed(.local, until: nil))
        for index in 0..<2 {
            client.ask(
                "SETUP", "rtsp://192.0.2.1:8554/live/a/track\(index)",
                [
                    "Transport":
                        "RTP/AVP/UDP;unicast;client_port=\(5000 + 2 * index)-"
                        + "\(5001 + 2 * index);mode=record"
                ])
            client.answer(.lines(LineNumber(2 * index), port: 30_500 + UInt16(2 * index)))
        }
        client.ask("RECORD")
        client.answer(.published(1))
        return client
    }

    private static func media(_ client: FakeRTSPClient) -> [SlotName] {
        client.effects.list.compactMap { effect in
            if case .media(_, let slot, _, _) = effect { slot } else { nil }
        }
    }

    @Test func whatIsPublishedOverUDPGoesIntoItsSlots() {
        let client = Self.recording()
        #expect(client.status == 200)
        client.datagram(
            RTSPSessionTests.packet(26, 1, 0), on: 0, from: Self.player.with(port: 5000))
        client.datagram(
            RTSPSessionTests.packet(8, 1, 0), on: 2, from: Self.player.with(port: 5002))
        #expect(Self.media(client) == [.video, .audio])
    }

    @Test func packetsOverUDPAreBroughtIntoOrderAndAHoleIsWaitedForShortly() {
        let client = Self.recording()
        let source = Self.player.with(port: 5000)
        for number: UInt16 in [1, 3, 2, 5] {
            client.datagram(
                RTSPSessionTests.packet(26, number, UInt32(number) * 3000), on: 0, from: source)
        }
        #expect(client.effects.media.count == 3)
        #expect(client.session.deadline <= client.now + .milliseconds(20))
        client.expire(.milliseconds(21))
        #expect(client.effects.media.count == 4, "the hole is given up")
    }

    @Test func whatOthersSendToAPublishersPortIsNotPublished() {
        let client = Self.recording()
        client.datagram(
            RTSPSessionTests.packet(26, 1, 0), on: 0,
            from: Address(ipv4: 0xc633_6401, port: 5000))
        #expect(Self.media(client).isEmpty)
        #expect(client.session.strangers == 1)
    }

    /// FFmpeg sends no keep-alives while it records over UDP: its media is what lives.
    @Test func aPublisherOverUDPLivesByItsMediaAndIsReportedTo() {
        let client = Self.recording()
        for index in 0..<100 {
            client.datagram(
                RTSPSessionTests.packet(26, UInt16(index), UInt32(index) * 90_000), on: 0,
                from: Self.player.with(port: 5000))
            client.expire(.seconds(1))
        }
        #expect(!client.isClosed)
        let reports = client.datagrams
        #expect(reports.count >= 19)
        #expect(reports.allSatisfy { $0.line == 1 && $0.to.port == 5001 && $0.bytes[1] == 201 })
        client.expire(.seconds(11))
        #expect(client.isClosed)
    }

    /// Whatever the peer's own address sends: nothing crashes, and nothing grows.
    @Test func garbageFromThePeerIsTakenForWhatItIs() {
        let publisher = Self.recording()
        let player = Self.playing()
        let camera = FakeCamera(FakeCamera.Habits(), transport: .udp)
        var random = SplitMix64(seed: 7)
        for round in 0..<2_000 {
            var bytes = (0..<Int(random.next() % 200)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            // Half of them look like media or reports.
            if round % 2 == 0, bytes.count > 12 { (bytes[0], bytes[1]) = (0x80, 26) }
            if round % 5 == 0, bytes.count > 12 { (bytes[0], bytes[1]) = (0x81, 200) }
            let line = LineNumber(truncatingIfNeeded: random.next() % 5)
            publisher.datagram(bytes, on: line, from: Self.player)
            player.datagram(bytes, on: line, from: Self.player)
            camera.datagram(bytes, on: line)
            publisher.expire(.milliseconds(1))
            publisher.effects.clear()
            camera.effects.clear()
        }
        #expect(!publisher.isClosed && !player.isClosed)
        #expect(camera.client.ending == nil)
        #expect(player.datagrams.isEmpty, "nothing is answered")
    }
}

/// Pulling over UDP, and from one transport to the other.
struct RTSPTransportSwitchTests {
    typealias Habits = FakeCamera.Habits

    private static let answer = "RTP/AVP;unicast;client_port=30500-30501;server_port=9000-9001"

    private static func camera(
        _ transport: LinkTransport = .auto, hasPorts: Bool = true,
        _ change: (inout Habits) -> Void = { _ in }
    ) -> FakeCamera {
        var habits = Habits()
        change(&habits)
        return FakeCamera(habits, transport: transport, hasPorts: hasPorts)
    }

    private static func transports(_ camera: FakeCamera) -> [String] {
        camera.messages.compactMap { $0["Transport"] }
    }

    @Test func overUDPTheWayIsOpenedAndMediaTaken() {
        let camera = Self.camera(.udp) { $0.transport = { _ in Self.answer } }
        #expect(Self.transports(camera) == ["RTP/AVP;unicast;client_port=30500-30501"])
        let punched = camera.datagrams
        #expect(punched.map(\.to.port) == [9000, 9001])
        #expect(punched.allSatisfy { $0.to.ip == "192.0.2.1" })
        camera.datagram(RTSPSessionTests.packet(26, 1, 0), on: 0)
        #expect(camera.media == 1)
        #expect(camera.client.isRunning)
        camera.pass(.seconds(6))
        #expect(camera.datagrams.contains { $0.line == 1 && $0.bytes[1] == 201 }, "a report")
    }

    /// OpenIPC names no port of its own: any of its address will do, and is learned.
    @Test func aCameraThatNamesNoPortsIsTakenFromAnyOfThem() {
        let camera = Self.camera(.udp) {
            $0.transport = { _ in "RTP/AVP;unicast;client_port=30500-30501;server_port=0-0" }
        }
        #expect(camera.datagrams.isEmpty, "nowhere to send to")
        camera.datagram(RTSPSessionTests.packet(26, 1, 0), on: 0)
        #expect(camera.media == 1)
        camera.datagram(
            RTSPSessionTests.packet(26, 2, 0), on: 0, from: Address(ipv4: 0xc633_6401, port: 9000))
        #expect(camera.media == 1)
        #expect(camera.client.strangers == 1)
    }

    @Test func aCameraWithoutTCPIsAskedForUDPOnTheSameConnection() {
        let camera = Self.camera { $0.tcpStatus = 461 }
        #expect(
            camera.methods == ["OPTIONS", "DESCRIBE", "SETUP", "DESCRIBE", "SETUP", "PLAY"],
            "Hikvision wants DESCRIBE before SETUP again")
        #expect(Self.transports(camera).last == "RTP/AVP;unicast;client_port=30500-30501")
    }

    @Test func theSettingForbidsTheOtherTransport() {
        let camera = Self.camera(.tcp) { $0.tcpStatus = 461 }
        #expect(RTSPClientTests.words(camera).contains("it does not send media over TCP"))
        #expect(!camera.methods.contains("PLAY"))
    }

    @Test func whereTheSettingWantsUDPItsLackIsSaid() {
        var habits = Habits()
        habits.setUpStatus = [0: 461]
        let camera = FakeCamera(habits, transport: .udp)
        #expect(RTSPClientTests.words(camera).contains("it does not send media over UDP"))
    }

    @Test func silenceOverUDPLeadsToTCPWithTheNextConnection() {
        let camera = Self.camera { $0.tcpStatus = 461 }
        camera.pass(.seconds(5))
        #expect(RTSPClientTests.words(camera).contains("no media came over UDP in 4 s"))
        camera.again("rtsp://192.0.2.1/a")
        #expect(Self.transports(camera).contains { $0.hasPrefix("RTP/AVP/TCP") })
    }

    @Test func silenceOverTCPLeadsToEveryTrackAndThenToUDP() {
        let camera = Self.camera()
        var tried: [String] = []
        for _ in 0..<4 {
            tried.append(Self.transports(camera).last?.contains("TCP") == true ? "tcp" : "udp")
            camera.pass(.seconds(9))
            camera.again("rtsp://192.0.2.1/a")
        }
        #expect(tried == ["tcp", "tcp", "udp", "tcp"])
    }

    @Test func aCameraThatAnswersTCPForUDPIsBelieved() {
        let camera = Self.camera(.udp) {
            $0.transport = { _ in "RTP/AVP/TCP;unicast;interleaved=0-1" }
        }
        camera.packet(0)
        #expect(camera.media == 1)
    }

    @Test func withoutPortsOfOursTheCameraIsAskedForTCP() {
        let camera = Self.camera(.udp, hasPorts: false)
        #expect(RTSPClientTests.words(camera).contains("all pairs are taken"))
        let other = Self.camera(hasPorts: false) { $0.tcpStatus = 461 }
        #expect(RTSPClientTests.words(other).contains("no media over UDP"))
    }

    @Test func encryptedCamerasAreNeverAskedForUDP() {
        let camera = FakeCamera(Habits(), "rtsps://192.0.2.1/a", transport: .udp)
        #expect(Self.transports(camera).allSatisfy { $0.hasPrefix("RTP/AVP/TCP") })
    }
}
