import Codecs
import Media
import Testing
import Transcode
import Wire

/// A tone goes in and the same tone comes out, in every codec, rate and number of channels that
/// publishers send: not silent, not louder, not at another pitch, not swapped.
struct ToneTests {
    static let stereo = [
        "lc-44100.aac", "lc-48000.aac", "lc-22050.aac", "lc-44100.loas", "he-v1.aac",
        "tone-44100.mp3", "tone-22050.mp3", "tone-48000.mp2", "tone-48000.ac3",
        "tone-48000.eac3", "tone-48000.flac",
    ]
    static let mono = [
        "lc-16000-mono.aac", "lc-8000-mono.aac", "he-v1-44100-mono.loas", "tone.g722", "tone.g726",
    ]

    @Test(arguments: stereo, [Codec.opus, .aac])
    func stereoStaysWhatItIs(name: String, codec: Codec) throws {
        let recording = try Recording(name)
        guard recording.format.codec != codec else { return }
        var scene = try Scene(recording, to: codec)
        scene.playAll()
        let ear = scene.ear
        #expect(ear.left.count > ear.rate * 8 / 10, "one second, less what encoders hold")
        hears(ear, ear.left(200, 800), 1000, not: 1500)
        hears(ear, ear.right(200, 800), 1500, not: 1000)
        #expect(ear.steps == [codec == .opus ? 960 : 1024])
        #expect(scene.bridge.figures.damaged == 0)
        #expect(scene.bridge.format.channels == 2)
    }

    @Test(arguments: mono, [Codec.opus, .aac])
    func monoStaysMono(name: String, codec: Codec) throws {
        let recording = try Recording(name)
        guard recording.format.codec != codec else { return }
        var scene = try Scene(recording, to: codec)
        scene.playAll()
        let ear = scene.ear
        hears(ear, ear.left(250, 800), 1000, not: 1500)
        #expect(ear.steps == [codec == .opus ? 960 : 1024])
    }

    @Test(arguments: [Codec.pcma, .pcmu], [Codec.opus, .aac])
    func telephonyIsHeard(law: Codec, codec: Codec) throws {
        var scene = try Scene(.law(law, seconds: 1), to: codec)
        scene.playAll()
        hears(scene.ear, scene.ear.left(200, 800), 1000, not: 2000)
        #expect(scene.bridge.format.sampleRate == 48_000, "8 kHz AAC is not for iOS")
        #expect(scene.bridge.format.channels == 1)
    }

    @Test(arguments: [8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000] as [Int32])
    func everyRateIsMet(rate: Int32) throws {
        var scene = try Scene(.linear(rate: rate, channels: 2, seconds: 1), to: .opus)
        scene.playAll()
        hears(scene.ear, scene.ear.left(200, 800), 1000, not: 1500)
        hears(scene.ear, scene.ear.right(200, 800), 1000, not: 1500)
        #expect(scene.ear.steps == [960])
    }

    /// The version 2 sends one channel and says "mono, 24 kHz"; two at 48 kHz come out.
    @Test func parametricStereoIsFoundOutByTheDecoder() throws {
        let recording = try Recording("he-v2.aac")
        #expect(recording.format.channels == 1 && recording.format.sampleRate == 24_000)
        var scene = try Scene(recording, to: .opus)
        scene.playAll()
        #expect(scene.bridge.format.channels == 2)
        hears(scene.ear, scene.ear.left(250, 800), 1000, not: 1500)
        #expect(scene.ear.steps == [960])
    }

    /// As RTMP and SDP say it: what comes out is in the configuration.
    @Test(arguments: [
        ("he-v1.aac", [0x2b, 0x11, 0x88, 0x00]), ("he-v2.aac", [0xeb, 0x09, 0x88, 0x00]),
    ])
    func replicationSaidInTheConfigurationIsUsed(name: String, config: [UInt8]) throws {
        let frames = try Recording(name).frames
        let recording = Recording(try Format(aac: config.raw), step: 2048, frames: frames)
        #expect(recording.format.sampleRate == 48_000 && recording.format.channels == 2)
        var scene = try Scene(recording, to: .opus)
        scene.playAll()
        hears(scene.ear, scene.ear.left(250, 800), 1000, not: 1500)
        #expect(scene.bridge.figures.filled + scene.bridge.figures.concealed == 0)
    }

    /// Six channels: left 440, right 660, centre 880, surround 1100 and 1540.
    @Test(arguments: [Codec.opus])
    func surroundIsMixedDownWithoutClipping(codec: Codec) throws {
        var scene = try Scene(try Recording("surround-48000.aac"), to: codec)
        scene.playAll()
        let ear = scene.ear
        let (left, right) = (ear.left(200, 800), ear.right(200, 800))
        func level(_ samples: ArraySlice<Float>, _ frequency: Double) -> Double {
            Measure.power(samples, at: frequency, rate: ear.rate)
        }
        #expect(level(left, 440) > 100 * level(left, 660), "no swap")
        #expect(level(right, 660) > 100 * level(right, 440))
        #expect(abs(level(left, 880) / level(left, 440) - 0.5) < 0.15, "centre at -3 dB")
        #expect(abs(level(right, 880) / level(right, 660) - 0.5) < 0.15)
        #expect(abs(level(left, 1100) / level(left, 440) - 0.5) < 0.15)
        #expect(abs(level(right, 1540) / level(right, 660) - 0.5) < 0.15)
        #expect(left.allSatisfy { abs($0) < 1 } && right.allSatisfy { abs($0) < 1 })
    }

    /// Opus comes as stereo or mono from packet to packet; AAC stays stereo.
    @Test func opusBecomesAAC() throws {
        let opus = try Self.opus(seconds: 2)
        var scene = try Scene(opus, to: .aac)
        scene.playAll()
        hears(scene.ear, scene.ear.left(300, 1700), 1000, not: 1500)
        #expect(scene.bridge.format.configuration == [0x11, 0x90])
        #expect(scene.ear.steps == [1024])
    }

    /// Opus of a tone, made by the other direction.
    static func opus(
        seconds: Double, _ options: AudioBridge.Options = .init(), rate: Int32 = 48_000,
        channels: Int32 = 2, _ value: (Double) -> Double = Recording.tone
    ) throws -> Recording {
        let source = Recording.linear(rate: rate, channels: channels, seconds: seconds, value)
        var bridge = try AudioBridge(from: source.format, to: .opus, options)
        var batch = ItemBatch()
        for (number, frame) in source.frames.enumerated() {
            let meta = ItemMeta(
                ticks: Int64(number) * source.step, arrival: .start, length: 0, flags: [])
            bridge.receive(frame.raw, meta, into: &batch)
        }
        return Recording(
            Format(opusChannels: 2), step: 960,
            frames: (0..<batch.count).map { [UInt8](copying: batch.bytes(of: $0)) })
    }

    private func hears(
        _ ear: Ear, _ samples: ArraySlice<Float>, _ frequency: Double, not other: Double,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let share = Measure.share(samples, of: frequency, rate: ear.rate)
        #expect(share > 0.9, sourceLocation: sourceLocation)
        let wrong = Measure.share(samples, of: other, rate: ear.rate)
        #expect(wrong < 0.02, sourceLocation: sourceLocation)
        // A quarter of full scale: 0.03125, and 2 dB to either side.
        let power = Measure.power(samples)
        #expect((0.0197...0.0495).contains(power), sourceLocation: sourceLocation)
    }
}
