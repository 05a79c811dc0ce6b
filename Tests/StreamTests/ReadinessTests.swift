import Media
import Stream
import Testing
import Wire

/// Audio only, video late, video never; tracks that nobody announced; two languages.
struct ReadinessTests {
    @Test func readyWhenAllAnnouncedSlotsHaveMedia() throws {
        var scene = Scene()
        try scene.publish([h264(), aac()])
        scene.audio(0)
        #expect(!scene.stream.isReady(at: scene.now))
        scene.frame(0, key: true)
        #expect(scene.stream.isReady(at: scene.now))
    }

    @Test func orTwoSecondsAfterTheFirstMedia() throws {
        var scene = Scene()
        try scene.publish([h264(), aac()])
        scene.pass(10_000)
        #expect(!scene.stream.isReady(at: scene.now), "nothing has come yet")
        scene.audio(0)
        #expect(scene.stream.deadline == scene.now + .seconds(2))
        scene.pass(1_999)
        #expect(!scene.stream.isReady(at: scene.now))
        _ = scene.takeOrders()
        scene.pass(1)
        #expect(scene.stream.isReady(at: scene.now), "video may never come")
        #expect(scene.takeOrders().contains(.changed))
    }

    /// Each slot has a gate of its own, and any audio item opens the one of audio.
    @Test func soundNeedsNoPicture() throws {
        var scene = Scene()
        try scene.publish([h264(), aac()])
        scene.audio(0)
        var reader = Reader(both, at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        scene.pass(23)
        scene.audio(1)
        #expect(read(&reader, scene.now) == [.init(track: 1, jump: .start), .init(track: 1)])
        scene.frame(0)
        #expect(read(&reader, scene.now) == [], "video waits for its key frame")
        scene.frame(1, key: true)
        #expect(read(&reader, scene.now) == [.init(track: 0, jump: .start)])
    }

    @Test func aSlotThatIsFilledLaterIsFoundAfterTheChange() throws {
        var scene = Scene()
        try scene.publish([h264()])
        scene.frame(0, key: true)
        var reader = Reader(both, at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        _ = read(&reader, scene.now)
        _ = scene.takeOrders()
        try scene.stream.announce(
            aac(), epoch: scene.epoch, at: scene.now, into: &scene.orders)
        #expect(scene.takeOrders().contains(.changed))
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        scene.audio(0)
        #expect(read(&reader, scene.now) == [.init(track: 1, jump: .start)])
    }

    @Test func twoAudioTracksAreTwoSlots() throws {
        var scene = Scene()
        let second = SlotName(.audio, 1)
        try scene.publish([aac(), aac(second)])
        scene.audio(5, slot: second)
        scene.audio(6)
        let first = try scene.opened(.audio, .aac)
        let other = try scene.opened(second, .aac)
        #expect(first !== other)
        #expect(bytes(other.encodings[0].history, 1) == pattern(5, 120))
        #expect(second.description == "audio1")
    }

    /// A player shows nothing until it has both: sound begins where the cached picture begins.
    @Test func soundBeginsWithTheCachedPicture() throws {
        var scene = Scene()
        try scene.publish([h264(), aac()])
        for number: Int64 in 0..<40 {
            scene.pass(25)
            scene.audio(number)
            if number == 20 { scene.frame(0, key: true) }
            if number > 20 { scene.frame(number) }
        }
        var reader = Reader(both, at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        let got = read(&reader, scene.now)
        #expect(got.filter { $0.track == 0 }.count == 20)
        #expect(got.filter { $0.track == 1 }.count == 20)
    }

    /// When pictures jump, sound jumps with them.
    @Test func soundFollowsAPictureThatJumps() throws {
        var scene = Scene()
        try scene.publish([h264(), aac()])
        scene.frame(0, key: true)
        scene.audio(0)
        var reader = Reader(both, at: scene.now)
        reader.resolve(in: scene.stream, at: scene.now, into: &scene.orders)
        _ = read(&reader, scene.now)
        for number: Int64 in 1...80 {
            scene.pass(28)
            scene.frame(number, key: number == 75)
            scene.audio(number)
        }
        let got = read(&reader, scene.now)
        #expect(got.first { $0.track == 0 } == .init(track: 0, jump: .gone))
        #expect(got.filter { $0.track == 0 }.count == 6)
        #expect(got.filter { $0.track == 1 }.count <= 8)
    }

    @Test func dataSlotsCarryMessages() throws {
        var scene = Scene()
        let chat = AnnouncedSlot(
            slot: .data, format: Format(codec: .data, clockRate: 1_000), form: .frames)
        try scene.publish([h264(), chat])
        let rendition = try scene.opened(.data, .data)
        var cursor = Cursor(.connection, liveFrom: scene.now)
        scene.frame(1, size: 40, slot: .data)
        scene.frame(2, size: 40, slot: .data)
        #expect(cursor.drain(rendition, at: scene.now).count == 2)
    }

    // MARK: -

    struct Got: Equatable {
        var track: Int
        var jump: Jump?
    }

    var both: Subscription {
        Subscription(
            wants: [
                .init(slot: .video, codecs: [.h264], form: .frames),
                .init(slot: .audio, codecs: [.aac], form: .frames),
            ], rule: .connection)
    }

    func read(_ reader: inout Reader, _ now: Instant) -> [Got] {
        var got: [Got] = []
        while case .item(let track, _, let jump) = reader.peek(at: now) {
            got.append(Got(track: track, jump: jump))
            reader.advance()
        }
        return got
    }
}
