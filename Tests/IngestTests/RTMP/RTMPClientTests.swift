import Codecs
import Containers
import Media
import RTMP
import Stream
import Testing
import Wire

/// Our end towards other servers, without a socket.
@Suite struct RTMPClientTests {
    private static let sps = Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    private static let pps = Hex.decode("68eae3cb22c0") ?? []

    private static var format: Format {
        get throws { try Format(h264: sps, parameterSets: [sps, pps]) }
    }

    private static func snapshot(_ name: String) throws -> StreamSnapshot {
        var snapshot = StreamSnapshot(name: name)
        snapshot.tracksComplete = true
        snapshot.slots = [.init(slot: .video, format: try format, form: .frames, rids: [])]
        return snapshot
    }

    private static func frame(key: Bool) -> [UInt8] {
        [0, 0, 0, 100, key ? 0x65 : 0x41] + [UInt8](repeating: 0x5a, count: 99)
    }

    @Test(arguments: [1, 7, 4096])
    func aPullPublishesWhatTheServerPlays(_ piece: Int) throws {
        let pair = try ClientPair(.pull, "rtmp://h/live/there?token=x", piece: piece)
        guard
            case .subscribe(_, let name, let credential, _, _)? =
                ClientPair.question(pair.serverEffects)?.0
        else { return #expect(Bool(false), "the server was not asked to play") }
        #expect(name == "live/there" && credential.token == "x")
        pair.answerServer(.subscribed(try Self.snapshot("live/there")))
        guard
            case .publish(_, let here, let empty, _, let publication)? =
                ClientPair.question(pair.clientEffects)?.0
        else { return #expect(Bool(false), "the client does not publish") }
        #expect(here == "live/here" && empty.isEmpty && publication.principal == .configured)
        #expect(!pair.client.isRunning)
        pair.answerClient(.published(1))
        #expect(pair.client.isRunning)
        let era = Encoding.FormatEra(try Self.format)
        pair.withServer { server, out in
            let present = [PresentSlot(slot: .video, format: era.format)]
            _ = server.begin(present, channel: 1, at: pair.now, out: &out)
            for index in 0..<5 {
                let bytes = Self.frame(key: index == 0)
                let meta = ItemMeta(
                    ticks: Int64(index) * 3600, arrival: pair.now, length: bytes.count,
                    flags: index == 0 ? .key : [])
                server.send(
                    ReadItem(
                        bytes.raw, meta, era, at: Int64(index),
                        of: EncodingID(epoch: 1, layer: 0), slot: .video, channel: 1,
                        jump: index == 0 ? .start : nil,
                        capture: pair.now + .milliseconds(Int64(index) * 40)), out: &out)
            }
        }
        #expect(pair.clientEffects.media.count == 5)
        #expect(
            pair.clientEffects.media.items.map(\.meta.isKey) == [true, false, false, false, false])
    }

    @Test func aPushBringsWhatWeHave() throws {
        let pair = try ClientPair(.push, "rtmp://h:1999/live/there")
        guard case .publish(_, let name, _, _, _)? = ClientPair.question(pair.serverEffects)?.0
        else { return #expect(Bool(false), "the server was not asked to publish") }
        #expect(name == "live/there")
        pair.answerServer(.published(1))
        guard
            case .subscribe(_, "live/here", _, _, let asked)? =
                ClientPair.question(pair.clientEffects)?.0
        else { return #expect(Bool(false), "it does not read what it is to bring") }
        #expect(asked.patience > .zero, "a publisher that has just come has no media yet")
        pair.answerClient(.subscribed(try Self.snapshot("live/here")))
        #expect(pair.client.isRunning && pair.client.deadline > pair.now)
        let era = Encoding.FormatEra(try Self.format)
        pair.withClient { client, out in
            let present = [PresentSlot(slot: .video, format: era.format)]
            #expect(client.begin(present, channel: 1, at: pair.now, out: &out))
            let bytes = Self.frame(key: true)
            let meta = ItemMeta(
                ticks: 0, arrival: pair.now, length: bytes.count, flags: .key)
            client.send(
                ReadItem(
                    bytes.raw, meta, era, at: 0, of: EncodingID(epoch: 1, layer: 0),
                    slot: .video, channel: 1, jump: .start, capture: pair.now), out: &out)
        }
        #expect(pair.serverEffects.media.count == 1)
        pair.serverEffects.clear()
        // The end here is the end there, said and not only done.
        pair.withClient { client, out in
            client.notice(
                .ended(1, .done), at: pair.now, into: &pair.clientEffects, out: &out)
        }
        #expect(pair.serverEffects.list.contains(.unpublish(1, .done)))
        #expect(pair.client.ending == .failed("ended here: done"))
    }

    @Test func aRefusalIsToldInTheServersWords() throws {
        let pair = try ClientPair(.push, "rtmp://h/live/there")
        pair.answerServer(.refused(Refusal(.forbidden, "wrong key")))
        guard case .failed(let words)? = pair.client.ending else {
            return #expect(Bool(false), "it goes on")
        }
        #expect(words.contains("NetStream.Publish.Denied") && words.contains("wrong key"))
        #expect(pair.isClosed && !pair.client.isRunning)
    }

    @Test func anAbsentStreamIsToldInTheServersWords() throws {
        let pair = try ClientPair(.pull, "rtmp://h/live/there")
        pair.answerServer(.refused(Refusal(.notFound, "nobody publishes it")))
        guard case .failed(let words)? = pair.client.ending else {
            return #expect(Bool(false), "it goes on")
        }
        #expect(words.contains("NetStream.Play.StreamNotFound"))
    }

    /// As Adobe's servers and SRS send a client on.
    @Test func aRedirectIsHandedUp() throws {
        let pair = try ClientPair(.pull, "rtmp://h/live/there")
        let facts = AMFValue.object([
            .init("level", .string("error")),
            .init("code", .string("NetConnection.Connect.Rejected")),
            .init(
                "ex",
                .object([
                    .init("code", .number(302)),
                    .init("redirect", .string("rtmp://other:1936/live/there")),
                ])),
        ])
        pair.say(RTMPCommand("onStatus", 0, .null, [facts]))
        #expect(pair.client.ending == .redirected(try LinkURL("rtmp://other:1936/live/there")))
    }

    @Test func whoSaysNothingIsLeft() throws {
        let pair = try ClientPair(.pull, "rtmp://h/live/there")
        #expect(pair.client.deadline == pair.now + .seconds(10))
        pair.expireClient(.seconds(10))
        #expect(pair.client.ending == .failed("no answer in 10 s") && pair.isClosed)
    }

    @Test func aStreamWithoutMediaIsLeft() throws {
        let pair = try ClientPair(.pull, "rtmp://h/live/there")
        pair.answerServer(.subscribed(try Self.snapshot("live/there")))
        pair.answerClient(.published(1))
        pair.expireClient(.seconds(10))
        #expect(pair.client.ending == .failed("no media for 10 s"))
    }

    @Test func anotherProtocolIsNoticedAtTheFirstByte() throws {
        let client = RTMPClient(
            LinkSeed(
                .pull, try LinkURL("rtmp://h/a/b"), name: "a/b", peer: .any(port: 1), random: 1))
        var effects = Effects()
        var out = Outbox()
        client.start(at: .start, into: &effects, out: &out)
        let answer = Array("SSH-2.0\r\n".utf8)
        #expect(client.receive(answer.raw, at: .start, into: &effects, out: &out) == answer.count)
        #expect(client.ending == .failed("what answers there does not speak RTMP"))
    }

    @Test func aURLWithoutAStreamIsNamed() throws {
        let pair = try ClientPair(.pull, "rtmp://h/live")
        guard case .failed(let words)? = pair.client.ending else {
            return #expect(Bool(false), "it goes on")
        }
        #expect(words.contains("rtmp://HOST/APP/STREAM"))
    }

    /// Some servers number their answers otherwise, and refuse what they do not know.
    @Test func errorsToWhatDoesNotMatterAreOverheard() throws {
        let pair = try ClientPair(.push, "rtmp://h/live/there")
        pair.say(RTMPCommand("_error", 2, .null, [.string("releaseStream unknown")]))
        pair.say(RTMPCommand("onBWDone", 0, .null, [.number(0)]))
        #expect(pair.client.ending == nil)
    }
}
