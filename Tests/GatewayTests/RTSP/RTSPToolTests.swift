import Gateway
import RTMP
import RTSP
import Settings
import Stream
import System
import Testing
import Wire

/// FFmpeg publishes and plays by RTSP, on real workers.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct RTSPToolTests {
    static let rtsp = ServedProtocol("rtsp") {
        RTSPSession(peer: $0.peer, seed: $0.random, wall: $0.wall, at: $0.now)
    }

    static func publish(_ more: String, to port: UInt16, _ name: String) throws -> Tool {
        try Tool(
            "ffmpeg -v error -re \(more) -f rtsp -rtsp_transport tcp "
                + "rtsp://127.0.0.1:\(port)/\(name)")
    }

    static func play(_ port: UInt16, _ name: String, seconds: Int = 2) -> [String] {
        let line =
            "ffprobe -v error -rtsp_transport tcp -read_intervals %+\(seconds) -count_packets "
            + "-show_entries stream=codec_name,nb_read_packets -of csv=p=0 "
            + "rtsp://127.0.0.1:\(port)/\(name)"
        guard let tool = try? Tool(line) else { return ["no ffprobe"] }
        // What it grumbles about begins with a bracket.
        return tool.end().text.split(separator: "\n").filter { $0.first != "[" }
            .map { String($0.prefix { $0 != "," }) }
    }

    static let pictures = "\(FFmpegTests.picture) \(FFmpegTests.sound) -t 8"

    @Test(arguments: [
        ("\(FFmpegTests.h264) -bf 0 \(FFmpegTests.aac)", ["h264", "aac"]),
        ("\(FFmpegTests.h264) -bf 0 -c:a libopus -ar 48000", ["h264", "opus"]),
        ("\(FFmpegTests.h264) -bf 0 -c:a pcm_alaw -ar 8000", ["h264", "pcm_alaw"]),
        ("-c:v mjpeg -huffman default -pix_fmt yuvj420p -an", ["mjpeg"]),
        ("-c:v libx265 -preset ultrafast -x265-params log-level=none -an", ["hevc"]),
    ])
    func whatItPublishesItPlays(_ codecs: String, _ expected: [String]) throws {
        let crew = try Crew(serving: Self.rtsp)
        let publisher = try Self.publish(
            "\(Self.pictures) \(codecs)", to: crew.ports[0], "live/a")
        // Comes before there is anything, and waits.
        #expect(Self.play(crew.ports[0], "live/a") == expected)
        publisher.stop()
    }

    @Test func aSecondWorkerServesThePlayer() throws {
        let crew = try Crew(workers: 2, serving: Self.rtsp)
        let publisher = try Self.publish(
            "\(Self.pictures) \(FFmpegTests.h264) \(FFmpegTests.aac)", to: crew.ports[0],
            "live/a")
        #expect(Self.play(crew.ports[1], "live/a") == ["h264", "aac"])
        publisher.stop()
    }

    @Test func aKeyIsProvedByDigest() throws {
        let crew = try Crew(
            gate: Gate(publishKey: Secret("sesame"), read: .key, loopback: .key),
            serving: Self.rtsp)
        let options = "\(FFmpegTests.picture) -t 6 \(FFmpegTests.h264) -an -f rtsp"
        let place = "127.0.0.1:\(crew.ports[0])/live/a"
        let refused = try Tool(
            "ffmpeg -v error -re \(options) -rtsp_transport tcp rtsp://u:wrong@\(place)"
        ).end()
        #expect(refused.code != 0)
        let publisher = try Tool(
            "ffmpeg -v error -re \(options) -rtsp_transport tcp rtsp://u:sesame@\(place)")
        let line =
            "ffprobe -v error -rtsp_transport tcp -show_entries stream=codec_name -of csv=p=0"
        let played = try Tool("\(line) rtsp://u:sesame@\(place)").end()
        #expect(played.text.hasPrefix("h264"), "\(played.text)")
        #expect(try Tool("\(line) rtsp://\(place)").end().text.contains("401"))
        publisher.stop()
    }

    @Test func nobodyThereIsNotFound() throws {
        let crew = try Crew(serving: Self.rtsp)
        #expect(Self.play(crew.ports[0], "live/none").first?.contains("404") == true)
    }
}
