import Gateway
import HLS
import Testing
import Wire

/// HLS of what FFmpeg publishes, fetched at another worker than the stream's home.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct HLSTests {
    private static func fetch(_ target: String, _ crew: MediaCrew) throws -> Fetched {
        try Fetched("GET", target, on: Line(port: crew.httpPorts[1]))
    }

    /// Until there is enough to begin with: that takes three segments.
    private static func begin(_ path: String, _ crew: MediaCrew) throws -> Fetched {
        for _ in 0..<8 {
            let answer = try fetch(path, crew)
            if answer.status == 200 { return answer }
        }
        return Fetched()
    }

    @Test(arguments: [
        "live/a/index.m3u8", "live/a/hls.fmp4.m3u8", "live/a/hls.m3u8", "live/a.m3u8",
    ])
    func ffprobeReadsIt(_ path: String) throws {
        let crew = try MediaCrew(workers: 2)
        let publisher = try FLVTests.publish(to: crew, "-g 30")
        defer { publisher.stop() }
        _ = try Self.begin("/\(path)", crew)
        let (codecs, text) = FFmpegTests.play(
            "http://127.0.0.1:\(crew.httpPorts[1])/\(path)", seconds: 1)
        // Of the program, and of the file.
        #expect(codecs == ["h264", "aac", "h264", "aac"], "\(text)")
    }

    /// The first request starts it and is held; what is listed can be fetched, what is hinted is
    /// held until it is there, and no playlist breaks a rule.
    @Test func playlistsAreHeldAndHoldAgainstTheRules() throws {
        let crew = try MediaCrew(workers: 2)
        let publisher = try FLVTests.publish(to: crew, "-g 30")
        defer { publisher.stop() }
        let first = try Self.begin("/live/a/index.m3u8", crew)
        #expect(first.status == 200)
        #expect(first["Access-Control-Allow-Origin"] == "*")
        #expect(HLSCheck.read(first.body).findings == [])
        var watch = HLSWatch()
        var text = try Self.fetch("/live/a/hls/main.m3u8", crew).body
        #expect(watch.read(text, at: 0).findings == [])
        for _ in 0..<5 {
            let hint = try #require(text.split(separator: "URI=\"").last?.prefix { $0 != "\"" })
            let part = try Self.fetch("/live/a/hls/\(hint)", crew)
            #expect(part.status == 200 || part.status == 404, "\(hint)")
            let numbers = hint.dropFirst().split(separator: ".")
            text = try Self.fetch(
                "/live/a/hls/main.m3u8?_HLS_msn=\(numbers[0])&_HLS_part=\(numbers[1])", crew
            ).body
            #expect(watch.read(text, at: 0).findings == [])
        }
        let segment = try #require(text.split(separator: "\n").last { $0.hasPrefix("s") })
        #expect(try Self.fetch("/live/a/hls/\(segment)", crew).status == 200)
    }

    @Test(arguments: [
        ("/live/a/hls/s1.m4s", 404),
        ("/live/a/hls/main.m3u8?_HLS_msn=99999999999", 400),
        ("/live/a/hls/main.m3u8?_HLS_part=1", 400),
    ])
    func refusalsNameTheirCause(target: String, status: Int) throws {
        let crew = try MediaCrew(workers: 2)
        let publisher = try FLVTests.publish(to: crew, "-g 30")
        defer { publisher.stop() }
        _ = try Self.begin("/live/a/index.m3u8", crew)
        let answer = try Self.fetch(target, crew)
        #expect(answer.status == status, "\(answer.body)")
        #expect(answer.code != nil)
    }
}
