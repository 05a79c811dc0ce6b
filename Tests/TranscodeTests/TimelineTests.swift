import Codecs
import Media
import Testing
import Transcode
import Wire

/// Sound is heard when the publisher said, whatever codecs, networks and clocks do.
struct TimelineTests {
    /// Half a second of silence, then a tone.
    private static func onset(_ time: Double) -> Double { time < 0.5 ? 0 : Recording.tone(time) }

    /// What encoders and converters delay is taken off: lip sync is exact.
    @Test(arguments: [8000, 44_100, 48_000] as [Int32], [Codec.opus, .aac])
    func aSampleIsHeardAtItsTime(rate: Int32, codec: Codec) throws {
        let source = Recording.linear(rate: rate, channels: 2, seconds: 1, Self.onset)
        // An arbitrary place on the timeline, years from its beginning.
        var scene = try Scene(source, to: codec, from: Int64(rate) * 40_000_000)
        scene.playAll()
        let ear = scene.ear
        let loud = ear.left.firstIndex { abs($0) > 0.08 }
        let heard = Double(ear.base + Int64(try #require(loud))) / Double(ear.rate) - 40_000_000
        #expect(abs(heard - 0.5) < 0.0015, "\(heard)")
    }

    /// By the way back, too: Opus from a browser to a player of AAC.
    @Test func bothWaysTogetherAreExact() throws {
        let opus = try ToneTests.opus(seconds: 1, .init(), Self.onset)
        // The bridge's stamps began 6.5 ms before the first sample.
        var scene = try Scene(opus, to: .aac, from: 480_000 - 312)
        scene.playAll()
        let ear = scene.ear
        let loud = try #require(ear.left.firstIndex { abs($0) > 0.08 })
        let heard = Double(ear.base + Int64(loud)) / 48_000 - 10
        #expect(abs(heard - 0.5) < 0.002, "\(heard)")
    }

    @Test func thereAreNoClicksBetweenFrames() throws {
        for codec in [Codec.opus, .aac] {
            var scene = try Scene(.linear(rate: 44_100, channels: 2, seconds: 2), to: codec)
            scene.playAll()
            let ear = scene.ear
            let rough = Measure.roughness(
                ear.left(200, 1800), frequency: 1000, amplitude: 0.25, rate: ear.rate)
            #expect(rough < 2.5, "\(codec)")
        }
    }

    /// RTMP rounds to milliseconds; players would hear that as a rattle.
    @Test func stampsInMillisecondsComeOutEven() throws {
        var scene = try Scene(try Recording("lc-44100.aac"), to: .opus)
        for number in 0..<400 {
            let exact = scene.ticks
            let milliseconds = Timebase.convert(exact, from: 44_100, to: 1000)
            scene.send(
                scene.source.frames[1 + number % 40],
                stamp: Timebase.convert(milliseconds, from: 1000, to: 44_100))
        }
        #expect(scene.ear.steps == [960])
        #expect(scene.bridge.figures == figures { ($0.framesIn, $0.framesOut) = (400, 464) })
    }

    /// A camera's clock runs fast, a browser's slow: followed, without a step.
    @Test(arguments: [-1000, 200, 1000])
    func driftIsFollowed(partsPerMillion: Int64) throws {
        var scene = try Scene(.law(.pcmu, seconds: 1), to: .opus)
        scene.isListening = false
        let frames = 4000  // 80 seconds: 1,000 parts make 80 ms.
        var last: Int64 = 0
        for number in 0..<frames {
            let exact = Int64(number) * 160
            last = exact + exact * partsPerMillion / 1_000_000
            scene.send(scene.source.frames[number % 50], stamp: last)
        }
        #expect(scene.ear.steps == [960])
        let figures = scene.bridge.figures
        #expect(figures.filled + figures.overlapped + figures.concealed == 0)
        #expect(figures.anchorings == 1)
        #expect(abs(partsPerMillion) < 500 || figures.stretches > 5)
        // The last sample lies within 15 ms of where its stamp puts it.
        let distance = scene.ear.end + 960 + 312 - (last + 160) * 6
        #expect(abs(distance) < 720 + 960, "\(distance)")
        // And while time is stretched, nothing is heard of it.
        scene.isListening = true
        scene.play(100)
        let from = scene.ticks / 8 - 1800
        let rough = Measure.roughness(
            scene.ear.left(from, from + 1600), frequency: 1000, amplitude: 0.25, rate: 48_000)
        #expect(rough < 2.5)
    }

    /// 60 ms to a second: silence of that length, and no click at either end.
    @Test(arguments: [100, 500, 990])
    func aGapIsSilence(milliseconds: Int64) throws {
        var scene = try Scene(.linear(rate: 48_000, channels: 2, seconds: 1), to: .opus)
        scene.play(25)
        scene.ticks += milliseconds * 48 + 5
        scene.play(25)
        let ear = scene.ear
        #expect(ear.steps == [960])
        #expect(ear.discontinuities == 0 && scene.bridge.figures.anchorings == 1)
        let hole = ear.left(520, 480 + milliseconds)
        #expect(Measure.power(hole) < 0.0001)
        let after = ear.left(560 + milliseconds, 900 + milliseconds)
        #expect(Measure.share(after, of: 1000, rate: 48_000) > 0.95)
        let rough = Measure.roughness(
            ear.left(100, 900 + milliseconds), frequency: 1000, amplitude: 0.25, rate: 48_000)
        #expect(rough < 10, "a bend over 2.5 ms; a click is 50")
    }

    /// More than a second, or backwards: another timeline, said so, and no silence is made.
    @Test(arguments: [1_500, 86_400_000, -150, -5_000])
    func aJumpIsANewAnchor(milliseconds: Int64) throws {
        var scene = try Scene(.linear(rate: 48_000, channels: 2, seconds: 1), to: .opus)
        scene.isListening = false  // A day of silence would have to be kept.
        scene.ticks = 480_000
        scene.play(25)
        scene.ticks += milliseconds * 48
        let before = scene.bridge.figures.framesOut
        scene.play(25)
        #expect(scene.ear.discontinuities == 1)
        #expect(scene.bridge.figures.anchorings == 2)
        #expect(scene.bridge.figures.framesOut - before == 25, "no silence was made")
        let jump = try #require(scene.ear.steps.subtracting([960]).first)
        #expect(abs(jump - 960 - milliseconds * 48) < 960)
    }

    /// Stamps that step back a little: what is there already is not heard twice.
    @Test func anOverlapIsCut() throws {
        var scene = try Scene(.linear(rate: 48_000, channels: 2, seconds: 1), to: .opus)
        scene.play(25)
        scene.ticks -= 80 * 48
        scene.play(25)
        #expect(scene.ear.steps == [960])
        #expect(scene.bridge.figures.overlapped == 4, "frames of 20 ms")
        let end = scene.ear.base + Int64(scene.ear.left.count)
        #expect(abs(end - scene.ticks) <= 960 + 312)
        let rough = Measure.roughness(
            scene.ear.left(100, 800), frequency: 1000, amplitude: 0.25, rate: 48_000)
        #expect(rough < 10)
    }

    /// A lost AAC frame leaves a hole of exactly its length, not a shift of all that follows.
    @Test func aLostFrameCostsOnlyItself() throws {
        var scene = try Scene(try Recording("lc-48000.aac"), to: .opus)
        scene.play(20)
        scene.lose()
        scene.play(20)
        #expect(scene.bridge.figures.concealed == 1)
        #expect(scene.ear.steps == [960])
        let end = scene.ear.base + Int64(scene.ear.left.count)
        #expect(abs(end - scene.ticks) <= 960 + 312)
    }

    /// At most 50 ms from a frame's arrival to the last packet made of it.
    @Test(arguments: ["lc-44100.aac", "lc-48000.aac", "tone.g722"])
    func theLatencyIsBounded(name: String) throws {
        var scene = try Scene(try Recording(name), to: .opus)
        scene.playAll()
        let frame = Timebase.nanoseconds(
            scene.source.step, rate: scene.source.format.clockRate)
        // A frame arrives when its last sample was taken; a packet can leave 20 ms after its first.
        let added = scene.latency.nanoseconds - frame
        #expect(added < 50_000_000, "\(added)")
    }

    private func figures(
        _ change: (inout AudioBridge.Figures) -> Void
    ) -> AudioBridge.Figures {
        var figures = AudioBridge.Figures()
        figures.anchorings = 1
        change(&figures)
        return figures
    }
}
