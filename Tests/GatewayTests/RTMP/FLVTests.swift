import Gateway
import Testing
import Wire

/// HTTP-FLV and WS-FLV of what FFmpeg publishes.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct FLVTests {
    static func publish(to crew: MediaCrew, _ options: String = "") throws -> Tool {
        try FFmpegTests.publish(
            "\(FFmpegTests.picture) \(FFmpegTests.sound) -t 20 \(FFmpegTests.h264) "
                + "\(FFmpegTests.aac) \(options)", to: crew.rtmpPorts[0], "live/a")
    }

    @Test(arguments: ["live/a.flv", "live/a.live.flv", "live/a.flv?nochunk=1"])
    func ffprobeReadsIt(_ path: String) throws {
        let crew = try MediaCrew(workers: 2)
        let publisher = try Self.publish(to: crew)
        defer { publisher.stop() }
        let (codecs, text) = FFmpegTests.play(
            "http://127.0.0.1:\(crew.httpPorts[1])/\(path)", seconds: 1)
        #expect(codecs == ["h264", "aac"], "\(text)")
    }

    @Test func theHeaderSaysWhatThereIs() throws {
        let crew = try MediaCrew()
        let publisher = try Self.publish(to: crew, "-an")
        defer { publisher.stop() }
        let line = try Line(port: crew.httpPorts[0])
        line.send(
            Array("GET /live/a.flv HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8))
        var bytes = Self.read(line, until: 600)
        let head = try #require(Self.endOfHead(bytes))
        let text = String(decoding: bytes[..<head], as: UTF8.self)
        #expect(text.contains("200 OK") && text.contains("Content-Type: video/x-flv"))
        #expect(text.contains("Access-Control-Allow-Origin: *"))
        #expect(!text.contains("chunked"), "HTTP/1.0 knows none")
        bytes.removeFirst(head)
        #expect(Array(bytes[..<13]) == [0x46, 0x4c, 0x56, 1, 1, 0, 0, 0, 9, 0, 0, 0, 0])
        #expect(bytes[13] == 18, "metadata comes first")
    }

    @Test func theSameOverWebSocket() throws {
        let crew = try MediaCrew()
        let publisher = try Self.publish(to: crew)
        defer { publisher.stop() }
        let line = try Line(port: crew.httpPorts[0])
        line.send(Self.webSocketRequest("live/a.flv"))
        let bytes = Self.read(line, until: 2000)
        let head = try #require(Self.endOfHead(bytes))
        #expect(String(decoding: bytes[..<head], as: UTF8.self).contains(" 101 "))
        let frame = Array(bytes[head...])
        #expect(frame[0] == 0x82, "a whole binary message")
        #expect(frame[1] == 126, "with two bytes of length")
        let count = Int(frame[2]) << 8 | Int(frame[3])
        #expect(Array(frame[4..<8]) == [0x46, 0x4c, 0x56, 1])
        #expect(frame[4 + count] == 0x82, "the next one follows")
    }

    @Test(arguments: [
        ("GET /live/none.flv?token=wrong", " 401 "), ("POST /live/a.flv", " 405 "),
        ("OPTIONS /live/a.flv", " 204 "), ("GET /a/../b.flv", " 400 "),
    ])
    func refusalsAreInWords(_ request: String, _ status: String) throws {
        let crew = try MediaCrew()
        let line = try Line(port: crew.httpPorts[0])
        line.send(Array("\(request) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
        let said = line.hear() ?? "nothing"
        #expect(said.contains(status), "\(said)")
    }

    static func webSocketRequest(_ path: String) -> [UInt8] {
        Array(
            ("GET /\(path) HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
                + "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").utf8)
    }

    static func read(_ line: Line, until count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, let more = line.receive() { bytes += more }
        return bytes
    }

    static func endOfHead(_ bytes: [UInt8]) -> Int? {
        (0..<max(0, bytes.count - 3)).first { Array(bytes[$0..<$0 + 4]) == [13, 10, 13, 10] }
            .map { $0 + 4 }
    }
}
