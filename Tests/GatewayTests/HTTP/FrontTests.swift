import Foundation
import Gateway
import HTTP
import Settings
import Testing
import WHIP
import Wire

/// The origin of people and players over real sockets.
struct FrontTests {
    static let served = ServedProtocol("http") { HTTPSession(.front, at: $0.now) }

    static func crew(
        _ gate: Gate = Gate(publishKey: Secret("sesame"), adminToken: Secret("admin-token")),
        workers: Int = 1, rtc: RTCPlan? = nil
    ) throws -> Crew {
        let script = Array(String(repeating: "export const a = 1;\n", count: 50).utf8)
        let site = StaticSite([
            "/index.html": StaticFile(name: "index.html", Array("<p>hello</p>".utf8)),
            "/play.html": StaticFile(name: "play.html", Array("play".utf8)),
            "/assets/ui.js": StaticFile(
                name: "ui.js", script, compressed: Gzip.compress(script)),
        ])
        let links = WHIPLinks(iceServers: [ICEServer(url: "stun:stun.example.org:3478")])
        return try Crew(
            workers: workers, gate: gate, front: FrontPlan(site: site, links: links), rtc: rtc,
            serving: served)
    }

    // MARK: Files

    @Test func servesThePage() throws {
        let crew = try Self.crew()
        let page = try crew.fetch("GET", "/")
        #expect(page.status == 200)
        #expect(page.body == "<p>hello</p>")
        #expect(page["Content-Security-Policy"]?.contains("default-src 'self'") == true)
        #expect(try crew.fetch("GET", "/play/live/cam1").body == "play")
        let head = try crew.fetch("HEAD", "/")
        #expect(head["Content-Length"] == "12")
        #expect(head.body == "")
        #expect(try crew.fetch("POST", "/", [:], "x").status == 405)
        #expect(try crew.fetch("GET", "/nothing").code == "not-found")
        #expect(try crew.fetch("GET", "/../etc/passwd").status == 400)
    }

    @Test func textGoesOutCompressed() throws {
        let crew = try Self.crew()
        let packed = try crew.fetch("GET", "/assets/ui.js", ["Accept-Encoding": "gzip"])
        #expect(packed["Content-Encoding"] == "gzip")
        #expect(packed["Content-Length"].flatMap { Int($0) }.map { $0 < 100 } == true)
        let tag = try #require(packed["ETag"])
        let again = try crew.fetch(
            "GET", "/assets/ui.js", ["Accept-Encoding": "gzip", "If-None-Match": tag])
        #expect(again.status == 304)
    }

    /// Ours is the format that everybody else reads.
    @Test func whatWeCompressGunzipReads() throws {
        let text = Array((0..<5000).map { "line \($0 % 97)\n" }.joined().utf8)
        let packed = try #require(Gzip.compress(text))
        #expect(packed.count < text.count / 4)
        let gunzip = Process()
        gunzip.executableURL = URL(filePath: "/bin/gunzip")
        let (input, output) = (Pipe(), Pipe())
        gunzip.standardInput = input
        gunzip.standardOutput = output
        try gunzip.run()
        input.fileHandleForWriting.write(Data(packed))
        try input.fileHandleForWriting.close()
        #expect(output.fileHandleForReading.readDataToEndOfFile() == Data(text))
        gunzip.waitUntilExit()
    }

    @Test func pagesOfStreamsInTheOtherStyle() throws {
        let crew = try Self.crew()
        let html = ["Accept": "text/html,*/*"]
        let player = try crew.fetch("GET", "/live/cam1", html)
        #expect(player.status == 307)
        #expect(player["Location"] == "/play/live/cam1")
        #expect(
            try crew.fetch("GET", "/live/cam1/publish", html)["Location"]
                == "/publish/live/cam1")
        #expect(try crew.fetch("GET", "/live/cam1").status == 404)
        #expect(try crew.fetch("GET", "/live/cam1.txt", html).status == 404)
    }

    @Test func everyProblemHasAPage() throws {
        let crew = try Self.crew()
        for code in ProblemCode.allCases {
            let page = try crew.fetch("GET", "/problems/\(code.rawValue)")
            #expect(page.status == 200)
            #expect(page.body.contains(code.title))
        }
        #expect(try crew.fetch("GET", "/problems/none").status == 404)
    }

    // MARK: The control interface

    @Test func theControlInterfaceNeedsTheToken() throws {
        let crew = try Self.crew()
        let admin = ["Authorization": "Bearer admin-token"]
        for (method, path) in [
            ("GET", "/api/v1/sessions"), ("DELETE", "/api/v1/sessions/x"),
            ("GET", "/api/v1/sessions/x"), ("POST", "/api/v1/sessions"),
        ] {
            let refused = try crew.fetch(method, path)
            #expect(refused.status == 401)
            #expect(refused["WWW-Authenticate"] == "Bearer realm=\"gateway\"")
            let wrong = try crew.fetch(method, path, ["Authorization": "Bearer wrong"])
            #expect(wrong.status == 401)
            let publisher = try crew.fetch(method, path, ["Authorization": "Bearer sesame"])
            #expect(publisher.status == 403)
            // No page of another origin may read it.
            #expect(refused["Access-Control-Allow-Origin"] == nil)
        }
        #expect(try crew.fetch("GET", "/api/v1/sessions", admin).status == 200)
        #expect(try crew.fetch("DELETE", "/api/v1/sessions/x", admin).code == "session-not-found")
        let post = try crew.fetch("POST", "/api/v1/sessions", admin, "{}")
        #expect(post.status == 405)
        #expect(post["Allow"] == "GET, HEAD")
    }

    /// Before the body is read: the rest of it never comes.
    @Test func aStrangerIsRefusedBeforeTheBodyIsRead() throws {
        let gate = Gate(publishKey: Secret("sesame"), loopback: .key)
        let crew = try Self.crew(gate)
        for target in ["/api/v1/sessions", "/whip/live/a"] {
            let line = try crew.connect()
            line.say("POST \(target) HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r")
            #expect(line.hear()?.hasPrefix("HTTP/1.1 401 ") == true)
        }
    }

    @Test func listsAreForThoseWhoMayWatch() throws {
        let crew = try Self.crew()
        let list = try crew.fetch("GET", "/api/v1/streams")
        #expect(list.status == 200)
        #expect(list.json("itemCount") as? Int == 0)
        #expect(try crew.fetch("GET", "/api/v1/streams/live/a").code == "stream-not-found")
        #expect(try crew.fetch("GET", "/api/v1/streams?page=0").status == 400)
        let foreign = try crew.fetch("GET", "/api/v1/streams", ["Origin": "https://evil.example"])
        #expect(foreign.status == 401)
        #expect(foreign["Access-Control-Allow-Origin"] == nil)
    }

    @Test func everybodyMayKnowWhichProgramThisIs() throws {
        let crew = try Self.crew(Gate(publishKey: Secret("sesame"), read: .key, loopback: .key))
        let info = try crew.fetch("GET", "/api/v1/info")
        #expect(info.json("name") as? String == "gateway")
        // Addresses are for those who may watch.
        #expect(info.json("ports") == nil)
        let open = try Self.crew().fetch("GET", "/api/v1/info")
        #expect(open.json("ports") != nil)
        let outputs = try #require(open.json("outputs") as? [[String: String]])
        #expect(outputs.map { $0["kind"] } == ["whep", "flv", "fmp4", "ts", "hls"])
        #expect(outputs.allSatisfy { $0["path"]?.contains("{name}") == true })
    }

    /// Ten a second, and then nothing is compared any more.
    @Test func guessingIsSlowedDown() throws {
        let crew = try Self.crew()
        var codes: Set<String> = []
        for _ in 0..<40 {
            let answer = try crew.fetch(
                "GET", "/api/v1/sessions", ["Authorization": "Bearer guess"])
            codes.insert(answer.code ?? "")
        }
        #expect(codes == ["unauthorized", "too-many-sessions"])
    }
}
