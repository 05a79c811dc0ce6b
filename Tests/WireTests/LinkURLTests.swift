import Testing
import Wire

@Suite struct LinkURLTests {
    @Test func thePartsAreTakenApart() throws {
        let url = try LinkURL("RTMP://u:p%40ss@host.example:1936/live/cam1?token=x")
        #expect(url.scheme == "rtmp" && url.user == "u" && url.password == "p@ss")
        #expect(url.host == "host.example" && url.port == 1936)
        #expect(url.path == "live/cam1?token=x" && url.segments == ["live", "cam1"])
        #expect(url.place == "host.example:1936")
    }

    @Test(arguments: [
        ("rtmp://[2001:db8::1]:1935/a/b", "2001:db8::1", UInt16(1935), "[2001:db8::1]:1935"),
        ("rtmp://[::1]/a/b", "::1", nil, "[::1]"), ("http://h", "h", nil, "h"),
        ("rtsp://a:b@c@h:8554/x", "h", 8554, "h:8554"),
    ])
    func hostsOfAllKinds(_ text: String, _ host: String, _ port: UInt16?, _ place: String) throws {
        let url = try LinkURL(text)
        #expect(url.host == host && url.port == port && url.place == place)
    }

    /// A log line shows where, and nothing that opens a door.
    @Test func whatMayBeSecretIsNotShown() throws {
        let url = try LinkURL("rtmps://user:secret@h/live2/abcd-key?sign=secret")
        #expect("\(url)" == "rtmps://h/live2/…")
        #expect(!String(reflecting: url).contains("secret"))
        var dumped = ""
        dump(url, to: &dumped)
        #expect(!dumped.contains("secret") && !dumped.contains("abcd"))
    }

    @Test(arguments: [
        "", "host/app", "rtmp://", "rtmp:///app/x", "rtmp://h:0/a/b", "rtmp://h:99999/a",
        "rtmp://h:x/a", "rtmp://h/a b", "rtmp://h/\u{0}",
    ])
    func whatIsNoneIsRefused(_ text: String) {
        #expect(throws: ParseError.self) { try LinkURL(text) }
    }

    @Test func anotherPathAtTheSamePlace() throws {
        let url = try LinkURL("rtmp://u:p@h:1/live")
        let other = url.with(path: "live/cam1")
        #expect(other.segments == ["live", "cam1"] && other.user == "u" && other.port == 1)
    }
}
