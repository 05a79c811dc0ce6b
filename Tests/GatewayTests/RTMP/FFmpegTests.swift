import Foundation
import Gateway
import RTMP
import Settings
import Stream
import System
import Testing
import Wire

/// FFmpeg publishes and plays by RTMP, on real workers.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct FFmpegTests {
    static let rtmp = ServedProtocol("rtmp") {
        RTMPSession(peer: $0.peer, seed: $0.random, at: $0.now)
    }

    static let picture = "-f lavfi -i testsrc2=s=320x180:r=30"
    static let sound = "-f lavfi -i sine=f=440:r=44100"
    static let h264 = "-c:v libx264 -preset ultrafast -g 30 -b:v 300k"
    static let aac = "-c:a aac -b:a 64k"

    static func publish(_ more: String, to port: UInt16, _ name: String) throws -> Tool {
        try Tool("ffmpeg -v error -re \(more) -f flv rtmp://127.0.0.1:\(port)/\(name)")
    }

    /// What ffprobe finds in some seconds: `codec=frames` a stream.
    static func play(
        _ url: String, seconds: Int = 2
    ) -> (codecs: [String], text: String) {
        let line =
            "ffprobe -v error -read_intervals %+\(seconds) -count_packets "
            + "-show_entries stream=codec_name,nb_read_packets -of csv=p=0 \(url)"
        guard let tool = try? Tool(line) else { return ([], "no ffprobe") }
        let (_, text) = tool.end()
        let lines = text.split(separator: "\n").map(String.init)
        return (lines.map { String($0.prefix { $0 != "," }) }, text)
    }

    @Test(arguments: [0, 2])
    func whatItPublishesItPlays(bFrames: Int) throws {
        let crew = try Crew(serving: Self.rtmp)
        let publisher = try Self.publish(
            "\(Self.picture) \(Self.sound) -t 6 \(Self.h264) -bf \(bFrames) \(Self.aac)",
            to: crew.ports[0], "live/a")
        // Comes before there is anything, and waits.
        let (codecs, text) = Self.play("rtmp://127.0.0.1:\(crew.ports[0])/live/a")
        #expect(codecs == ["h264", "aac"], "\(text)")
        let ended = publisher.end()
        #expect(ended.code == 0, "\(ended.text)")
    }

    @Test func aSecondWorkerServesThePlayer() throws {
        let crew = try Crew(workers: 2, serving: Self.rtmp)
        let publisher = try Self.publish(
            "\(Self.picture) \(Self.sound) -t 6 \(Self.h264) \(Self.aac)", to: crew.ports[0],
            "live/a")
        let (codecs, text) = Self.play("rtmp://127.0.0.1:\(crew.ports[1])/live/a")
        #expect(codecs == ["h264", "aac"], "\(text)")
        publisher.stop()
    }

    @Test(arguments: [("-an", ["h264"]), ("-vn -c:a libmp3lame", ["mp3"])])
    func oneTrackIsEnough(_ options: String, _ expected: [String]) throws {
        let crew = try Crew(serving: Self.rtmp)
        let publisher = try Self.publish(
            "\(Self.picture) \(Self.sound) -t 7 \(Self.h264) \(options)", to: crew.ports[0],
            "live/a")
        let (codecs, text) = Self.play("rtmp://127.0.0.1:\(crew.ports[0])/live/a", seconds: 1)
        #expect(codecs == expected, "\(text)")
        publisher.stop()
    }

    @Test func aWrongKeyIsRefusedInWords() throws {
        let crew = try Crew(
            gate: Gate(publishKey: Secret("sesame"), loopback: .key), serving: Self.rtmp)
        let options = "\(Self.picture) -t 1 \(Self.h264) -an"
        let refused = try Tool(
            "ffmpeg -v verbose -re \(options) -f flv rtmp://127.0.0.1:\(crew.ports[0])/live/a"
        ).end()
        #expect(refused.code != 0)
        #expect(refused.text.contains("Put ?token=KEY behind the stream key"), "\(refused.text)")
        let taken = try Self.publish(options, to: crew.ports[0], "live/a?token=sesame").end()
        #expect(taken.code == 0, "\(taken.text)")
    }

    @Test func nobodyThereIsSaidInWords() throws {
        let crew = try Crew(serving: Self.rtmp)
        let (codecs, _) = Self.play("rtmp://127.0.0.1:\(crew.ports[0])/live/none")
        #expect(codecs.first?.contains("h264") != true)
    }
}
