import Codecs
import Media
import Simulation
import Testing
import Transcode
import Wire

/// Bytes of strangers on their way into libraries in C.
struct HostileTests {
    static let recordings = ToneTests.stereo + ToneTests.mono + ["he-v2.aac", "surround-48000.aac"]

    /// Damaged, cut, and somebody else's frames: what they cost is themselves, and time goes on.
    @Test(arguments: recordings)
    func damageCostsTheFrameAndNotTheStream(name: String) throws {
        let recording = try Recording(name)
        var scene = try Scene(recording, to: .opus)
        scene.isListening = false
        var dice = SplitMix64(seed: 7)
        scene.play(10)
        for round in 0..<120 {
            var frame = recording.frames[round % recording.frames.count]
            switch round % 4 {
            case 0: frame.removeLast(frame.count / 2)
            case 1: for _ in 0..<3 { frame = Damage.damaged(frame, using: &dice) }
            case 2: frame = (0..<400).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
            default: break
            }
            scene.send(frame)
        }
        scene.isListening = true
        scene.play(30)
        #expect(scene.bridge.figures.framesIn == 160)
        let sent = Timebase.convert(scene.ticks, from: recording.format.clockRate, to: 48_000)
        #expect(abs(scene.ear.end - sent) < 48_000)
    }

    /// Nothing, one byte, and megabytes are refused before a library sees them.
    @Test(arguments: recordings)
    func whatIsNoFrameGoesNoFurther(name: String) throws {
        var scene = try Scene(try Recording(name), to: .opus)
        scene.isListening = false
        scene.play(5)
        for size in [0, 1, 100_000, 2_000_000] {
            scene.send([UInt8](repeating: 0xff, count: size))
        }
        #expect(scene.bridge.figures.damaged >= 2)
        scene.play(5)
    }

    @Test func ofOpusEveryByteIsSurvived() throws {
        let opus = try ToneTests.opus(seconds: 1)
        var scene = try Scene(opus, to: .aac)
        scene.isListening = false
        var random = SplitMix64(seed: 3)
        for cut in Damage.truncations(opus.frames[20]) { scene.send(cut) }
        for _ in 0..<300 { scene.send(Damage.damaged(opus.frames[20], using: &random)) }
        #expect(scene.bridge.figures.framesIn > 400)
    }

    /// Only what is on the list is decoded: not what libavcodec could do besides.
    @Test func whatIsNotOnTheListIsRefusedWithAReason() throws {
        for codec in Codec.allCases where !Format.decodableSound.contains(codec) {
            var format = Format(codec: codec, clockRate: 8000)
            format.sampleRate = 8000
            #expect(throws: TranscodeError.self, "\(codec)") {
                _ = try AudioBridge(from: format, to: .opus)
            }
        }
        // xHE-AAC, and AAC-LD: other decoders.
        var format = try Format(aac: [0x12, 0x10].raw)
        format.configuration = [0xf9, 0x48, 0x21, 0x00]
        #expect(throws: TranscodeError.self) { _ = try AudioBridge(from: format, to: .opus) }
        let error = TranscodeError.unsupported(.aac, reason: "object type 42")
        #expect("\(error.code)" == "transcode-unsupported")
        #expect(error.description.contains("publish"))
        var video = Format(codec: .h264, clockRate: 90_000)
        video.width = 2
        #expect(throws: TranscodeError.self) { _ = try AudioBridge(from: video, to: .h264) }
    }

    /// Encoders change their settings while they send.
    @Test func anotherConfigurationIsTakenOver() throws {
        var scene = try Scene(try Recording("lc-44100.aac"), to: .opus)
        scene.playAll()
        let other = try Recording("lc-48000.aac")
        try scene.bridge.change(other.format)
        var ticks = Timebase.convert(scene.ticks, from: 44_100, to: 48_000)
        for frame in other.frames {
            scene.send(frame, stamp: ticks)
            ticks += 1024
        }
        #expect(scene.ear.steps == [960])
        let samples = scene.ear.left(1300, 1800)
        #expect(Measure.share(samples, of: 1000, rate: 48_000) > 0.9)
    }
}
