import Foundation
import RTMP
import RTSP
import Settings
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// FFmpeg publishes and plays by RTSP, on real workers.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct RTSPToolTests {
    static let rtsp = ServedProtocol("rtsp") {
        RTSPSession(
            peer: $0.peer, local: $0.local, seed: $0.random, secret: $0.secret, wall: $0.wall,
            at: $0.now)
    }

    static func publish(
        _ more: String, to port: UInt16, _ name: String, by transport: String = "tcp"
    ) throws -> Tool {
        try Tool(
            "ffmpeg -v error -re \(more) -f rtsp -rtsp_transport \(transport) "
                + "rtsp://127.0.0.1:\(port)/\(name)")
    }

    static func play(
        _ port: UInt16, _ name: String, seconds: Int = 2, by transport: String = "tcp"
    ) -> [String] {
        let line =
            "ffprobe -v error -rtsp_transport \(transport) -read_intervals %+\(seconds) "
            + "-count_packets -show_entries stream=codec_name,nb_read_packets -of csv=p=0 "
            + "rtsp://127.0.0.1:\(port)/\(name)"
        guard let tool = try? Tool(line) else { return ["no ffprobe"] }
        // What it grumbles about begins with a bracket.
        return tool.end().text.split(separator: "\n").filter { $0.first != "[" }
            .map { String($0.prefix { $0 != "," }) }
    }

    /// A group of pictures of a megabyte, in front of which a player begins: it is not lost on the
    /// way to a socket of 208 KiB.
    @Test func aLargeGroupOfPicturesReachesAPlayerByUDP() throws {
        let crew = try Crew(serving: Self.rtsp)
        let publisher = try Self.publish(
            "-f lavfi -i testsrc2=size=640x360:rate=25,noise=alls=30:allf=t -t 14 -c:v libx264 "
                + "-preset ultrafast -bf 0 -g 300 -b:v 6M -an", to: crew.ports[0], "live/a")
        // In the middle of the first group.
        sleep(4)
        let played = try Tool(
            "ffmpeg -v warning -rtsp_transport udp -i rtsp://127.0.0.1:\(crew.ports[0])/live/a "
                + "-t 4 -f null -"
        ).end()
        #expect(played.code == 0)
        #expect(!played.text.contains("missed"), "\(played.text)")
        publisher.stop()
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

    @Test(arguments: [("udp", "udp"), ("udp", "tcp"), ("tcp", "udp")])
    func mediaComesAndGoesByUDP(_ way: (to: String, from: String)) throws {
        let crew = try Crew(serving: Self.rtsp)
        let publisher = try Self.publish(
            "\(Self.pictures) \(FFmpegTests.h264) -bf 0 \(FFmpegTests.aac)", to: crew.ports[0],
            "live/a", by: way.to)
        #expect(Self.play(crew.ports[0], "live/a", by: way.from) == ["h264", "aac"])
        let counters = try #require(crew.ask { $0.counters })
        let expected: Int64 = (way.to == "udp" ? 4 : 0) + (way.from == "udp" ? 4 : 0)
        #expect(counters.linesOpened == expected)
        if way.to == "udp" { #expect(counters.datagramsIn > 50) }
        if way.from == "udp" { #expect(counters.datagramsOut > 50) }
        #expect(counters.lineDatagramsDropped == 0)
        publisher.stop()
    }

    @Test(arguments: [LinkTransport.udp, .tcp])
    func aStreamIsFetchedFromAnotherServer(_ transport: LinkTransport) throws {
        let there = try Crew(serving: Self.rtsp)
        let publisher = try Self.publish(
            "\(Self.pictures) \(FFmpegTests.h264) -bf 0 \(FFmpegTests.aac)", to: there.ports[0],
            "live/a")
        let url = try LinkURL("rtsp://127.0.0.1:\(there.ports[0])/live/a")
        let resolver = Resolver(pool: try WorkPool("dns-test", threads: 1))
        let here = try Crew(serving: Self.rtsp) { plan in
            plan.links = LinkPlan(
                source: { name in
                    guard name == "live/b" else { return nil }
                    return .init(url, isOnDemand: false, transport: transport)
                }, always: ["live/b"])
            plan.resolver = resolver
        }
        #expect(Self.play(here.ports[0], "live/b") == ["h264", "aac"])
        let lines = here.ask { $0.lines.count }
        #expect(lines == (transport == .udp ? 4 : 0))
        publisher.stop()
    }

    @Test func aStreamIsBroughtToAnotherServer() throws {
        let there = try Crew(serving: Self.rtsp)
        let url = try LinkURL("rtsp://127.0.0.1:\(there.ports[0])/live/b")
        let resolver = Resolver(pool: try WorkPool("dns-test", threads: 1))
        let here = try Crew(serving: Self.rtsp) { plan in
            plan.links = LinkPlan(pushes: { $0 == "live/a" ? [url] : [] })
            plan.resolver = resolver
        }
        let publisher = try Self.publish(
            "\(Self.pictures) \(FFmpegTests.h264) -bf 0 \(FFmpegTests.aac)", to: here.ports[0],
            "live/a")
        #expect(Self.play(there.ports[0], "live/b") == ["h264", "aac"])
        let states = here.ask { worker in worker.links.map { $0.report(at: worker.now).state } }
        #expect(states == [.running])
        publisher.stop()
    }

    /// FFmpeg as publisher gives one table for both, and as player takes two only.
    @Test func picturesOfJPEGAreTakenWithoutAWord() throws {
        let crew = try Crew(serving: Self.rtsp)
        let publisher = try Self.publish(
            "\(FFmpegTests.picture) -t 8 -c:v mjpeg -huffman default -pix_fmt yuvj420p -an",
            to: crew.ports[0], "live/a")
        let played = try Tool(
            "ffprobe -v error -rtsp_transport tcp -read_intervals %+1 -show_entries "
                + "stream=codec_name,width -of csv=p=0 rtsp://127.0.0.1:\(crew.ports[0])/live/a"
        ).end()
        #expect(played.text.hasPrefix("mjpeg,"), "\(played.text)")
        #expect(!played.text.contains("Invalid"), "\(played.text)")
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
