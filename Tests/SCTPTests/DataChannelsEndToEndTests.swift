import ICE
import SCTP
import Testing
import Wire

extension SCTPSuite {
    /// Data channels over real associations and a wire that loses, from the first message to the
    /// last: what a page sees.
    @Suite struct DataChannelsEndToEnd {
        /// Each seed at 0, 2, 5 or 10 % of loss.
        @Test(arguments: 0..<20 as Range<UInt64>)
        func opensSpeaksAndCloses(seed: UInt64) throws {
            let loss = [0, 20, 50, 100][Int(seed % 4)]
            let ends = try #require(ChannelEnds(lossPerMille: loss, seed: seed))
            let chat = DataChannelTerms(label: "chat", subprotocol: "json")
            let cursor = DataChannelTerms(
                label: "cursor", ordered: false, reliability: .retransmits(0))
            let first = try #require(ends.open(chat, by: ends.client))
            let second = try #require(ends.open(cursor, by: ends.server))
            #expect(first == 0 && second == 1)
            try Self.speak(on: first, ends)
            try Self.pressBack(on: first, ends)
            #expect(ends.opened(by: ends.server)[first] == chat)
            ends.run { ends.opened(by: ends.client)[second] == cursor }
            #expect(ends.opened(by: ends.client)[second] == cursor)
            try Self.close([first, second], ends)
            let again = try #require(ends.open(chat, by: ends.client))
            try Self.speak(on: again, ends)
            #expect(ends.wires.ended.isEmpty)
            ends.wires.close()
        }

        private static let largest = (0..<DataChannels.messageMaximum).map { UInt8($0 % 251) }

        /// Before the peer has acknowledged anything, in order, of every kind and size.
        private static func speak(on stream: UInt16, _ ends: ChannelEnds) throws {
            let texts: [[UInt8]] = [Array("hello".utf8), []]
            let binaries: [[UInt8]] = [[], [0, 255], largest]
            var expected = texts.map { ChannelEnds.Message(isText: true, bytes: $0) }
            expected += binaries.map { ChannelEnds.Message(isText: false, bytes: $0) }
            for message in expected {
                #expect(ends.send(message, on: stream, by: ends.client))
            }
            ends.run { ends.received(by: ends.server, on: stream).count == expected.count }
            #expect(ends.takeReceived(by: ends.server, on: stream) == expected)
            #expect(ends.send(expected[0], on: stream, by: ends.server))
            ends.run { !ends.received(by: ends.client, on: stream).isEmpty }
            #expect(ends.takeReceived(by: ends.client, on: stream) == [expected[0]])
        }

        /// Sends until it is refused, waits to be told that there is room, and sends again.
        private static func pressBack(on stream: UInt16, _ ends: ChannelEnds) throws {
            var sent: [ChannelEnds.Message] = []
            for _ in 0..<2 {
                ends.writable.removeAll()
                var isRefused = false
                while !isRefused, sent.count < 100 {
                    let fill = UInt8(sent.count)
                    let message = ChannelEnds.Message(
                        isText: false, bytes: [UInt8](repeating: fill, count: 100_000))
                    isRefused = !ends.send(message, on: stream, by: ends.client)
                    if !isRefused { sent.append(message) }
                }
                #expect(isRefused, "\(sent.count) messages of 100 kB were taken")
                ends.run { ends.writable.contains(stream) }
                #expect(ends.writable.contains(stream))
            }
            ends.run { ends.received(by: ends.server, on: stream).count == sent.count }
            #expect(ends.takeReceived(by: ends.server, on: stream) == sent)
        }

        private static func close(_ streams: [UInt16], _ ends: ChannelEnds) throws {
            for stream in streams { ends.close(stream, by: ends.client) }
            ends.run {
                ends.closed(by: ends.client).isSuperset(of: streams)
                    && ends.closed(by: ends.server).isSuperset(of: streams)
            }
            #expect(ends.closed(by: ends.client) == Set(streams))
            #expect(ends.closed(by: ends.server) == Set(streams))
        }
    }
}
