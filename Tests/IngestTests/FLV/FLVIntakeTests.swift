import Containers
import Media
import Stream
import Testing
import Wire

/// From tags to frames on the timeline (brief 4, 5, 6).
struct FLVIntakeTests {
    /// What an intake has made of tags.
    struct Taken {
        var intake = FLVIntake(channel: 1)
        var effects = Effects()
        var now = Instant.start

        mutating func take(_ tags: [FLVFiles.Tag], shift: UInt32 = 0) throws {
            for tag in tags {
                now = Instant(nanoseconds: Int64(tag.stamp) * 1_000_000) + .seconds(100)
                try intake.receive(
                    tag.kind, tag.body.raw, stamp: tag.stamp &+ shift, at: now, into: &effects)
            }
        }

        func metas(_ slot: SlotName) -> [ItemMeta] {
            effects.list.flatMap { effect -> [ItemMeta] in
                guard case .media(_, slot, layer: _, let items) = effect else { return [] }
                return items.map { effects.media.items[$0].meta }
            }
        }

        var announced: [AnnouncedSlot] {
            effects.list.compactMap {
                if case .announce(_, let slot) = $0 { slot } else { nil }
            }
        }
    }

    static func video(_ file: String = "h264-bframes-aac") throws -> [FLVFiles.Tag] {
        try FLVFiles.tags(FLVFiles.bytes(file)).filter { $0.kind == .video }
    }

    @Test func aFileOfFFmpegIsTakenWhole() throws {
        var taken = Taken()
        try taken.take(try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac")))
        #expect(taken.announced.map(\.format.codec) == [.h264, .aac])
        #expect(taken.announced.first?.format.width == 160)
        #expect(taken.announced.first?.format.mayHaveBFrames == true)
        let frames = taken.metas(.video)
        #expect(frames.count == 30)
        #expect(frames.filter(\.isKey).count == 2)
        #expect(frames.contains { $0.flags.isSuperset(of: [.bidirectional, .discardable]) })
        #expect(taken.effects.list.contains(.tracksComplete(1)))
        #expect(taken.intake.figures.broken == 0)
    }

    @Test func soundIsCountedInSamplesNotInMilliseconds() throws {
        var taken = Taken()
        try taken.take(try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac")))
        let ticks = taken.metas(.audio).map(\.ticks)
        #expect(ticks.count > 80)
        #expect(zip(ticks, ticks.dropFirst()).allSatisfy { $1 - $0 == 1024 })
    }

    @Test func mp3NeedsNoConfiguration() throws {
        var taken = Taken()
        try taken.take(try FLVFiles.tags(FLVFiles.bytes("mp3")))
        #expect(taken.announced.map(\.format.codec) == [.mp3])
        #expect(taken.announced.first?.format.sampleRate == 22_050)
        #expect(taken.metas(.audio).count > 30)
    }

    @Test(arguments: [0xff_ff00, 0xffff_ff00] as [UInt32])
    func timesMayBeginAnywhereAndWrap(shift: UInt32) throws {
        let tags = try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac"))
        var plain = Taken()
        try plain.take(tags)
        var shifted = Taken()
        try shifted.take(tags, shift: shift)
        #expect(plain.metas(.video).map(\.ticks) == shifted.metas(.video).map(\.ticks))
        #expect(plain.metas(.audio).map(\.ticks) == shifted.metas(.audio).map(\.ticks))
    }

    @Test func anHourOverTheWrapKeepsSoundAtThePicture() throws {
        let tags = try Self.video()
        let sound = try FLVFiles.tags(FLVFiles.bytes("h264-bframes-aac"))
            .filter { $0.kind == .audio }
        var taken = Taken()
        var last: [ItemMeta] = []
        var lastSound: [ItemMeta] = []
        try taken.take([tags[0], sound[0]])
        let (frame, packet) = (tags[3].body, sound[1].body)
        // Half an hour before the wrap of 32 bits, half an hour behind it.
        let start = UInt32(0) &- 1_800_000
        for step: UInt32 in 0..<54_000 {
            let now = Instant(nanoseconds: Int64(step) * 66_666_667) + .seconds(9)
            let stamp = start &+ UInt32(UInt64(step) * 200 / 3)
            try taken.intake.receive(
                .video, frame.raw, stamp: stamp, at: now, into: &taken.effects)
            // 1,024 samples at 44.1 kHz: as many as fit.
            let due = Int64(step) * 44_100 / 15 / 1024
            let before = Int64(step == 0 ? -1 : Int64(step - 1) * 44_100 / 15 / 1024)
            for number in before + 1..<due + 1 {
                let time = start &+ UInt32(truncatingIfNeeded: number * 1024 * 1000 / 44_100)
                try taken.intake.receive(
                    .audio, packet.raw, stamp: time, at: now, into: &taken.effects)
            }
            if step % 1000 == 999 {
                last = taken.metas(.video)
                lastSound = taken.metas(.audio)
                taken.effects.clear()
            }
        }
        let picture = try #require(last.last).ticks
        let heard = try #require(lastSound.last).ticks
        let apart =
            Timebase.nanoseconds(picture, rate: 90_000)
            - Timebase.nanoseconds(heard, rate: 44_100)
        #expect(abs(apart) < 40_000_000, "\(apart) ns after an hour")
        #expect(picture / 90_000 > 3_590)
    }

    @Test func theSameConfigurationAgainChangesNothing() throws {
        let tags = try Self.video()
        var taken = Taken()
        try taken.take([tags[0], tags[1], tags[0], tags[2], tags[0]])
        #expect(taken.announced.count == 1)
        #expect(!taken.effects.list.contains { if case .format = $0 { true } else { false } })
    }

    @Test func anotherConfigurationIsAnotherFormat() throws {
        let tags = try Self.video()
        var other = tags[0]
        // A level that is one higher, in the record and in the set.
        let level = 5 + 3
        other.body[level] += 1
        other.body[5 + 8 + 3] += 1
        var taken = Taken()
        try taken.take([tags[0], tags[1], other, tags[1]])
        let formats = taken.effects.list.compactMap { effect -> Format? in
            if case .format(_, .video, layer: 0, let format) = effect { format } else { nil }
        }
        #expect(formats.count == 1)
    }

    @Test func framesBeforeTheirConfigurationAreLeftOut() throws {
        let tags = try Self.video()
        var taken = Taken()
        try taken.take([tags[1], tags[0], tags[1]])
        #expect(taken.metas(.video).count == 1)
        #expect(taken.intake.figures.early == 1)
    }

    /// DJI and relays of cameras: an empty record, the sets before each key frame.
    @Test func setsMayComeInBand() throws {
        let tags = try Self.video()
        let record = try AVC(tags[0].body)
        var empty = tags[0]
        empty.body = Array(tags[0].body[..<10]) + [0xe0, 0]
        var key = tags[1]
        key.body = Array(key.body[..<5]) + record.prefixed + key.body[5...]
        var taken = Taken()
        try taken.take([empty, key])
        #expect(taken.announced.first?.format.width == 160)
        #expect(taken.metas(.video).count == 1)
    }

    @Test func startCodesMayStandWhereLengthsBelong() throws {
        let tags = try Self.video()
        let record = try AVC(tags[0].body)
        var key = tags[1]
        var units: [UInt8] = record.startCoded
        var at = 5
        while at + 4 <= key.body.count {
            let count = key.body[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
            units += [0, 0, 0, 1] + key.body[at + 4..<at + 4 + count]
            at += 4 + count
        }
        key.body = Array(key.body[..<5]) + units
        var taken = Taken()
        try taken.take([tags[0], tags[1], key])
        #expect(taken.metas(.video).count == 2)
        #expect(taken.metas(.video).map(\.isKey) == [true, true])
    }

    /// The flag says inter, the NAL unit says IDR, and the other way round.
    @Test func keyFramesAreKnownByTheirUnits() throws {
        let tags = try Self.video()
        var (key, inter) = (tags[1], tags[2])
        key.body[0] = 0x27
        inter.body[0] = 0x17
        var taken = Taken()
        try taken.take([tags[0], key, inter])
        #expect(taken.metas(.video).map(\.isKey) == [true, false])
    }

    @Test func codecsThatNobodyCanPlayAreRefusedByName() throws {
        var taken = Taken()
        for (kind, body) in [
            (FLVTag.Kind.audio, [0x90] + Array("fLaC".utf8) + [1]),
            (.audio, [0x91] + Array("ac-3".utf8) + [1]),
            (.audio, [0xb2, 1]), (.video, [0x22, 1, 2]),
        ] as [(FLVTag.Kind, [UInt8])] {
            let tag = FLVFiles.Tag(kind: kind, stamp: 0, body: body)
            let refusal = #expect(throws: Refusal.self) { try taken.take([tag]) }
            #expect(refusal?.code == .unsupportedCodec)
            #expect(refusal?.sentence.contains("set the encoder to") == true)
        }
    }

    @Test func moreTracksFillMoreSlots() throws {
        let tags = try Self.video()
        func track(_ tag: FLVFiles.Tag, _ number: UInt8, _ packet: UInt8) -> FLVFiles.Tag {
            var made = tag
            let offset: [UInt8] = packet == 1 ? [0, 0, 0] : []
            made.body =
                [0x96, packet] + Array("avc1".utf8) + [number] + offset + tag.body[5...]
            return made
        }
        var taken = Taken()
        try taken.take([tags[0], track(tags[0], 1, 0), tags[1], track(tags[1], 1, 1)])
        #expect(taken.announced.map(\.slot) == [.video, SlotName(.video, 1)])
        #expect(taken.metas(SlotName(.video, 1)).count == 1)
    }

    @Test func aTrackAloneIsCompleteAfterAWhile() throws {
        var taken = Taken()
        try taken.take(Array(try Self.video()[..<2]))
        #expect(!taken.effects.list.contains(.tracksComplete(1)))
        let deadline = taken.intake.deadline
        #expect(deadline == taken.now + .milliseconds(2_500))
        taken.intake.expire(at: deadline, into: &taken.effects)
        #expect(taken.effects.list.contains(.tracksComplete(1)))
        #expect(taken.intake.deadline == .distantFuture)
    }

    @Test(arguments: [1, 7, 100, 1460])
    func aFileInPiecesIsTheSame(piece: Int) throws {
        let bytes = FLVFiles.bytes("h264-bframes-aac")
        #expect(try FLVFiles.tags(bytes, piece: piece) == FLVFiles.tags(bytes))
    }

    /// The sets of an avcC in a tag.
    struct AVC {
        var prefixed: [UInt8] = []
        var startCoded: [UInt8] = []

        init(_ body: [UInt8]) throws {
            var reader = ByteReader(body.raw)
            try reader.skip(11)
            let sequence = try reader.read(count: Int(try reader.read(UInt16.self)))
            try reader.skip(1)
            let picture = try reader.read(count: Int(try reader.read(UInt16.self)))
            for set in [[UInt8](copying: sequence), [UInt8](copying: picture)] {
                prefixed += [0, 0, UInt8(set.count >> 8), UInt8(set.count & 255)] + set
                startCoded += [0, 0, 0, 1] + set
            }
        }
    }
}
