import Codecs
import Testing
import Wire

@testable import Gateway

struct BenchPartsTests {
    @Test func urlsAreTakenApart() throws {
        let url = try BenchURL("http://[::1]:8080/rtc/v1/whep/?app=live&stream=a")
        #expect(url.host == "::1" && url.port == 8080 && url.origin == "[::1]:8080")
        #expect(url.target == "/rtc/v1/whep/?app=live&stream=a")
        #expect(try BenchURL("http://host").target == "/")
        #expect(try BenchURL("http://user:pass@host/a").host == "host")
        for wrong in ["host/a", "https://host/a", "http://:80/a", "http://host:x/a"] {
            #expect(throws: UsageError.self) { try BenchURL(wrong) }
        }
    }

    @Test(
        arguments: [
            ("/whep/session/1", "/whep/session/1"), ("http://host:80/s/1?a=b", "/s/1?a=b"),
            ("1", "/live/whep/1"), ("http://host", nil), ("", nil),
        ] as [(String, String?)])
    func aLocationMayBeAbsoluteOrNot(location: String, target: String?) throws {
        #expect(
            try BenchURL("http://host/live/whep?x=/y").resolve(location)
                == target?
                .replacing("/live/whep/1", with: "/live/1"))
    }

    @Test func optionsAreUnderstood() throws {
        let options = try BenchOptions([
            "whep", "--url=http://h/a", "--viewers", "500", "--ramp", "50/s", "--check", "1/10",
            "--seconds", "30", "--rounds", "20", "--json", "--token", "t", "--pid", "7",
        ])
        #expect(options.viewers == 500 && options.ramp == 50 && options.checkEach == 10)
        #expect(options.length == .seconds(30) && options.rounds == 20 && options.pid == 7)
        #expect(options.printsJSON && options.token == "t")
        #expect(
            try Command(["bench", "whep", "--url", "http://h/a"])
                == .bench(
                    try BenchOptions(["whep", "--url", "http://h/a"])))
        #expect(try Command(["bench", "--help"]) == .help(.bench))
        #expect(try Command(["bench", "rtmp", "-h"]) == .helpBench(.rtmp))
    }

    @Test(
        arguments: [
            ([], "bench needs to know what: try 'gateway help bench'"),
            (["wheep"], "no such bench: wheep: did you mean 'whep'?"),
            (["whep"], "--url is missing: gateway bench whep --url http://HOST/PATH"),
            (
                ["whep", "--url", "http://h/a", "--viewer", "3"],
                "no such option: --viewer: did you mean --viewers?"
            ),
            (
                ["whep", "--url", "http://h/a", "--viewers", "0"],
                "--viewers 0: a number from 1 to 50000"
            ),
        ] as [([String], String)])
    func mistakesAreExplained(words: [String], sentence: String) {
        #expect(throws: UsageError(description: sentence)) { try BenchOptions(words) }
    }

    @Test(arguments: BenchOptions.Kind.allCases)
    func helpFitsATerminal(kind: BenchOptions.Kind) {
        let lines = HelpText.text(kind).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 24 && lines.allSatisfy { $0.count <= 90 })
    }

    @Test func syntheticPicturesLookLikeAnEncoders() throws {
        let bytes = SyntheticVideo.sequenceSet
        let set = try H264SequenceParameterSet(bytes.raw)
        #expect(set.width == 1280 && set.height == 720)
        var video = SyntheticVideo(
            bitsPerSecond: 2_000_000, framesPerSecond: 30, framesPerGroup: 60, seed: 3)
        var count = 0
        for number in 0..<300 {
            let frame = video.next(at: Int64(number))
            #expect(frame.isKey == (number % 60 == 0) && frame.number == UInt32(number))
            let stamp = FrameStamp.find(in: frame.bytes.raw)
            #expect(stamp?.time == Int64(number))
            count += frame.bytes.count
        }
        // Ten seconds.
        #expect(abs(Double(count) * 8 / 10 / 2e6 - 1) < 0.05)
    }

    @Test func percentilesAreWithinThreePercent() {
        var histogram = Histogram()
        for microseconds in 1...10_000 { histogram.add(.microseconds(Int64(microseconds))) }
        for percent in [1, 50, 95, 99, 100] {
            let exact = Double(percent) * 100_000
            let found = Double(histogram.percentile(percent)?.nanoseconds ?? 0)
            #expect(abs(found - exact) / exact < 0.032, "p\(percent)")
        }
        #expect(histogram.maximum == .milliseconds(10) && histogram.count == 10_000)
        var other = Histogram()
        other.add(-.milliseconds(1))
        other.add(.seconds(1_000_000))
        other.merge(histogram)
        #expect(other.count == 10_002 && other.negative == 1)
        #expect(Histogram().percentile(50) == nil)
    }

    @Test func numbersAreWrittenWithTheirDigits() {
        #expect(1.005.text(1) == "1.0" && 1.25.text(1) == "1.3" && (-0.5).text(2) == "-0.50")
        #expect(12_345.0.text(0) == "12345" && 0.049.text(2) == "0.05")
        #expect(Double.nan.text(1) == "?")
    }

    @Test func theProcessorTimeOfAProcessIsKnown() {
        #expect(ProcessLoad(pid: 1).memory ?? 1 > 0)
        #expect(ProcessLoad(pid: 1 << 22).time == nil)
    }
}
