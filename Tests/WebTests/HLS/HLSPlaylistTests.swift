import HLS
import HTTP
import Testing
import Wire

struct HLSPlaylistTests {
    /// Three whole segments of two parts, and one part of the fourth.
    private static var shelf: HLSShelf {
        var shelf = HLSShelf(HLSRules(part: .seconds(1)))
        shelf.targetDuration = 2
        shelf.partTarget = .seconds(1)
        let bytes = Chunk([1])
        for number in Int64(7)...10 {
            var segment = HLSSegment(
                number: number, start: 1_795_273_200_000_000_000 + (number - 7) * 2_000_000_000,
                isDiscontinuity: number == 9, header: number < 9 ? 1 : 2, hidesParts: false)
            for place in 0..<(number == 10 ? 1 : 2) {
                segment.parts.append(
                    HLSPart(duration: .seconds(1), isIndependent: place == 0, bytes: bytes))
            }
            if number < 10 {
                segment.duration = .seconds(2)
                segment.whole = bytes
            }
            shelf.segments.append(segment)
        }
        return shelf
    }

    @Test func writesWhatTheRFCSays() {
        let text = HLSPlaylist.media(Self.shelf, query: "?token=x")
        let lines = """
            #EXTM3U
            #EXT-X-VERSION:9
            #EXT-X-TARGETDURATION:2
            #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.001,\
            CAN-SKIP-UNTIL=12.000,HOLD-BACK=6.000
            #EXT-X-PART-INF:PART-TARGET=1.000
            #EXT-X-MEDIA-SEQUENCE:7
            #EXT-X-INDEPENDENT-SEGMENTS
            #EXT-X-MAP:URI="i1.mp4?token=x"
            #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:00.000Z
            #EXT-X-PART:DURATION=1.000,URI="p7.0.m4s?token=x",INDEPENDENT=YES
            #EXT-X-PART:DURATION=1.000,URI="p7.1.m4s?token=x"
            #EXTINF:2.000,
            s7.m4s?token=x
            #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:02.000Z
            #EXT-X-PART:DURATION=1.000,URI="p8.0.m4s?token=x",INDEPENDENT=YES
            #EXT-X-PART:DURATION=1.000,URI="p8.1.m4s?token=x"
            #EXTINF:2.000,
            s8.m4s?token=x
            #EXT-X-DISCONTINUITY
            #EXT-X-MAP:URI="i2.mp4?token=x"
            #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:04.000Z
            #EXT-X-PART:DURATION=1.000,URI="p9.0.m4s?token=x",INDEPENDENT=YES
            #EXT-X-PART:DURATION=1.000,URI="p9.1.m4s?token=x"
            #EXTINF:2.000,
            s9.m4s?token=x
            #EXT-X-PROGRAM-DATE-TIME:2026-11-21T15:00:06.000Z
            #EXT-X-PART:DURATION=1.000,URI="p10.0.m4s?token=x",INDEPENDENT=YES
            #EXT-X-PRELOAD-HINT:TYPE=PART,URI="p10.1.m4s?token=x"

            """
        #expect(text == lines)
        #expect(HLSCheck.read(text).findings == [])
    }

    @Test func anUpdateLeavesOutWhatIsSixTargetsOld() throws {
        var scene = try HLSScene()
        scene.run(milliseconds: 40_000)
        let (whole, update) = (scene.playlist, HLSPlaylist.media(scene.shelf, skips: true))
        #expect(update.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS="))
        #expect(HLSCheck.read(update, skips: true).findings == [])
        // What is in the update is the end of the whole.
        let tail = try #require(update.firstRange(of: "#EXT-X-PROGRAM-DATE-TIME"))
        #expect(whole.hasSuffix(update[tail.lowerBound...]))
        #expect(!update.contains("#EXT-X-MAP"))
    }

    @Test(
        arguments: [
            (HLSPosition(number: 9), .ready), (HLSPosition(number: 10), .wait),
            (HLSPosition(number: 10, part: 0), .ready), (HLSPosition(number: 10, part: 1), .wait),
            (HLSPosition(number: 9, part: 5), .ready), (HLSPosition(number: 11), .wait),
            (HLSPosition(number: 12, part: 0), .wait), (HLSPosition(number: 2), .ready),
        ] as [(HLSPosition, HLSReadiness)])
    func aReloadWaitsForWhatIsNotThere(position: HLSPosition, readiness: HLSReadiness) {
        #expect(Self.shelf.readiness(of: position) == readiness)
    }

    @Test func aReloadFarAheadIsAMistake() {
        guard case .wrong(let text) = Self.shelf.readiness(of: HLSPosition(number: 13)) else {
            Issue.record("it was taken")
            return
        }
        #expect(text.contains("_HLS_msn=13"))
    }

    @Test func theLastPartOfAWholeSegmentIsFollowedByTheNextOnesFirst() {
        var shelf = Self.shelf
        shelf.segments.removeLast()
        #expect(shelf.readiness(of: HLSPosition(number: 9, part: 2)) == .wait)
        #expect(shelf.readiness(of: HLSPosition(number: 9, part: 1)) == .ready)
        #expect(shelf.readiness(ofPart: 0, in: 10) == .wait)
    }

    @Test(
        arguments: [
            (0, 10, .ready), (1, 10, .wait), (2, 10, .missing), (0, 11, .missing), (2, 9, .missing),
            (0, 6, .missing),
        ] as [(Int, Int64, HLSReadiness)])
    func onlyThePromisedPartIsWaitedFor(part: Int, number: Int64, readiness: HLSReadiness) {
        #expect(Self.shelf.readiness(ofPart: part, in: number) == readiness)
    }

    @Test func anEndedStreamMakesNobodyWait() {
        var shelf = Self.shelf
        shelf.isEnded = true
        #expect(shelf.readiness(of: HLSPosition(number: 99)) == .ready)
        #expect(shelf.readiness(ofPart: 1, in: 10) == .missing)
    }

    @Test(arguments: [
        "main.m3u8", "ts.m3u8", "i3.mp4", "s12.m4s", "s0.ts", "p12.3.m4s", "p12.0.ts",
    ])
    func namesAreReadAsTheyAreWritten(name: String) throws {
        let file = try #require(HLSFile(name[...]))
        #expect(file.name == name)
    }

    @Test(arguments: [
        "", ".", "s.m4s", "s-1.m4s", "s01.m4s", "s1.mp4", "p1.m4s", "p1.2.3.m4s", "i1.m4s",
        "s99999999999999999999.m4s", "x1.m4s", "s1", "p1..m4s", "index.m3u8",
    ])
    func otherNamesAreNone(name: String) { #expect(HLSFile(name[...]) == nil) }
}

struct HLSRouteTests {
    @Test(
        arguments: [
            ("/live/cam1/index.m3u8", "live/cam1", .multivariant, .fmp4),
            ("/live/cam1/hls.fmp4.m3u8", "live/cam1", .multivariant, .fmp4),
            ("/live/cam1/hls.m3u8", "live/cam1", .multivariant, .mpegTS),
            ("/live/cam1.m3u8", "live/cam1", .multivariant, .mpegTS),
            ("/a/b/c/hls/main.m3u8", "a/b/c", .playlist(.fmp4), .fmp4),
            ("/live/cam1/hls/p12.3.ts", "live/cam1", .part(12, 3, .mpegTS), .mpegTS),
        ] as [(String, String, HLSFile, HLSRules.Container)])
    func everyNameOfAPlaylistLeadsToIt(
        path: String, name: String, file: HLSFile, container: HLSRules.Container
    ) throws {
        let found = try HLSRoute(HTTPTarget(path))
        let route = try #require(found)
        #expect(route.name.description == name)
        #expect(route.file == file)
        #expect(route.container == container)
        let isBeside = path == "/live/cam1.m3u8"
        #expect(route.folder == (isBeside ? "cam1/hls/" : "hls/"))
    }

    @Test(arguments: ["/live/cam1", "/live/cam1.flv", "/live/cam1/hls/x.m4s", "/assets/a.js"])
    func otherPathsAreNone(path: String) throws {
        let route = try HLSRoute(HTTPTarget(path))
        #expect(route == nil)
    }

    @Test func whatAClientAsksForIsRead() throws {
        let target = try HTTPTarget(
            "/live/a/hls/main.m3u8?_HLS_msn=7&_HLS_part=2&_HLS_skip=YES&token=a%26b&x=1")
        let found = try HLSRoute(target)
        let route = try #require(found)
        #expect(route.position == HLSPosition(number: 7, part: 2))
        #expect(route.skips)
        #expect(route.access == "?token=a%26b")
    }

    @Test(arguments: ["_HLS_part=1", "_HLS_msn=x", "_HLS_msn=1&_HLS_part=-1", "_HLS_msn=-1"])
    func nonsenseIsRefused(query: String) throws {
        let target = try HTTPTarget("/live/a/hls/main.m3u8?\(query)")
        #expect(throws: Problem.self) { _ = try HLSRoute(target) }
    }
}
