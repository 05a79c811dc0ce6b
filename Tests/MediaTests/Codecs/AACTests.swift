import Codecs
import Media
import Testing
import Wire

struct AACTests {
    @Test(
        arguments: [
            ([0x11, 0x90], 48_000, 2), ([0x12, 0x10], 44_100, 2), ([0x11, 0x88], 48_000, 1),
            ([0x15, 0x88], 8_000, 1), ([0x14, 0x08], 16_000, 1),
            // ffmpeg: 44.1 kHz mono with the tail that says "no replication".
            ([0x12, 0x08, 0x56, 0xe5, 0x00], 44_100, 1),
            // 7.1.
            ([0x11, 0xb8], 48_000, 8),
            // The rate in full: 24 kHz behind the escape.
            ([0x17, 0x80, 0x2e, 0xe0, 0x10], 24_000, 2),
        ] as [([UInt8], Int, Int)])
    func readsPlainConfigurations(bytes: [UInt8], rate: Int, channels: Int) throws {
        let read = try AACConfiguration(bytes.raw)
        #expect(read.objectType == 2 && read.sampleRate == rate && read.outputRate == rate)
        #expect(read.channels == channels && read.samples == 1024 && read.signalledType == 2)
    }

    /// HE-AAC: hierarchical and at the tail; version 2: one coded channel, two heard.
    @Test func knowsBothRatesOfHEAAC() throws {
        let hierarchical = try AACConfiguration([0x2b, 0x11, 0x88, 0x00].raw)
        #expect(hierarchical.sampleRate == 24_000 && hierarchical.outputRate == 48_000)
        #expect(hierarchical.samples == 2048 && hierarchical.signalledType == 5)
        let tail = try AACConfiguration([0x13, 0x10, 0x56, 0xe5, 0x98].raw)
        #expect(tail.sampleRate == 24_000 && tail.outputRate == 48_000 && tail.channels == 2)
        let second = try AACConfiguration([0x13, 0x08, 0x56, 0xe5, 0x9d, 0x48, 0x80].raw)
        #expect(second.signalledType == 29 && second.channels == 2)
        let format = try Format(aac: [0x2b, 0x11, 0x88, 0x00].raw)
        #expect(format.clockRate == 48_000 && CodecsText.text(for: format) == "mp4a.40.5")
    }

    @Test func countsTheChannelsOfALayoutOfItsOwn() throws {
        // Channel configuration 0: a program config element with two front pairs and one bass.
        let bytes: [UInt8] = [0x11, 0x80, 0x04, 0xc8, 0x01, 0x00, 0x21, 0x10]
        let read = try AACConfiguration(bytes.raw)
        #expect(read.channelConfiguration == 0 && read.channels == 5)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 8])
    func writesWhatItReads(channels: Int) throws {
        var written = AACConfiguration(sampleRate: 44_100, channels: channels)
        var bytes: [UInt8] = []
        written.write(into: &bytes)
        #expect(try AACConfiguration(bytes.raw) == written)
        written.extensionRate = 88_200
        bytes = []
        written.write(into: &bytes)
        #expect(try AACConfiguration(bytes.raw) == written)
    }

    /// An ADTS header may name no layout: what it says then stands inside a frame.
    @Test(arguments: [(0, 1), (2, 2), (6, 6), (7, 8), (100, 8)])
    func writesTheUsualLayoutWhereItHasNone(channels: Int, written: Int) throws {
        var unknown = AACConfiguration(sampleRate: 44_100, channels: 2)
        (unknown.channelConfiguration, unknown.channels) = (0, channels)
        var bytes: [UInt8] = []
        unknown.write(into: &bytes)
        #expect(try AACConfiguration(bytes.raw).channels == written)
        #expect(throws: ParseError.self) { try Format(unknown) }
    }

    @Test func refusesWhatIsNoConfiguration() {
        for bytes in [[], [0x11], [0x00, 0x00], [0x16, 0x90], [0x17, 0x80, 0, 0, 0]] as [[UInt8]] {
            #expect(throws: ParseError.self, "\(bytes)") { try AACConfiguration(bytes.raw) }
        }
    }

    /// The first frame of ffmpeg's own: 48 kHz stereo, 292 bytes.
    static let adts: [UInt8] = [0xff, 0xf1, 0x4c, 0x80, 0x24, 0x9f, 0xfc]

    @Test func walksADTS() throws {
        let head = try ADTSHeader(Self.adts.raw)
        #expect(head.sampleRate == 48_000 && head.channelConfiguration == 2)
        #expect(head.objectType == 2 && head.frameCount == 292 && head.headerCount == 7)
        var written: [UInt8] = []
        #expect(ADTSHeader.write(head.configuration, payload: 285, into: &written))
        #expect(written == Self.adts)
        let frame = Self.adts + [UInt8](repeating: 0x21, count: 285)
        let stream = [1, 2, 3] + frame + frame + frame.prefix(100)
        var frames = ADTSFrames(stream.raw)
        var payloads: [Range<Int>] = []
        while let next = frames.next() { payloads.append(next.payload) }
        #expect(payloads == [10..<295, 302..<587])
        #expect(frames.skipped == 3)
        #expect(frames.rest == 587..<stream.count)
        let others = [frame + frame, frame, [UInt8](repeating: 0xff, count: 300)]
        #expect(others.map { ADTSFrames.isADTS($0.raw) } == [true, true, false])
    }

    /// ffmpeg's LOAS: configuration in the first frame, payload off the byte borders.
    @Test func readsLATM() throws {
        let stream = try Vector.bytes("aac.latm")
        var latm = LATM()
        var batch = ItemBatch()
        var at = 0
        let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
        while at < stream.count {
            let rest = stream.raw.extracting(at..<stream.count)
            let range = try LATM.loasFrame(rest)
            try latm.read(rest.extracting(range), hasConfig: true, meta: meta, into: &batch)
            at += range.upperBound
        }
        #expect(latm.configuration?.sampleRate == 48_000 && latm.configuration?.channels == 2)
        #expect(batch.count == 11)
        // The same encoder's first frame begins with its name, in the clear once aligned.
        let text = Array("Lavc".utf8)
        #expect(Array(batch.bytes.prefix(20)).contains(text[0]))
    }

    @Test func readsLATMWithoutConfigInTheStream() throws {
        // config= of an SDP: 24 kHz stereo; then one access unit of two bytes.
        var latm = try LATM(config: [0x40, 0x00, 0x26, 0x20, 0x3f, 0xc0].raw)
        #expect(latm.configuration?.sampleRate == 24_000)
        var batch = ItemBatch()
        let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
        try latm.read([2, 0xde, 0xad].raw, hasConfig: false, meta: meta, into: &batch)
        #expect(batch.bytes == [0xde, 0xad])
    }

    @Test(arguments: Damage.seeds)
    func survivesDamage(seed: UInt64) throws {
        let loas = Array(try Vector.bytes("aac.latm").prefix(400))
        let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
        Damage.of(loas, seed: seed) { bytes in
            var latm = LATM()
            var batch = ItemBatch()
            let span = bytes.raw
            guard let range = try? LATM.loasFrame(span) else { return }
            try? latm.read(span.extracting(range), hasConfig: true, meta: meta, into: &batch)
            batch.cancel()
            #expect(batch.bytes.count <= bytes.count)
        }
        Damage.of([0x2b, 0x11, 0x88, 0x00, 0x56, 0xe5, 0x9d, 0x48], seed: seed) { bytes in
            guard let read = try? AACConfiguration(bytes.raw) else { return }
            #expect(SampleRates.range.contains(read.outputRate) && read.channels <= 16)
        }
        Damage.of(Self.adts + [1, 2, 3], seed: seed) { bytes in
            var frames = ADTSFrames(bytes.raw)
            while let frame = frames.next() { #expect(frame.payload.upperBound <= bytes.count) }
        }
    }
}
