import HLS
import Media
import Stream
import Testing
import Wire

struct HLSSegmenterTests {
    @Test(
        arguments: [
            (16, 125), (20, 100), (33, 61), (40, 50), (40, 25), (40, 100), (67, 30), (100, 20),
        ] as [(Int64, Int)])
    func everyPlaylistHoldsAgainstTheRules(step: Int64, interval: Int) throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 30_000, step: step, keyEvery: interval)
        #expect(scene.findings == [])
        #expect(scene.changes > 30)
        #expect(scene.shelf.isReady)
    }

    /// Phones and browsers: no two pictures are equally far apart.
    @Test(arguments: UInt64(1)...8) func jitterBreaksNoRule(seed: UInt64) throws {
        var dice = SplitMix64(seed: seed)
        var scene = try HLSScene()
        scene.run(milliseconds: 30_000, step: 33, keyEvery: 0) { _ in
            Int64(dice.next() % 8000)
        }
        #expect(scene.findings == [])
    }

    @Test(arguments: [HLSRules(part: nil), HLSRules(.mpegTS), HLSRules(.mpegTS, part: nil)])
    func everyKindHoldsAgainstTheRules(rules: HLSRules) throws {
        var scene = try HLSScene(rules)
        scene.run(milliseconds: 40_000)
        #expect(scene.findings == [])
        #expect(scene.playlist.contains("#EXT-X-PART:") == (rules.part != nil))
        #expect(scene.playlist.contains("#EXT-X-MAP:") == (rules.container == .fmp4))
    }

    @Test func soundAloneIsCutByTime() throws {
        var scene = try HLSScene(hasVideo: false)
        scene.run(milliseconds: 30_000)
        #expect(scene.findings == [])
        #expect(scene.shelf.targetDuration == 2)
        #expect(scene.shelf.listed.count >= 8)
    }

    /// A publisher whose sound is behind its picture: browsers give up on samples that lie over
    /// each other.
    @Test func soundFromBeforeTheFirstPictureIsLeftOut() throws {
        var scene = try HLSScene()
        scene.soundSent = -30
        scene.run(milliseconds: 10_000)
        #expect(scene.findings == [])
        for segment in scene.shelf.segments {
            for duration in Self.durations(in: segment.whole?.bytes ?? []) {
                #expect(duration > 500 && duration < 4000)
            }
        }
    }

    /// Of all samples of all runs (ISO/IEC 14496-12 §8.8.8), which have four fields each here.
    private static func durations(in bytes: [UInt8]) -> [Int] {
        var found: [Int] = []
        for at in bytes.indices.dropLast(16) where bytes[at..<at + 4].elementsEqual("trun".utf8) {
            func number(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
            for sample in 0..<number(at + 8) { found.append(number(at + 16 + sample * 16)) }
        }
        return found
    }

    @Test func segmentsBeginWithKeyFramesAndTheirDateIsWhenTheyWereTaken() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 20_000)
        for segment in scene.shelf.listed {
            #expect(segment.parts.first?.isIndependent ?? true)
        }
        let first = try #require(scene.shelf.segments.first)
        #expect(first.start == HLSScene.began + 100_000_000_000)
        let second = try #require(scene.shelf.segments.dropFirst().first)
        #expect(second.start - first.start == 2_000_000_000)
    }

    /// The pieces are the whole, and nothing of it is missing.
    @Test func aSegmentIsItsParts() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 10_000)
        let segment = try #require(scene.shelf.listed.last { $0.whole != nil })
        #expect(segment.parts.count > 1)
        #expect(segment.whole?.bytes == segment.parts.flatMap(\.bytes.bytes))
    }

    @Test func theLongKeyFrameIntervalOfAnEncoderSetsTheTarget() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 60_000, keyEvery: 100)
        #expect(scene.shelf.targetDuration == 4)
        #expect(scene.findings == [])
    }

    /// A browser sends key frames only when asked.
    @Test func aKeyFrameIsWantedWhenASegmentIsLongEnough() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 30_000, keyEvery: 0)
        #expect(scene.findings == [])
        #expect(scene.shelf.targetDuration == 2)
        #expect(scene.shelf.isIndependent)
    }

    /// The target duration was promised: a segment ends without a key frame, and the promise that
    /// all begin with one is taken back.
    @Test func whatGetsLongerThanPromisedIsCutAnyway() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 10_000)
        scene.run(milliseconds: 20_000, keyEvery: 1_000_000)
        #expect(scene.findings == [])
        #expect(!scene.playlist.contains("#EXT-X-INDEPENDENT-SEGMENTS"))
        #expect(scene.shelf.targetDuration == 2)
    }

    @Test func anotherPublisherIsADiscontinuityWithANewHeaderAndNumbersGoOn() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 9_000)
        let before = try #require(scene.shelf.segments.last?.number)
        for _ in 0..<3 {
            scene.republish(after: 3_000)
            scene.run(milliseconds: 9_000)
        }
        #expect(scene.findings == [])
        let marks = scene.shelf.segments.filter(\.isDiscontinuity)
        #expect(marks.count + scene.shelf.discontinuities >= 3)
        let after = try #require(scene.shelf.segments.last?.number)
        #expect(after > before + 9)
        let headers = Set(scene.shelf.segments.compactMap(\.header))
        #expect(headers == Set(scene.shelf.headers.keys))
        #expect(headers.count > 1)
    }

    @Test func aCodecChangeIsADiscontinuityWithANewHeader() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 9_000)
        scene.video?.generation += 1
        scene.video?.width = 1280
        scene.republish(after: 0)
        scene.jump = nil
        scene.run(milliseconds: 9_000)
        #expect(scene.findings == [])
        #expect(scene.shelf.segments.contains { $0.isDiscontinuity })
    }

    /// A hole is not a long picture.
    @Test func missingPicturesAreADiscontinuity() throws {
        var scene = try HLSScene(hasSound: false)
        scene.run(milliseconds: 9_000)
        scene.time += 5_000
        scene.run(milliseconds: 9_000)
        #expect(scene.findings == [])
        #expect(scene.shelf.segments.contains { $0.isDiscontinuity })
    }

    @Test func oldSegmentsStayForTheLateAndThenGo() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 60_000)
        let shelf = scene.shelf
        #expect(shelf.hidden == shelf.rules.keptAfter)
        let first = try #require(shelf.segments.first)
        #expect(shelf.whole(first.number) != nil)
        #expect(shelf.whole(first.number - 1) == nil)
        #expect(!scene.playlist.contains(HLSFile.segment(first.number, .fmp4).name))
        #expect(first.parts.isEmpty)
    }

    @Test func theEndIsSaid() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 9_000)
        scene.segmenter.end()
        #expect(scene.playlist.hasSuffix("#EXT-X-ENDLIST\n"))
        #expect(!scene.playlist.contains("PRELOAD-HINT"))
        #expect(HLSCheck.read(scene.playlist).findings == [])
    }

    @Test func theVariantNamesWhatIsInIt() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 20_000)
        let text = HLSPlaylist.multivariant(scene.shelf, query: "?token=a")
        #expect(HLSCheck.read(text).findings == [])
        #expect(text.contains("CODECS=\"avc1.42c00c,mp4a.40.2\""))
        #expect(text.contains("FRAME-RATE=25.000"))
        #expect(text.hasSuffix("hls/main.m3u8?token=a\n"))
    }

    @Test func aTransportStreamSegmentCanBeReadAlone() throws {
        var scene = try HLSScene(HLSRules(.mpegTS))
        scene.run(milliseconds: 10_000)
        for segment in scene.shelf.segments {
            guard let bytes = segment.whole?.bytes else { continue }
            #expect(bytes.count % 188 == 0)
            // The table of programs first: PID 0.
            #expect(Array(bytes.prefix(3)) == [0x47, 0x40, 0x00])
        }
    }
}
