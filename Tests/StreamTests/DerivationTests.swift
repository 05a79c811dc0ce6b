import Media
import Stream
import Testing
import Wire

/// Renditions that are made of others: once, from the cached key frame, and not for ever.
struct DerivationTests {
    @Test func packetsAreMadeOfFramesAtTheFirstReaderFromTheCachedKeyFrame() throws {
        var scene = Scene()
        try scene.publish([h264()])
        for number: Int64 in 0..<10 { scene.frame(number, key: number == 4) }
        let packets = try scene.opened(.video, .h264, .packets)
        #expect(!packets.isGiven)
        let history = try #require(packets.encodings.first).history
        #expect(history.end == 8, "parameter sets and key frame, then five frames of one packet")
        #expect(history.lastKey == 1)
        scene.frame(10)
        #expect(history.end == 9, "and then live")
        #expect(bytes(history, 8) == payload(10, 400, key: false))
    }

    @Test func twoReadersShareOne() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let first = try scene.opened(.video, .h264, .packets)
        let second = try scene.opened(.video, .h264, .packets)
        #expect(first === second)
        #expect(first.readerCount == 2)
    }

    /// 256 KiB a turn: who joins a heavy stream does not hold up the media of the others.
    @Test func aLongBackFillTakesSeveralTurns() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true, size: 60_000)
        for number: Int64 in 1..<12 { scene.frame(number, size: 60_000) }
        let packets = try scene.opened(.video, .h264, .packets)
        let history = try #require(packets.encodings.first).history
        var sizes = [history.bytesAhead(of: 1)]
        while scene.stream.deadline == .start {
            scene.pass(0)
            sizes.append(history.bytesAhead(of: 1))
        }
        #expect(sizes.count == 3)
        #expect(zip(sizes, sizes.dropFirst()).allSatisfy { $1 - $0 <= 340_000 })
        #expect(sizes[0] <= 340_000)
        #expect(history.nextPresent(from: history.end - 1) != nil)
        #expect(scene.stream.takeDirty())
    }

    @Test func itIsDroppedTwentySecondsAfterTheLastReader() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        let packets = try scene.opened(.video, .h264, .packets)
        scene.stream.close(packets, ReaderFigures(), at: scene.now, into: &scene.orders)
        scene.pass(19_999)
        scene.frame(1)
        let before = try #require(packets.encodings.first).history.end
        #expect(before > 2, "still fed: somebody may come back")
        scene.pass(1)
        scene.frame(2)
        #expect(packets.encodings.first?.history.end == before)
        let again = try scene.opened(.video, .h264, .packets)
        #expect(again !== packets)
    }

    @Test func soundIsMadeFromNow() throws {
        var scene = Scene()
        try scene.publish([opus()])
        for number: Int64 in 0..<50 { scene.audio(number) }
        let packets = try scene.opened(.audio, .opus, .packets)
        let history = try #require(packets.encodings.first).history
        #expect(history.isEmpty)
        scene.audio(50)
        #expect(bytes(history, 1) == pattern(50, 120))
    }

    @Test func framesThatNobodyRefersToAreLeftOutOfPacketsIfTheyGoBackwards() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let packets = try scene.opened(.video, .h264, .packets)
        scene.frame(0, key: true)
        scene.frame(1)
        scene.frame(2, flags: [.bidirectional, .discardable])
        scene.frame(3)
        #expect(packets.encodings.first?.history.end == 5, "sets, key, 1 and 3")
    }

    @Test func aNewFormatIsANewGenerationFromItsIndexOn() throws {
        var scene = Scene()
        try scene.publish([h264()])
        let packets = try scene.opened(.video, .h264, .packets)
        scene.frame(0, key: true)
        var format = h264().format
        format.parameterSets[0][3] = 0x28
        format.width = 1_920
        scene.stream.change(
            format, slot: .video, layer: 0, epoch: 1, at: scene.now, into: &scene.orders)
        scene.frame(1, key: true)
        let given = try #require(try scene.opened().encodings.first)
        #expect(given.format(at: 1).generation == 0)
        #expect(given.format(at: 2).generation == 1)
        #expect(given.history.meta(2)?.formatGeneration == 1)
        let derived = try #require(packets.encodings.first)
        #expect(derived.format.width == 1_920)
        let sets = try #require(bytes(derived.history, derived.history.end - 2))
        #expect(sets.contains(0x28), "the new sets go before the new key frame")
        #expect(scene.takeOrders().contains(.changed))
    }

    /// AAC in, WebRTC out: frames leave for the transcoder, Opus comes back and is packetised.
    @Test func transcodingIsAPlaceInTheGraph() throws {
        var scene = Scene()
        try scene.publish([aac()])
        let packets = try scene.opened(.audio, .opus, .packets)
        let from = RenditionKey(slot: .audio, codec: .aac, form: .frames)
        let to = RenditionKey(slot: .audio, codec: .opus, form: .frames)
        #expect(scene.takeOrders().contains(.startTranscode(from: from, to: to)))
        for number: Int64 in 0..<5 { scene.audio(number) }
        var input = TranscodeInput()
        scene.stream.takeForTranscode(to: to, at: scene.now, into: &input)
        #expect(input.frames.count == 5)
        #expect(input.formats.map(\.codec) == [.aac])
        var made = ItemBatch()
        made.append(pattern(99, 80).raw, packet(0, key: true))
        scene.stream.storeTranscoded(
            made, format: opus().format, to: to, epoch: scene.epoch, at: scene.now,
            into: &scene.orders)
        let history = try #require(packets.encodings.first).history
        #expect(bytes(history, 1) == pattern(99, 80))
        scene.stream.close(packets, ReaderFigures(), at: scene.now, into: &scene.orders)
        scene.pass(20_000)
        scene.pass(20_000)
        #expect(scene.takeOrders().contains(.stopTranscode(to: to)))
    }

    @Test func whatCannotBeMadeIsNotThere() throws {
        var scene = Scene()
        try scene.publish([vp8()])
        #expect(scene.open(.video, .h264, .packets) == nil)
        #expect(Carriage.refusal(.vp8, to: .hls)?.sentence.contains("H.264") == true)
    }
}
