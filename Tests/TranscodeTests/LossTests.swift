import Codecs
import Media
import Testing
import Transcode
import Wire

/// What networks and browsers do to Opus on its way to AAC.
struct LossTests {
    /// One packet of 20 ms: what was heard goes on, and time does.
    @Test(arguments: [1, 3, 5])
    func lostPacketsAreConcealed(count: Int) throws {
        var scene = try Scene(try ToneTests.opus(seconds: 2), to: .aac)
        scene.play(40)
        scene.lose(count)
        scene.play(40)
        let figures = scene.bridge.figures
        #expect(figures.concealed == 1 && figures.filled == 0 && figures.anchorings == 1)
        #expect(scene.ear.steps == [1024])
        let hole = scene.ear.left(801, 800 + min(40, Int64(count) * 20))
        #expect(Measure.power(hole) > 0.004, "goes on, a little quieter")
        let after = scene.ear.left(1000, 1400)
        #expect(Measure.share(after, of: 1000, rate: 48_000) > 0.95)
        let end = scene.ear.base + Int64(scene.ear.left.count)
        #expect(abs(end - scene.ticks) <= 3 * 1024, "what encoders hold")
    }

    /// Up to 100 ms is made up; the rest of 600 ms is silence.
    @Test func aLongLossFadesToSilence() throws {
        var scene = try Scene(try ToneTests.opus(seconds: 3), to: .aac)
        scene.play(40)
        scene.lose(30)
        scene.play(40)
        #expect(scene.ear.steps == [1024])
        #expect(Measure.power(scene.ear.left(950, 1380)) < 0.0005)
        let after = scene.ear.left(1450, 2000)
        #expect(Measure.share(after, of: 1000, rate: 48_000) > 0.95)
    }

    /// Mono at low rates carries a copy of the packet before: a loss is hardly heard.
    @Test func theCopyInTheNextPacketIsUsed() throws {
        var options = AudioBridge.Options()
        options.monoBitrate = 20_000
        // A voice, to the encoder: a low tone that comes and goes.
        let opus = try ToneTests.opus(seconds: 2, options, rate: 16_000, channels: 1) { time in
            let syllable = (time * 4).truncatingRemainder(dividingBy: 1) < 0.5 ? 1.0 : 0.02
            return syllable * Recording.tone(time / 4)
        }
        #expect(opus.frames[60][0] >> 3 < 16, "SILK or hybrid: only those have copies")
        var whole = try Scene(opus, to: .aac)
        whole.playAll()
        var lossy = try Scene(opus, to: .aac)
        for number in 0..<95 {
            // The first of a syllable: nothing that was heard before says anything about it.
            if number % 25 == 1 && number > 40 {
                lossy.lose()
            } else {
                lossy.play(1)
            }
        }
        // 51 x 20 ms is lost: from 1,020 ms on, the syllable that began at 1,000.
        let (lost, kept) = (lossy.ear.left(1022, 1040), whole.ear.left(1022, 1040))
        #expect(lossy.bridge.figures.concealed == 2)
        #expect(Measure.power(lost) > 0.25 * Measure.power(kept))
    }

    /// The browser pauses and its stamps go on: silence, not a loss, and no stretch of time.
    @Test func pausesOfTheEncoderAreSilence() throws {
        let opus = try ToneTests.opus(seconds: 1)
        var scene = try Scene(opus, to: .aac)
        scene.play(30)
        for _ in 0..<4 {
            // Two bytes every 400 ms.
            scene.send([opus.frames[20][0], 0])
            scene.ticks += 19 * 960
        }
        scene.play(30)
        let figures = scene.bridge.figures
        #expect(figures.concealed == 0 && figures.anchorings == 1)
        #expect(figures.filled == 4)
        #expect(scene.ear.steps == [1024])
        let end = scene.ear.base + Int64(scene.ear.left.count)
        #expect(abs(end - scene.ticks) <= 3 * 1024, "what encoders hold")
    }

    /// DTX of ours: nothing is sent in silence, and stamps go on.
    @Test func weCanPauseToo() throws {
        var options = AudioBridge.Options()
        options.dtx = true
        options.monoBitrate = 16_000
        let source = Recording.linear(rate: 16_000, seconds: 4) { time in
            time < 1 ? Recording.tone(time / 3) : 0
        }
        var scene = try Scene(source, to: .opus, options)
        scene.playAll()
        #expect(scene.bridge.figures.framesOut < 150, "of 200")
        #expect(scene.ear.steps.allSatisfy { $0 % 960 == 0 })
        #expect(scene.ear.discontinuities == 0)
    }

    /// Video goes on, sound does not: players of FLV and segments stand still where it has a hole.
    @Test func silenceIsMadeWhileNothingComes() throws {
        var scene = try Scene(try ToneTests.opus(seconds: 1), to: .aac)
        scene.play(25)
        let before = scene.bridge.figures.framesOut
        let stopped = Scene.arrival(24 * 960, scene.source)
        for frame in 1...30 { scene.wait(until: stopped + .milliseconds(Int64(frame) * 33)) }
        let made = scene.bridge.figures.framesOut - before
        #expect((40...44).contains(made), "990 ms less 100, in frames of 21.3")
        #expect(scene.ear.steps == [1024])
        // What was late comes after all: the silence is there already.
        scene.play(10)
        #expect(scene.ear.steps == [1024])
        #expect(scene.ear.discontinuities == 0)
        scene.ticks = 480 * 50 + 25 * 960 + 48 * 1100
        scene.play(25)
        #expect(scene.ear.steps == [1024])
        let end = scene.ear.base + Int64(scene.ear.left.count)
        #expect(abs(end - scene.ticks) <= 3 * 1024, "what encoders hold")
    }

    @Test func aFrameThatIsLateForAMomentMakesNoSilence() throws {
        var scene = try Scene(try Recording("lc-48000.aac"), to: .opus)
        scene.play(10)
        scene.wait(until: scene.now + .milliseconds(70))
        scene.play(10)
        #expect(scene.bridge.figures.filled == 0)
    }
}
