import HTTP
import Testing
import Wire

struct HTTPTargetTests {
    @Test(
        arguments: [
            ("/", []), ("/a", ["a"]), ("/a/b/", ["a", "b"]), ("/a%20b", ["a b"]),
            ("/%252e%252e/x", ["%2e%2e", "x"]), ("/live%2Fcam1", ["live", "cam1"]),
            ("/..;/x", ["..;", "x"]),
            ("/a;b=c", ["a;b=c"]), ("/%C3%A9", ["é"]), ("/é", ["é"]), ("http://h:1/a", ["a"]),
            ("HTTPS://h/a/b", ["a", "b"]), ("/a+b", ["a+b"]), ("/...", ["..."]), ("*", []),
        ] as [(String, [String])])
    func decodesOnce(text: String, segments: [String]) throws {
        #expect(try HTTPTarget(text).segments == segments)
    }

    @Test(arguments: [
        "", "a", "etc/passwd", "/..", "/../x", "/a/../b", "/a/..", "/%2e%2e/x", "/%2e%2e%2fx", "/.",
        "/a/./b", "//etc/passwd", "/a//b", "/a\\b", "/%5c", "/..%5c", "/%00", "/a%00.m3u8",
        "/%0d%0a",
        "/a\u{7f}", "/%c0%ae%c0%ae/", "/%e0%80%ae", "/%ff", "/%", "/%zz", "/%2", "/%u002e",
        "file:///etc/passwd", "http://h", "\\etc", "/x?cb=%0d%0aX-Injected:%201", "/x?a=%00",
        "/x?a=%zz",
        "/" + String(repeating: "a/", count: 40), "/" + String(repeating: "a", count: 4096),
        "/?" + String(repeating: "a&", count: 100),
    ])
    func refuses(text: String) {
        #expect(throws: ParseError.self) { try HTTPTarget(text) }
    }

    @Test func readsTheQuery() throws {
        let target = try HTTPTarget(
            "/rtc/v1/whip/?app=live&stream=cam%201&&x=&y&token=a+b%2B&app=z")
        #expect(target.segments == ["rtc", "v1", "whip"])
        #expect(target.hasTrailingSlash)
        #expect(target.query("app") == "live")
        #expect(target.query("stream") == "cam 1")
        #expect(target.query("x") == "")
        #expect(target.query("y") == "")
        #expect(target.query("token") == "a b+")
        #expect(target.query("none") == nil)
        #expect(target.path == "/rtc/v1/whip")
    }

    @Test func namesAStream() throws {
        #expect(try HTTPTarget("/whip/live/cam1").streamName(1..<3).description == "live/cam1")
        #expect(try HTTPTarget("/whip/live/a/b").streamName(1..<9).description == "live/a/b")
        #expect(throws: ParseError.self) { try HTTPTarget("/whip").streamName(1..<3) }
    }
}
