import Demo
import Media
import Stream
import Testing
import Wire

struct DemoSourceTests {
    /// What a source wrote, in the order in which it did.
    struct Written: Equatable {
        var slot: SlotName
        var ticks: Int64
        var isKey: Bool
        var jumped: Bool
        var bytes: [UInt8]

        /// In nanoseconds of the stream.
        var time: Int64 {
            Timebase.nanoseconds(ticks, rate: slot.kind == .video ? 90_000 : 48_000)
        }
    }

    static func take(_ effects: inout Effects) -> [Written] {
        var all: [Written] = []
        for effect in effects.list {
            guard case .media(_, let slot, _, let items) = effect else { continue }
            for item in items {
                let meta = effects.media.items[item].meta
                all.append(
                    Written(
                        slot: slot, ticks: meta.ticks, isKey: meta.isKey,
                        jumped: meta.flags.contains(.discontinuity),
                        bytes: [UInt8](copying: effects.media.bytes(of: item))))
            }
        }
        effects.clear()
        return all
    }

    /// Everything from the beginning to `end`, called at each deadline as a worker does.
    static func play(
        _ source: inout DemoSource, from start: Instant, for length: Interval
    )
        -> [Written]
    {
        var effects = Effects()
        var all: [Written] = []
        source.advance(to: start, channel: 0, into: &effects)
        all += take(&effects)
        while source.deadline < start + length {
            source.advance(to: source.deadline, channel: 0, into: &effects)
            all += take(&effects)
        }
        return all
    }

    @Test(arguments: ["vp8", "h264"])
    func timeGoesOnThroughTheEndOfTheLoop(codec: String) throws {
        let video = try codec == "vp8" ? DemoFiles.vp8() : DemoFiles.h264()
        var source = try DemoSource([video, DemoFiles.opus()])
        #expect(source.deadline == .distantFuture)
        let start = Instant(nanoseconds: 1_234_567)
        let all = Self.play(&source, from: start, for: .seconds(25))
        let pictures = all.filter { $0.slot == .video }
        let sounds = all.filter { $0.slot == .audio }
        #expect(pictures.map(\.ticks) == (0..<625).map { Int64($0) * 3600 })
        #expect(sounds.map(\.ticks) == (0..<1250).map { Int64($0) * 960 })
        #expect(pictures[0].isKey && pictures[250].isKey && pictures[500].isKey)
        #expect(pictures[0].bytes == pictures[250].bytes)
        #expect(pictures[1].bytes == pictures[251].bytes && sounds[3].bytes == sounds[503].bytes)
        #expect(!all.contains { $0.jumped })
        // Tracks are interleaved by time, as a player wants them.
        #expect(zip(all, all.dropFirst()).allSatisfy { $0.time <= $1.time })
    }

    @Test func nothingIsEarlyAndNothingIsWrittenTwice() throws {
        var source = try DemoSource([DemoFiles.vp8(), DemoFiles.opus()])
        var effects = Effects()
        source.advance(to: .start, channel: 7, into: &effects)
        #expect(
            effects.list == [
                .media(7, .video, layer: 0, items: 0..<1),
                .media(7, .audio, layer: 0, items: 1..<2),
            ])
        effects.clear()
        source.advance(to: .start + .microseconds(19_999), channel: 7, into: &effects)
        #expect(effects.isEmpty)
        #expect(source.deadline == .start + .milliseconds(20))
        source.advance(to: .start + .milliseconds(20), channel: 7, into: &effects)
        #expect(Self.take(&effects).map(\.slot) == [.audio])
    }

    @Test func aLateCallGetsAllThatIsDue() throws {
        var source = try DemoSource([DemoFiles.vp8(), DemoFiles.opus()])
        var effects = Effects()
        source.advance(to: .start, channel: 0, into: &effects)
        effects.clear()
        source.advance(to: .start + .milliseconds(200), channel: 0, into: &effects)
        let all = Self.take(&effects)
        #expect(all.filter { $0.slot == .video }.map(\.ticks) == [3600, 7200, 10800, 14400, 18000])
        #expect(all.filter { $0.slot == .audio }.count == 10)
    }

    @Test func afterALongSleepItGoesOnFromAKeyFrameAndSaysSo() throws {
        var source = try DemoSource([DemoFiles.vp8(), DemoFiles.opus()])
        var effects = Effects()
        source.advance(to: .start, channel: 0, into: &effects)
        effects.clear()
        // An hour, five turns and 3.1 seconds into a turn: the key frame is the one of second 2.
        let now = Instant.start + .seconds(3600) + .milliseconds(53_100)
        source.advance(to: now, channel: 0, into: &effects)
        let all = Self.take(&effects)
        let first = try #require(all.first { $0.slot == .video })
        #expect(first.isKey && first.jumped && first.ticks == 3652 * 90_000)
        #expect(all.filter { $0.slot == .video }.count == 28)
        let sounds: [Int64] = all.filter { $0.slot == .audio }.map(\.ticks)
        #expect(sounds == [182_655 * 960])  // Packet 182,655 begins at second 3653.1.
        #expect(all.filter(\.jumped).count == 2)
        #expect(source.deadline > now && source.deadline <= now + .milliseconds(20))
    }

    @Test func tracksOfDifferentLengthsWouldPart() throws {
        let video = try DemoFiles.vp8()
        let ivf = try DemoFiles.bytes("demo-vp8.ivf")
        var reader = ByteReader(ivf.raw)
        try reader.skip(32)
        for _ in 0..<249 {
            let size = Int(try reader.read(UInt32.self).byteSwapped)
            try reader.skip(8 + size)
        }
        let shorter = try DemoFiles.ivf(Array(ivf.prefix(reader.offset)))
        #expect(shorter.period == video.period - 3600)
        #expect(throws: ParseError.self) { try DemoSource([shorter, DemoFiles.opus()]) }
        #expect(throws: ParseError.self) { try DemoSource([]) }
    }

    @Test func aStreamTakesItAsAPublisher() throws {
        var source = try DemoSource([DemoFiles.h264(), DemoFiles.opus()])
        let stream = Stream(
            name: "live/demo-h264", rules: StreamRules(),
            memory: MediaMemory(limit: 64 << 20))
        var orders = Orders()
        var publication = Publication(
            principal: .configured, protocolName: "demo", slots: source.slots)
        publication.tracksComplete = true
        let epoch = try stream.publish(publication, at: .start, into: &orders)
        let rendition = try #require(
            stream.open(
                .init(slot: .video, codecs: [.h264], form: .frames), at: .start, into: &orders))
        var effects = Effects()
        source.advance(to: .start, channel: 0, into: &effects)
        for turn in 1...750 {
            let now = source.deadline
            source.advance(to: now, channel: 0, into: &effects)
            for case .media(_, let slot, let layer, let items) in effects.list {
                stream.store(
                    effects, items: items, slot: slot, layer: layer, epoch: epoch, at: now,
                    into: &orders)
            }
            effects.clear()
            if turn == 1 { #expect(stream.isReady(at: now)) }
        }
        #expect(stream.figures.unannounced == 0 && stream.figures.stale == 0)
        #expect(rendition.encodings.first?.history.isEmpty == false)
    }
}
