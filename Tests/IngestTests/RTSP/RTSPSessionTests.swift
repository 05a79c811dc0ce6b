import Codecs
import Crypto
import Media
import RTP
import RTSP
import SDP
import Stream
import Testing
import Wire

/// The other end of a session, on a held clock.
final class FakeRTSPClient {
    let session: RTSPSession
    var now = Instant.start
    var effects = Effects()
    private var out = Outbox(limit: 1 << 20)
    private var reader = RTSPReader()
    private var heard: [UInt8] = []
    private var pending: [UInt8] = []
    private var sequence = 0
    var frames: [(channel: UInt8, bytes: [UInt8])] = []
    var messages: [RTSPMessage] = []

    static let address = Address(ipv4: 0xc000_0205, port: 40_000)

    init(takesUDP: Bool = true, secret: Entropy = Entropy(high: 1, low: 2)) {
        session = RTSPSession(
            peer: Self.address, takesUDP: takesUDP, seed: 1, secret: secret, wall: .seconds(7),
            at: .start)
    }

    /// It sends this to one of our ports.
    func datagram(_ bytes: [UInt8], on line: LineNumber, from source: Address) {
        session.receive(
            datagram: bytes.raw, from: source, on: line, at: now, into: &effects, out: &out)
    }

    /// What has left by UDP since somebody last asked.
    var datagrams: [SentDatagram] { SentDatagram.all(of: session.datagrams) }

    func send(_ bytes: [UInt8]) {
        pending += bytes
        session.take(&pending, at: now, into: &effects, out: &out)
        collect()
    }

    private func collect() {
        heard += bytes(of: &out)
        var start = 0
        while let element = try? reader.next(heard.raw, from: &start) {
            switch element {
            case .frame(let channel, let range): frames.append((channel, Array(heard[range])))
            case .message(let message): messages.append(message)
            }
        }
        heard.removeFirst(start)
    }

    @discardableResult
    func ask(
        _ method: String, _ url: String = "rtsp://192.0.2.1:8554/live/a",
        _ headers: [String: String] = [:], body: String = ""
    ) -> RTSPMessage? {
        sequence += 1
        var request = RTSPMessage(.request(method: method, url: url))
        request.add("CSeq", String(sequence))
        for (name, value) in headers { request.add(name, value) }
        request.body = Array(body.utf8)
        let before = messages.count
        send(request.bytes)
        return messages.count > before ? messages.last : nil
    }

    func expire(_ passed: Interval) {
        now = now + passed
        session.expire(at: now, into: &effects, out: &out)
        collect()
    }

    /// Answers the last question.
    func answer(_ answer: Answer) {
        guard let id = questions.last?.1 else { return }
        session.answer(answer, to: id, at: now, into: &effects, out: &out)
        collect()
        send([])
    }

    var questions: [(Question, QuestionID)] {
        effects.list.compactMap { effect in
            if case .ask(let question, let id) = effect { (question, id) } else { nil }
        }
    }

    func begin(_ present: [PresentSlot], channel: ChannelID = 1) -> Bool {
        defer { collect() }
        return session.begin(present, channel: channel, at: now, out: &out)
    }

    func give(
        _ payload: [UInt8], _ format: Format, ticks: Int64, capture: Instant, jump: Jump? = nil,
        slot: SlotName
    ) {
        let meta = ItemMeta(
            ticks: ticks, arrival: capture, length: payload.count, flags: [.frameEnd, .marker])
        session.send(
            ReadItem(
                payload.raw, meta, Encoding.FormatEra(format), at: 0,
                of: EncodingID(epoch: 1, layer: 0), slot: slot, channel: 1, jump: jump,
                capture: capture), out: &out)
        collect()
    }

    var status: Int? {
        if case .response(let status) = messages.last?.start { status } else { nil }
    }
    var isClosed: Bool {
        effects.list.contains { if case .close = $0 { true } else { false } }
    }
}

/// Dialogues with encoders and players (brief 2, 3 and 4).
struct RTSPSessionTests {
    static let h264: Format = {
        var format = Format(codec: .h264, clockRate: 90_000)
        format.parameterSets = [[0x67, 0x42, 0xc0, 0x1e], [0x68, 0xce, 0x3c, 0x80]]
        format.profile = 0x42c01e
        return format
    }()
    static let pcma = Format(g711: .pcma)
    static let present = [
        PresentSlot(slot: .video, format: h264), PresentSlot(slot: .audio, format: pcma),
    ]

    static var snapshot: StreamSnapshot {
        var snapshot = StreamSnapshot(name: "live/a")
        snapshot.tracksComplete = true
        snapshot.slots = present.map {
            StreamSnapshot.SlotState(slot: $0.slot, format: $0.format, form: .packets, rids: [])
        }
        return snapshot
    }

    static let tcp = ["Transport": "RTP/AVP/TCP;unicast;interleaved=0-1"]

    /// A player that has been told what there is. The first DESCRIBE moves to channel 1.
    static func described(
        _ url: String = "rtsp://192.0.2.1:8554/live/a"
    ) -> FakeRTSPClient {
        let client = FakeRTSPClient()
        client.ask("DESCRIBE", url)
        client.answer(.subscribed(snapshot))
        #expect(!client.begin(present))
        return client
    }

    static func playing() -> FakeRTSPClient {
        let client = described()
        client.ask("SETUP", "rtsp://192.0.2.1:8554/live/a/trackID=0", tcp)
        client.ask(
            "SETUP", "rtsp://192.0.2.1:8554/live/a/trackID=1",
            ["Transport": "RTP/AVP/TCP;unicast;interleaved=2-3"])
        return client
    }

    /// The seed gives SSRC and session id, which everybody sees; the nonce is not made of it.
    @Test func theNonceComesOfTheSecretAlone() {
        func nonce(_ secret: Entropy) -> String? {
            let client = FakeRTSPClient(secret: secret)
            client.ask("DESCRIBE")
            client.answer(.refused(Refusal(.unauthenticated, "a key is wanted")))
            return client.messages.last?.values("WWW-Authenticate").first
        }
        let first = nonce(Entropy(high: 1, low: 2))
        #expect(first?.hasPrefix("Digest realm=\"gateway\", nonce=\"") == true)
        #expect(first == nonce(Entropy(high: 1, low: 2)))
        #expect(first != nonce(Entropy(high: 1, low: 3)))
        #expect(first != nonce(Entropy(high: 2, low: 2)))
    }

    @Test func optionsNeedNoPasswordAndNameEverything() {
        let client = FakeRTSPClient()
        let answer = client.ask("OPTIONS", "*")
        #expect(client.status == 200)
        #expect(answer?["Public"]?.contains("GET_PARAMETER") == true)
        #expect(answer?["CSeq"] == "1")
        // The name of this header in exactly this case: some devices insist (go2rtc #7).
        #expect(answer?.headers.first?.name == "CSeq")
    }

    @Test func aStreamIsDescribedWhenItIsKnown() throws {
        let client = Self.described()
        let answer = try #require(client.messages.last)
        #expect(answer["Content-Base"] == "rtsp://192.0.2.1:8554/live/a/")
        let description = try SDPDescription(answer.body.raw)
        #expect(description.connection == "0.0.0.0")
        #expect(description.medias.map(\.control) == ["trackID=0", "trackID=1"])
        #expect(description.medias[0].formats.first?.encoding == "H264")
        let sets = description.medias[0].formats.first?.parameter("sprop-parameter-sets")
        #expect(sets == "Z0LAHg==,aM48gA==")
        #expect(description.medias[1].formats.first?.payloadType == 8)
    }

    @Test func aQueryStaysInTheBaseAndBothStylesOfTrackAreTaken() {
        for track in ["/trackID=1?token=x", "?token=x/trackID=1"] {
            let client = Self.described("rtsp://192.0.2.1:8554/live/a?token=x")
            let base = client.messages.last?["Content-Base"]
            #expect(base == "rtsp://192.0.2.1:8554/live/a?token=x/")
            client.ask("SETUP", "rtsp://192.0.2.1:8554/live/a\(track)", Self.tcp)
            #expect(client.status == 200, "\(track)")
        }
    }

    @Test func theBaseAddressItselfIsTheFirstTrack() {
        // VLC with, HappyTime without a slash.
        for url in ["rtsp://192.0.2.1:8554/live/a/", "rtsp://192.0.2.1:8554/live/a"] {
            let client = Self.described()
            let answer = client.ask("SETUP", url, Self.tcp)
            #expect(client.status == 200)
            #expect(answer?["Session"]?.hasSuffix(";timeout=60") == true)
        }
    }

    @Test func channelsThatAreTakenAreReplaced() {
        let client = Self.described()
        client.ask("SETUP", "rtsp://192.0.2.1/live/a/trackID=0", Self.tcp)
        let second = client.ask("SETUP", "rtsp://192.0.2.1/live/a/trackID=1", Self.tcp)
        #expect(second?["Transport"]?.contains("interleaved=2-3") == true)
        #expect(second?["Transport"]?.contains("ssrc=") == true)
    }

    @Test func aTransportThatWeCannotDoIsSaidSoAndTheNextOneTaken() {
        let client = Self.described()
        let track = "rtsp://192.0.2.1/live/a/trackID=0"
        client.ask("SETUP", track, ["Transport": "RTP/AVP;multicast"])
        #expect(client.status == 461)
        // VLC tries TCP on the same session then.
        client.ask("SETUP", track, Self.tcp)
        #expect(client.status == 200)
    }

    @Test func rtpInfoIsThatOfTheFirstPacketsAndAReportComesBeforeThem() throws {
        let client = Self.playing()
        #expect(client.ask("PLAY") == nil, "answered only with the first item")
        #expect(client.begin(Self.present))
        let capture = Instant.start + .seconds(3)
        client.give(
            [0x65, 1], Self.h264, ticks: 5000, capture: capture, jump: .start, slot: .video)
        client.give(
            [1, 2, 3], Self.pcma, ticks: 800, capture: capture + .milliseconds(40), jump: .start,
            slot: .audio)
        let info = try #require(client.messages.last?["RTP-Info"])
        #expect(client.messages.last?["Range"] == "npt=0.000-")
        let parts = info.split(separator: ",").map { part in
            part.split(separator: ";").map { $0.split(separator: "=", maxSplits: 1)[1] }
        }
        #expect(parts[0][0] == "rtsp://192.0.2.1:8554/live/a/trackID=0")
        #expect(client.frames.map(\.channel) == [1, 3, 0, 2])
        let video = try Self.header(client.frames[2].bytes)
        let audio = try Self.header(client.frames[3].bytes)
        #expect(String(video.sequence) == parts[0][1] && String(audio.sequence) == parts[1][1])
        #expect(String(video.timestamp) == parts[0][2])
        // 40 ms after the moment that RTP-Info names.
        #expect(UInt32(parts[1][2]).map { $0 + 320 } == audio.timestamp)
        #expect(video.marker && video.payloadType == 96 && audio.payloadType == 8)
        let report = client.frames[0].bytes
        var reader = try RTCPReader(report.raw)
        guard case .senderInfo(let sender) = reader.next() else {
            Issue.record("no sender report first")
            return
        }
        #expect(sender.ssrc == video.ssrc)
    }

    @Test func pauseAndPlayAgain() {
        let client = Self.playing()
        client.ask("PLAY")
        _ = client.begin(Self.present)
        client.give([0x65], Self.h264, ticks: 0, capture: .start, jump: .start, slot: .video)
        client.ask("PAUSE")
        #expect(client.status == 200)
        #expect(client.effects.list.contains(.pause(1, .video)))
        client.ask("PLAY")
        #expect(client.effects.list.contains(.resume(1, .audio)))
        let before = client.messages.count
        client.give(
            [0x65], Self.h264, ticks: 900_000, capture: .start + .seconds(10), jump: .resume,
            slot: .video)
        #expect(client.messages.count == before + 1)
        #expect(client.messages.last?["RTP-Info"] != nil)
    }

    @Test func withoutMediaPlayIsAnsweredWithoutRTPInfo() {
        let client = Self.playing()
        client.ask("PLAY")
        client.expire(.seconds(3))
        #expect(client.status == 200)
        #expect(client.messages.last?["RTP-Info"] == nil)
    }

    @Test func aFrameLeftInTheMiddleLeavesAHole() throws {
        let client = Self.playing()
        client.ask("PLAY")
        _ = client.begin(Self.present)
        client.give([0x65], Self.h264, ticks: 0, capture: .start, jump: .start, slot: .video)
        var out = Outbox()
        let meta = ItemMeta(ticks: 3000, arrival: .start, length: 1, flags: [])
        client.session.send(
            ReadItem(
                [0x41].raw, meta, Encoding.FormatEra(Self.h264), at: 1,
                of: EncodingID(epoch: 1, layer: 0), slot: .video, channel: 1, jump: nil,
                capture: .start), out: &out)
        client.give([0x65], Self.h264, ticks: 90_000, capture: .start, jump: .lag, slot: .video)
        let numbers = try client.frames.filter { $0.channel == 0 }.map {
            try Self.header($0.bytes).sequence
        }
        #expect(numbers[1] &- numbers[0] == 3)
    }

    @Test func digestIsAskedForAndHandedToTheGate() throws {
        let client = FakeRTSPClient()
        client.ask("DESCRIBE")
        client.answer(.refused(Refusal(.unauthenticated, "a key is needed")))
        #expect(client.status == 401)
        let challenges = client.messages.last?.values("WWW-Authenticate") ?? []
        // MD5 first: FFmpeg fails at SHA-256.
        #expect(challenges.first?.hasPrefix("Digest realm=") == true)
        #expect(challenges.last?.hasPrefix("Basic ") == true)
        var dice = SplitMix64(seed: 4)
        let challenge = try #require(RTSPChallenge(challenges))
        // Bosch signs the path alone.
        let header = challenge.authorization(
            user: "u", password: "sesame", method: "DESCRIBE", uri: "/live/a", dice: &dice)
        client.ask("DESCRIBE", "rtsp://192.0.2.1:8554/live/a", ["Authorization": header])
        guard case .subscribe(_, _, let credential, _, _) = client.questions.last?.0 else {
            Issue.record("nothing asked")
            return
        }
        let proof = try #require(credential.proof)
        var auth = DigestAuth()
        (auth.user, auth.realm, auth.nonce) = (proof.user, proof.realm, proof.nonce)
        (auth.method, auth.uri) = (proof.method, proof.uri)
        #expect(auth.response(password: "sesame") == proof.response)
        #expect(auth.response(password: "other") != proof.response)
    }

    @Test func whoGuessesIsSentAwayButAskingFirstIsNoFailure() {
        let client = FakeRTSPClient()
        for _ in 0..<20 {
            client.ask("DESCRIBE")
            client.answer(.refused(Refusal(.unauthenticated, "no")))
        }
        #expect(!client.isClosed)
        let basic = "Basic " + Base64.encode(Array("a:b".utf8).raw)
        for _ in 0..<6 {
            client.ask("DESCRIBE", "rtsp://192.0.2.1/live/a", ["Authorization": basic])
            client.answer(.refused(Refusal(.unauthenticated, "no")))
        }
        #expect(client.isClosed)
    }

    @Test func aNonceOfSomebodyElseProvesNothing() {
        let client = FakeRTSPClient()
        let header =
            "Digest username=\"u\", realm=\"gateway\", nonce=\"1\", uri=\"*\", response=\"2\""
        client.ask("DESCRIBE", "rtsp://192.0.2.1/live/a", ["Authorization": header])
        guard case .subscribe(_, _, let credential, _, _) = client.questions.last?.0 else {
            Issue.record("nothing asked")
            return
        }
        #expect(credential.proof == nil && !credential.isEmpty)
    }

    static func header(_ packet: [UInt8]) throws -> RTPHeader { try RTPHeader(packet.raw) }

    // MARK: - Publishers

    static let announced =
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
        + "a=rtpmap:96 H264/90000\r\na=control:streamid=0\r\nm=audio 0 RTP/AVP 8\r\n"
        + "a=control:streamid=1\r\n"

    static func recording(_ style: (Int) -> String) -> FakeRTSPClient {
        let client = FakeRTSPClient()
        client.ask("ANNOUNCE", body: announced)
        client.answer(.allowed(.key("publish"), until: nil))
        for track in 0..<2 {
            client.ask(
                "SETUP", style(track),
                ["Transport": "RTP/AVP/TCP;interleaved=\(2 * track)-\(2 * track + 1);mode=record"])
            #expect(client.status == 200)
        }
        client.ask("RECORD")
        return client
    }

    static func packet(_ type: UInt8, _ sequence: UInt16, _ stamp: UInt32) -> [UInt8] {
        var bytes: [UInt8] = [0x80, type]
        bytes.append(bigEndian: sequence)
        bytes.append(bigEndian: stamp)
        bytes.append(bigEndian: UInt32(type))
        return bytes + [0x65, 0x88, 1, 2]
    }

    @Test func whatIsRecordedGoesIntoItsSlots() throws {
        let client = Self.recording { "rtsp://192.0.2.1:8554/live/a/streamid=\($0)" }
        guard case .publish(_, let name, _, _, let publication) = client.questions.last?.0 else {
            Issue.record("nothing published")
            return
        }
        #expect(name == "live/a")
        #expect(publication.slots.map(\.slot) == [.video, .audio])
        #expect(publication.tracksComplete)
        // What comes before the answer is neither lost nor stored.
        client.send(RTSPReaderTests.frame(0, Self.packet(96, 1, 0)))
        #expect(client.effects.media.isEmpty)
        client.answer(.published(1))
        #expect(client.status == 200)
        client.send(RTSPReaderTests.frame(2, Self.packet(8, 1, 0)))
        #expect(client.effects.sequences.count == 2)
    }

    @Test func tracksAreFoundInEveryStyleOfAddress() {
        let styles: [(Int) -> String] = [
            { "rtsp://192.0.2.1/live/a?token=x/streamid=\($0)" },
            { "rtsp://192.0.2.1/live/a/streamid=\($0)?token=x" },
            { _ in "rtsp://192.0.2.1/live/a" },
        ]
        for style in styles {
            let client = Self.recording(style)
            client.answer(.published(1))
            client.send(RTSPReaderTests.frame(2, Self.packet(8, 1, 0)))
            guard case .media(_, let slot, _, _) = client.effects.list.last else {
                Issue.record("no media")
                continue
            }
            #expect(slot == .audio)
        }
    }

    @Test func swappedChannelsAreToldApartByPayloadType() {
        let client = Self.recording { "rtsp://192.0.2.1/live/a/streamid=\($0)" }
        client.answer(.published(1))
        client.send(RTSPReaderTests.frame(2, Self.packet(96, 1, 0)))
        client.send(RTSPReaderTests.frame(0, Self.packet(8, 1, 0)))
        client.send(RTSPReaderTests.frame(9, Self.packet(8, 2, 160)))
        let slots = client.effects.list.compactMap { effect -> SlotName? in
            if case .media(_, let slot, _, _) = effect { slot } else { nil }
        }
        #expect(slots == [.video, .audio])
        #expect(client.effects.sequences.count == 3)
    }

    @Test func publishersHearReportsAndEndWhenTheyAreSilent() {
        let client = Self.recording { "rtsp://192.0.2.1/live/a/streamid=\($0)" }
        client.answer(.published(1))
        client.send(RTSPReaderTests.frame(0, Self.packet(96, 1, 0)))
        client.expire(.seconds(5))
        #expect(client.frames.map(\.channel) == [1])
        #expect(client.frames[0].bytes[1] == 201)
        client.expire(.seconds(5))
        #expect(client.isClosed)
    }

    @Test func nothingThatCanBeCarriedIsSaidWithTheReason() {
        let client = FakeRTSPClient()
        client.ask("ANNOUNCE", body: "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 WMV/90000\r\n")
        #expect(client.status == 415)
        #expect(client.messages.last?["X-Reason"]?.contains("WMV") == true)
    }

    @Test func stepsOutOfOrderAreRefused() {
        let client = FakeRTSPClient()
        for method in ["SETUP", "PLAY", "RECORD", "PAUSE"] {
            client.ask(method)
            #expect(client.status == 455, "\(method)")
        }
        client.ask("NONSENSE")
        #expect(client.status == 501)
        client.send(Array("OPTIONS * RTSP/2.0\r\nCSeq: 9\r\n\r\n".utf8))
        #expect(client.status == 505)
        client.send(Array("OPTIONS * RTSP/1.0\r\n\r\n".utf8))
        #expect(client.status == 400)
    }

    @Test func aBrowserIsToldThatItIsAtTheWrongDoor() {
        let client = FakeRTSPClient()
        client.send(Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(client.isClosed)
    }

    @Test func teardownIsAnsweredAndEndsEverything() {
        let client = Self.playing()
        client.ask("TEARDOWN")
        #expect(client.status == 200)
        #expect(client.effects.list.contains(.unsubscribe(1)))
        #expect(client.isClosed)
    }
}
