import HTTP
import Testing
import Wire

struct StaticSiteTests {
    static let script = Array(String(repeating: "export const a = 1;\n", count: 20).utf8)
    static let site = StaticSite([
        "/index.html": StaticFile(name: "index.html", Array("<!doctype html>".utf8)),
        "/play.html": StaticFile(name: "play.html", Array("play".utf8)),
        "/publish.html": StaticFile(name: "publish.html", Array("publish".utf8)),
        "/assets/icon.svg": StaticFile(name: "icon.svg", Array("<svg/>".utf8)),
        "/assets/ui.js": StaticFile(name: "ui.js", script, compressed: [0x1f, 0x8b, 1, 2]),
    ])

    static func get(
        _ target: String, _ headers: [(String, String)] = [], _ method: HTTPMethod = .get
    ) throws -> HTTPResponse? {
        site.response(to: try WHIPScene.request(method, target, headers))
    }

    static func content(_ response: HTTPResponse?) -> [UInt8]? {
        if case .chunk(let chunk, let range) = response?.body {
            Array(chunk.bytes[range])
        } else {
            nil
        }
    }

    @Test(arguments: [
        ("/", "<!doctype html>"), ("/play/live/cam1", "play"), ("/publish/cam1", "publish"),
        ("/favicon.ico", "<svg/>"), ("/index.html", "<!doctype html>"),
        ("/assets/icon.svg?v=1", "<svg/>"),
    ])
    func pathsLeadToFiles(target: String, text: String) throws {
        #expect(Self.content(try Self.get(target)) == Array(text.utf8))
    }

    @Test(arguments: ["/assets", "/assets/", "/assets/none.js", "/play", "/assets/ui.js/", "/x"])
    func thereIsNoListingAndNothingElse(target: String) throws {
        #expect(try Self.get(target) == nil)
    }

    /// No shape of a path leaves the table: nothing is ever opened.
    @Test(arguments: [
        "/../etc/passwd", "/%2e%2e/etc/passwd", "/..%2fetc/passwd", "/a/../index.html", "/./x",
        "//index.html", "/a\\b", "/%00", "/%c0%ae%c0%ae/x", "/index.html%0d%0aX:1",
    ])
    func noShapeOfAPathIsServed(target: String) {
        #expect(throws: ParseError.self) { try HTTPTarget(target) }
    }

    @Test func decodingHappensOnce() throws {
        #expect(try Self.get("/%252e%252e/index.html") == nil)
    }

    @Test func everyAnswerSaysWhatAPageMayDo() throws {
        let headers = try #require(try Self.get("/")?.headers)
        #expect(headers["Content-Type"] == "text/html; charset=utf-8")
        #expect(headers["Content-Security-Policy"]?.hasPrefix("default-src 'self';") == true)
        #expect(headers["Content-Security-Policy"]?.contains("unsafe") == false)
        #expect(headers["X-Content-Type-Options"] == "nosniff")
        #expect(headers["Cache-Control"] == "no-cache")
        // The page is not for pages of other origins.
        #expect(headers["Access-Control-Allow-Origin"] == nil)
    }

    @Test func compressedForThoseWhoTakeIt() throws {
        let plain = try #require(try Self.get("/assets/ui.js"))
        let packed = try #require(try Self.get("/assets/ui.js", [("Accept-Encoding", "br, gzip")]))
        #expect(Self.content(plain) == Self.script)
        #expect(Self.content(packed) == [0x1f, 0x8b, 1, 2])
        #expect(packed.headers["Content-Encoding"] == "gzip")
        #expect(plain.headers["Vary"] == "Accept-Encoding")
        #expect(plain.headers["ETag"] != packed.headers["ETag"])
        // A file that got no smaller has one form only.
        let small = try Self.get("/", [("Accept-Encoding", "gzip")])
        #expect(small?.headers["Content-Encoding"] == nil)
    }

    @Test func whatABrowserHasIsNotSentAgain() throws {
        let tag = try #require(try Self.get("/assets/ui.js")?.headers["ETag"])
        let again = try #require(try Self.get("/assets/ui.js", [("If-None-Match", tag)]))
        #expect(again.status == 304)
        #expect(again.headers["ETag"] == tag)
        #expect(Self.content(again) == nil)
        #expect(try Self.get("/assets/ui.js", [("If-None-Match", "\"old\"")])?.status == 200)
    }

    @Test func partsOfAFile() throws {
        let part = try #require(
            try Self.get("/", [("Range", "bytes=1-4"), ("Accept-Encoding", "gzip")]))
        #expect(part.status == 206)
        #expect(Self.content(part) == Array("!doc".utf8))
        #expect(part.headers["Content-Range"] == "bytes 1-4/15")
        let beyond = try #require(try Self.get("/", [("Range", "bytes=99-")]))
        #expect(beyond.status == 416)
        #expect(beyond.headers["Content-Range"] == "bytes */15")
        let stale = try Self.get("/", [("Range", "bytes=1-4"), ("If-Range", "\"old\"")])
        #expect(stale?.status == 200)
    }

    @Test func filesAreOnlyRead() throws {
        let response = try Self.get("/index.html", [], .post)
        #expect(response?.status == 405)
        #expect(response?.headers["Allow"] == "GET, HEAD")
    }
}
