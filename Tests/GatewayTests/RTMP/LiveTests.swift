import Gateway
import Testing
import Wire

/// fMP4 and MPEG-TS over HTTP and WebSocket, of what FFmpeg publishes.
@Suite(.enabled(if: Tool.hasFFmpeg, "install ffmpeg"), .serialized)
struct LiveTests {
    @Test(arguments: [
        "live/a.mp4", "live/a.live.mp4", "live/a.mp4?nochunk=1", "live/a.ts", "live/a.live.ts",
    ])
    func ffprobeReadsIt(_ path: String) throws {
        let crew = try MediaCrew(workers: 2)
        let publisher = try FLVTests.publish(to: crew)
        defer { publisher.stop() }
        let (codecs, text) = FFmpegTests.play(
            "http://127.0.0.1:\(crew.httpPorts[1])/\(path)", seconds: 1)
        // Of a transport stream it lists the program and then the streams.
        #expect(codecs.prefix(2) == ["h264", "aac"] && Set(codecs).count == 2, "\(text)")
        #expect(!text.lowercased().contains("error"), "\(text)")
        #expect(!text.contains("Continuity check failed"), "\(text)")
    }

    @Test func theFirstMessageSaysWhatABufferIsOpenedWith() throws {
        let crew = try MediaCrew()
        let publisher = try FLVTests.publish(to: crew)
        defer { publisher.stop() }
        let frame = try Self.open("live/a.mp4", crew)
        #expect(frame[0] == 0x81, "a whole message of text")
        let count = Int(frame[1])
        let text = String(decoding: frame[2..<2 + count], as: UTF8.self)
        #expect(text.hasPrefix(#"{"type":"mse","value":"video/mp4; codecs=\"avc1."#), "\(text)")
        #expect(text.hasSuffix(#"mp4a.40.2\""}"#), "\(text)")
        #expect(frame[2 + count] == 0x82, "then bytes")
        #expect(frame[2 + count + 8..<2 + count + 12].elementsEqual("ftyp".utf8))
    }

    @Test func packetsComeWholeOverWebSocket() throws {
        let crew = try MediaCrew()
        let publisher = try FLVTests.publish(to: crew)
        defer { publisher.stop() }
        let frame = try Self.open("live/a.ts", crew)
        #expect(frame[0] == 0x82 && frame[1] == 126)
        let count = Int(frame[2]) << 8 | Int(frame[3])
        #expect(count % 188 == 0 && frame[4] == 0x47)
    }

    private static func open(_ path: String, _ crew: MediaCrew) throws -> [UInt8] {
        let line = try Line(port: crew.httpPorts[0])
        line.send(FLVTests.webSocketRequest(path))
        let bytes = FLVTests.read(line, until: 2000)
        return Array(bytes[try #require(FLVTests.endOfHead(bytes))...])
    }
}
