import ICE
import Testing
import Wire

/// Two ends, and between them an association that loses nothing.
struct DataChannelsTests {
    let chat = DataChannelTerms(label: "chat", ordered: false, reliability: .retransmits(0))

    @Test func opensAcknowledgesAndSpeaks() throws {
        var pair = Pair()
        let opened = pair.open(chat)
        let stream = try #require(opened)
        #expect(stream == 0, "the DTLS client takes even streams")
        #expect(pair.serverEvents == [.opened(stream: 0, chat)])
        #expect(pair.clientEvents == [.opened(stream: 0, chat)])

        pair.send("hello", on: stream)
        pair.send("", on: stream)
        #expect(pair.serverTexts == ["hello", ""])
    }

    @Test func whatFollowsTheOpenAtOnceIsOrdered() throws {
        var client = DataChannels(isDTLSClient: true)
        var out = DataOutput()
        let opened = client.open(chat, into: &out)
        let stream = try #require(opened)
        _ = client.send([UInt8](arrayLiteral: 1).raw, isText: false, on: stream, into: &out)
        guard case .send(_, .binary, let delivery, _) = out.entries.last else {
            Issue.record("nothing was sent")
            return
        }
        #expect(delivery.ordered)
    }

    @Test func refusesAStreamOfOurParityAndOneInUse() {
        var server = DataChannels(isDTLSClient: false)
        let open = Self.bytes(.open(chat))
        var out = DataOutput()
        server.receive(open.raw, payload: 50, on: 1, into: &out)
        #expect(out.entries == [.reset(stream: 1)])
        out.clear()
        server.receive(open.raw, payload: 50, on: 2, into: &out)
        out.clear()
        server.receive(open.raw, payload: 50, on: 2, into: &out)
        #expect(out.entries == [.reset(stream: 2)])
        #expect(server.count == 1)
    }

    @Test func tooManyChannelsEndTheAssociation() {
        var server = DataChannels(isDTLSClient: false)
        let open = Self.bytes(.open(chat))
        var out = DataOutput()
        for number in 0...UInt16(DataChannels.channelsMaximum) {
            out.clear()
            server.receive(open.raw, payload: 50, on: number * 2, into: &out)
        }
        #expect(out.entries == [.abort(.tooManyChannels)])
        #expect(server.count == DataChannels.channelsMaximum)
    }

    @Test func closesOnceFromEitherSide() throws {
        var server = DataChannels(isDTLSClient: false)
        var out = DataOutput()
        server.receive(Self.bytes(.open(chat)).raw, payload: 50, on: 0, into: &out)
        out.clear()
        server.receiveReset(of: 0, into: &out)
        #expect(out.entries == [.reset(stream: 0), .closed(stream: 0)])
        out.clear()
        server.receiveReset(of: 0, into: &out)
        #expect(out.entries.isEmpty)

        var client = DataChannels(isDTLSClient: true)
        let opened = client.open(chat, into: &out)
        let stream = try #require(opened)
        out.clear()
        client.close(stream, into: &out)
        client.close(stream, into: &out)
        client.receiveReset(of: stream, into: &out)
        #expect(out.entries == [.reset(stream: stream), .closed(stream: stream)])
    }

    @Test func saysWhenThereIsRoomAgain() throws {
        var client = DataChannels(isDTLSClient: true)
        var out = DataOutput()
        let opened = client.open(chat, into: &out)
        let stream = try #require(opened)
        let message = [UInt8](repeating: 7, count: DataChannels.messageMaximum)
        var taken = 0
        while client.send(message.raw, isText: false, on: stream, into: &out) { taken += 1 }
        #expect(taken == DataChannels.bufferedMaximum / DataChannels.messageMaximum)
        out.clear()
        client.receiveSent(message.count * 2, on: stream, into: &out)
        #expect(out.entries.isEmpty)
        client.receiveSent(message.count, on: stream, into: &out)
        #expect(out.entries == [.writable(stream: stream)])
    }

    @Test func aMessageThatIsTooLargeIsRefused() {
        var server = DataChannels(isDTLSClient: false)
        var out = DataOutput()
        let huge = [UInt8](repeating: 0, count: DataChannels.messageMaximum + 1)
        server.receive(huge.raw, payload: 53, on: 0, into: &out)
        #expect(out.entries == [.abort(.messageTooLarge)])
    }

    static func bytes(_ message: DCEPMessage) -> [UInt8] {
        var bytes: [UInt8] = []
        message.write(into: &bytes)
        return bytes
    }

    struct Pair {
        private var client = DataChannels(isDTLSClient: true)
        private var server = DataChannels(isDTLSClient: false)
        private(set) var clientEvents: [DataOutput.Entry] = []
        private(set) var serverEvents: [DataOutput.Entry] = []
        private(set) var serverTexts: [String] = []

        mutating func open(_ terms: DataChannelTerms) -> UInt16? {
            var out = DataOutput()
            let stream = client.open(terms, into: &out)
            toServer(out)
            return stream
        }

        mutating func send(_ text: String, on stream: UInt16) {
            var out = DataOutput()
            _ = client.send(Array(text.utf8).raw, isText: true, on: stream, into: &out)
            toServer(out)
        }

        private mutating func toServer(_ out: DataOutput) {
            for entry in out.entries {
                guard case .send(let stream, let payload, _, let range) = entry else {
                    clientEvents.append(entry)
                    continue
                }
                var answer = DataOutput()
                let bytes = Array(out.bytes[range])
                server.receive(bytes.raw, payload: payload.rawValue, on: stream, into: &answer)
                toClient(answer)
            }
        }

        private mutating func toClient(_ out: DataOutput) {
            for entry in out.entries {
                switch entry {
                case .send(let stream, let payload, _, let range):
                    var answer = DataOutput()
                    let bytes = Array(out.bytes[range])
                    client.receive(bytes.raw, payload: payload.rawValue, on: stream, into: &answer)
                    clientEvents += answer.entries
                case .message(_, true, let range):
                    serverTexts.append(String(decoding: out.bytes[range], as: UTF8.self))
                default: serverEvents.append(entry)
                }
            }
        }
    }
}

struct DCEPMessageTests {
    /// Chromium's message for `createDataChannel("chat", {ordered: false, maxRetransmits: 0})`.
    let captured: [UInt8] = [
        0x03, 0x81, 0x01, 0x00, 0, 0, 0, 0, 0x00, 0x04, 0x00, 0x00, 0x63, 0x68, 0x61, 0x74,
    ]

    @Test func readsAndWritesWhatChromiumSends() throws {
        let terms = DataChannelTerms(
            label: "chat", ordered: false, reliability: .retransmits(0), priority: 256)
        #expect(try DCEPMessage(captured.raw) == .open(terms))
        #expect(DataChannelsTests.bytes(.open(terms)) == captured)
        #expect(try DCEPMessage([0x02].raw) == .acknowledge)
    }

    @Test func refusesEveryTruncation() {
        for count in 0..<captured.count {
            let cut = Array(captured.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") { try DCEPMessage(cut.raw) }
        }
    }

    @Test func refusesALabelOf64KiB() {
        let head: [UInt8] = [0x03, 0, 1, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0]
        let bytes = head + [UInt8](repeating: 0x61, count: 0xffff)
        #expect(throws: ParseError.tooMuch("data channel name", limit: 1024)) {
            try DCEPMessage(bytes.raw)
        }
    }
}
