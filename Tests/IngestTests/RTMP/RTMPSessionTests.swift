import Containers
import Media
import RTMP
import Stream
import Testing
import Wire

/// Commands as encoders and players send them (brief 3 and 8).
struct RTMPSessionTests {
    static func code(_ command: RTMPCommand) -> String? {
        command.arguments.first?["code"]?.string
    }

    @Test func everyCutOfAPublisherMeansTheSame() throws {
        let tags = try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac"))
        var whole: [UInt8] = []
        let recorder = FakeEncoder()
        recorder.connect()
        recorder.publish()
        var box = Outbox(limit: 1 << 20)
        let writer = ChunkWriter()
        for tag in tags[..<8] {
            let kind: RTMPKind =
                tag.kind == .video ? .video : tag.kind == .audio ? .audio : .dataAMF0
            writer.write(kind, tag.body, stream: 1, stamp: tag.stamp, into: &box)
        }
        whole = bytes(of: &box)
        var expected: [ItemMeta] = []
        for cut in stride(from: 0, to: whole.count, by: 37) {
            let encoder = FakeEncoder()
            encoder.connect()
            encoder.publish()
            encoder.send(Array(whole[..<cut]))
            encoder.send(Array(whole[cut...]))
            let metas = encoder.effects.media.items.map(\.meta)
            #expect(metas.count >= 5)
            if cut == 0 { expected = metas } else { #expect(metas == expected, "cut at \(cut)") }
        }
    }

    @Test func theHandshakeDoesNotLookAtC2AndTakesItGluedToChunks() {
        let encoder = FakeEncoder(handshaken: false)
        var random = SplitMix64(seed: 2)
        var box = Outbox()
        ChunkWriter().write(
            .commandAMF0, RTMPCommand("connect", 1, .object([])).bytes, stream: 0, stamp: 0,
            into: &box)
        encoder.send(
            RTMPHandshake.begin(random: &random)
                + [UInt8](repeating: 7, count: RTMPHandshake.count) + bytes(of: &box))
        #expect(encoder.session.isEstablished)
    }

    @Test func connectIsAnsweredWithWindowBandwidthChunkSizeAndCapabilities() throws {
        let encoder = FakeEncoder()
        encoder.say(RTMPCommand("connect", 1, .object([.init("app", .string("live"))])))
        let messages = encoder.messages()
        #expect(
            messages.map(\.kind) == [
                .windowSize, .peerBandwidth, .setChunkSize, .commandAMF0, .commandAMF0,
            ])
        let answer = messages[3].body
        let result = try RTMPCommand(answer.raw, .commandAMF0)
        #expect(result.name == "_result" && result.transaction == 1)
        let facts = try #require(result.arguments.first)
        #expect(facts["code"]?.string == "NetConnection.Connect.Success")
        #expect(facts["videoFourCcInfoMap"]?["hvc1"]?.number == 4)
        #expect(facts["capsEx"]?.number == 6)
    }

    /// Haivision will not go on without an answer to `_checkbw`.
    @Test(arguments: ["_checkbw", "releaseStream", "FCSubscribe", "somethingNew"])
    func everyUnknownCallGetsAnEmptyAnswer(_ name: String) {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.say(RTMPCommand(name, 9))
        #expect(encoder.commands().map(\.transaction) == [9])
    }

    /// Livestream Studio and hardware fail without the number.
    @Test func fcPublishIsAnsweredWithANumber() {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.say(RTMPCommand("FCPublish", 3, .null, [.string("cam1")]))
        let said = encoder.commands()
        #expect(said.map(\.name) == ["_result", "onFCPublish"])
        #expect(said.map(\.transaction) == [3, 0])
        #expect(Self.code(said[1]) == "NetStream.Publish.Start")
    }

    @Test func streamsAreNumberedFromOne() {
        let encoder = FakeEncoder()
        encoder.say(RTMPCommand("connect", 1, .object([])))
        _ = encoder.messages()
        encoder.say(RTMPCommand("createStream", 2))
        encoder.say(RTMPCommand("createStream", 3), kind: .commandAMF3)
        #expect(encoder.commands().map { $0.arguments.first?.number } == [1, 2])
    }

    @Test func publishingIsAskedForAndNothingIsTakenBeforeTheAnswer() throws {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.say(RTMPCommand("publish", 5, .null, [.string("cam1?token=KEY")]), on: 1)
        let (question, id) = try #require(encoder.question())
        guard case .publish(1, let name, let credential, _, let publication) = question else {
            Issue.record("not a publication: \(question)")
            return
        }
        #expect(name == "live/cam1" && credential.token == "KEY")
        #expect(publication.slots.isEmpty && !publication.answersPLI)
        let tags = try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac"))
        for tag in tags[1..<5] where tag.kind == .video {
            encoder.message(.video, tag.body, at: tag.stamp)
        }
        #expect(encoder.effects.media.isEmpty && !encoder.session.wantsBytes)
        encoder.answer(.published(1), id)
        #expect(encoder.commands().compactMap(Self.code) == ["NetStream.Publish.Start"])
        #expect(!encoder.effects.media.isEmpty, "what had waited is taken now")
    }

    @Test(arguments: [
        (Refusal.Code.nameInUse, "NetStream.Publish.BadName"),
        (.unauthenticated, "NetStream.Publish.Denied"),
        (.outOfMemory, "NetStream.Publish.Rejected"),
    ])
    func refusalsSayWhyInTheCodesOfOBS(_ code: Refusal.Code, _ expected: String) throws {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.say(RTMPCommand("publish", 5, .null, [.string("cam1")]), on: 1)
        let (_, id) = try #require(encoder.question())
        encoder.answer(.refused(Refusal(code, "because of this")), id)
        let status = try #require(encoder.commands().last)
        #expect(Self.code(status) == expected)
        #expect(status.arguments.first?["level"]?.string == "error")
        #expect(status.arguments.first?["description"]?.string?.contains("because of this") == true)
        #expect(encoder.closed != nil)
    }

    /// Haivision and FMLE stop and start on one connection.
    @Test func aStreamMayBePublishedAgainOnTheSameConnection() throws {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.publish()
        encoder.say(RTMPCommand("FCUnpublish", 6, .null, [.string("cam1")]))
        encoder.say(RTMPCommand("deleteStream", 7, .null, [.number(1)]))
        #expect(encoder.effects.list.contains(.unpublish(1, .done)))
        encoder.say(RTMPCommand("createStream", 8))
        encoder.effects.clear()
        encoder.publish("cam2")
        #expect(encoder.commands().compactMap(Self.code).last == "NetStream.Publish.Start")
    }

    @Test func windowsAreAcknowledgedAndTinyOnesAreNot() {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.publish()
        encoder.message(.windowSize, [0, 0, 0, 1], on: 0)
        _ = encoder.messages()
        for _ in 0..<100 { encoder.message(.audio, [UInt8](repeating: 0xaf, count: 1000)) }
        let acks = encoder.messages().filter { $0.kind == .acknowledgement }
        #expect(acks.count == 3, "one for each 32 KiB, whatever it wanted")
    }

    @Test func pingsAreAnswered() {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.message(.userControl, [0, 6, 1, 2, 3, 4], on: 0)
        #expect(encoder.messages().map(\.body) == [[0, 7, 1, 2, 3, 4]])
    }

    @Test func aSilentPublisherIsSentAway() throws {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.publish()
        encoder.expire(.seconds(29))
        #expect(encoder.closed == nil)
        encoder.expire(.seconds(1))
        #expect(encoder.closed == .silent)
        #expect(encoder.commands().last.flatMap(Self.code) == "NetStream.Publish.Rejected")
    }

    @Test func whoNeitherPublishesNorPlaysIsSentAway() {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.expire(.seconds(15))
        #expect(encoder.closed == .silent)
    }

    @Test func aCodecThatNobodyCanPlayEndsItInWords() throws {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.publish()
        _ = encoder.messages()
        encoder.message(.audio, [0x90] + Array("fLaC".utf8) + [1])
        let status = try #require(encoder.commands().last)
        #expect(Self.code(status) == "NetStream.Publish.Rejected")
        #expect(
            status.arguments.first?["description"]?.string?.contains(
                "FLAC cannot be played by anybody here: set the encoder to AAC") == true)
        #expect(encoder.closed != nil)
    }

    @Test func whoReplacesItIsSaid() {
        let encoder = FakeEncoder()
        encoder.connect()
        encoder.publish()
        encoder.notice(.ended(1, .replaced))
        #expect(encoder.commands().compactMap(Self.code).last == "NetStream.Publish.BadName")
        #expect(encoder.closed == .replaced)
    }

    // MARK: Players

    static func snapshot(_ codec: Codec, isComplete: Bool = true) -> StreamSnapshot {
        var snapshot = StreamSnapshot(name: "live/a")
        snapshot.tracksComplete = isComplete
        let format = Format(codec: codec, clockRate: 90_000)
        let slot = StreamSnapshot.SlotState(slot: .video, format: format, form: .frames, rids: [])
        snapshot.slots = [slot]
        return snapshot
    }

    static func player(_ answer: Answer) throws -> FakeEncoder {
        let player = FakeEncoder()
        player.connect()
        player.say(RTMPCommand("play", 0, .null, [.string("a")]), on: 1)
        let (_, id) = try #require(player.question())
        player.answer(answer, id)
        return player
    }

    @Test func playIsAnsweredAsPlayersExpect() throws {
        let player = try Self.player(.subscribed(Self.snapshot(.h264)))
        let messages = player.messages()
        #expect(messages.first?.body == [0, 0, 0, 0, 0, 1], "StreamBegin")
        let codes = messages.compactMap { try? RTMPCommand($0.body.raw, .commandAMF0) }
            .compactMap(Self.code)
        #expect(codes == ["NetStream.Play.Reset", "NetStream.Play.Start"])
        #expect(messages.last?.kind == .dataAMF0)
    }

    @Test func aCodecThatRTMPDoesNotCarryIsRefusedWithTheFix() throws {
        let player = try Self.player(.subscribed(Self.snapshot(.vp8)))
        let status = try #require(player.commands().last)
        #expect(Self.code(status) == "NetStream.Play.Failed")
        #expect(
            status.arguments.first?["description"]?.string?.contains("publish H.264") == true)
    }

    @Test func pauseAndSeekAreAnswered() throws {
        let player = try Self.player(.subscribed(Self.snapshot(.h264)))
        _ = player.messages()
        player.say(RTMPCommand("pause", 0, .null, [.boolean(true), .number(0)]), on: 1)
        player.say(RTMPCommand("pause", 0, .null, [.boolean(false), .number(0)]), on: 1)
        player.say(RTMPCommand("seek", 0, .null, [.number(1000)]), on: 1)
        #expect(
            player.commands().compactMap(Self.code) == [
                "NetStream.Pause.Notify", "NetStream.Unpause.Notify", "NetStream.Seek.Notify",
                "NetStream.Play.Start",
            ])
        #expect(player.effects.list.contains(.pause(1, .video)))
        #expect(player.effects.list.contains(.resume(1, .audio)))
    }

    @Test func theEndIsSaidTwice() throws {
        let player = try Self.player(.subscribed(Self.snapshot(.h264)))
        _ = player.messages()
        player.notice(.ended(1, .publisherGone))
        let messages = player.messages()
        #expect(messages.map(\.kind) == [.commandAMF0, .userControl])
        #expect(messages.last?.body == [0, 1, 0, 0, 0, 1], "StreamEOF")
    }

    @Test func itWaitsForAllThatIsDueAndNotLonger() throws {
        let player = try Self.player(.subscribed(Self.snapshot(.h264, isComplete: false)))
        let present = [PresentSlot(slot: .video, format: Format(codec: .h264, clockRate: 90_000))]
        let now = player.now
        player.read { session, out in
            #expect(!session.begin(present, channel: 1, at: now, out: &out), "sound may come")
            #expect(session.deadline == now + .milliseconds(2_500))
            let late = now + .milliseconds(2_500)
            #expect(session.begin(present, channel: 1, at: late, out: &out))
        }
    }
}
