import SRT
import Stream
import Testing
import Wire

/// Stream ids as callers write them (brief of SRT, 2).
struct SRTRequestTests {
    struct ID: CustomTestStringConvertible, Sendable {
        var text: String
        var mode: SRTRequest.Mode
        var name = "live/cam1"
        var user = ""
        var password = ""
        var token = ""
        var testDescription: String { text }
    }

    static let ids = [
        // The standard.
        ID(text: "#!::r=live/cam1,m=publish", mode: .publish),
        ID(text: "#!::m=publish,r=live/cam1", mode: .publish),
        ID(text: "#!::r=live/cam1", mode: .read),
        ID(text: "#!::r=/live/cam1,m=request,h=example.org,t=stream", mode: .read),
        ID(
            text: "#!::r=live/cam1,m=publish,u=me,s=pass%2Cword", mode: .publish, user: "me",
            password: "pass,word"),
        ID(text: "#!::r=live%2Fcam1,m=publish", mode: .publish),
        // SRS and ZLM: keys of a query among the pairs, or behind the name.
        ID(text: "#!::r=live/cam1?secret=abc,m=publish", mode: .publish, token: "abc"),
        ID(text: "#!::r=live/cam1,m=publish,token=abc,x=y", mode: .publish, token: "abc"),
        ID(text: "#!::h=example.org/live/cam1,m=publish", mode: .publish),
        // MediaMTX.
        ID(text: "publish:live/cam1", mode: .publish),
        ID(text: "read:live/cam1", mode: .read),
        ID(text: "request:live/cam1", mode: .read),
        ID(text: "publish:live/cam1:me:secret", mode: .publish, user: "me", password: "secret"),
        ID(text: "publish:live/cam1:token=abc", mode: .publish, token: "abc"),
        ID(
            text: "read:live/cam1:me:secret:token=abc", mode: .read, user: "me",
            password: "secret", token: "abc"),
        ID(text: "publish:cam1", mode: .publish),
        // SLS and others.
        ID(text: "publish/live/cam1", mode: .publish),
        ID(text: "play/live/cam1", mode: .read),
        ID(text: "input/live/cam1", mode: .publish),
        ID(text: "uplive.example.org/live/cam1", mode: .publish),
        // datarhei, SM.
        ID(text: "live/cam1,mode:publish,token:abc", mode: .publish, token: "abc"),
        ID(text: "live/cam1,role=player", mode: .read),
        ID(text: "live/cam1,role=publisher", mode: .publish),
        // Plain.
        ID(text: "live/cam1", mode: .publish),
        ID(text: "/live/cam1", mode: .publish),
        ID(text: "cam1", mode: .publish),
        ID(text: "live/cam1?token=abc", mode: .publish, token: "abc"),
        ID(text: "srt://example.org:9999/live/cam1?token=abc", mode: .publish, token: "abc"),
        ID(text: "live/cam1#feedbackplay", mode: .publish),
        ID(text: "#!::r=live/cam1,m=request#feedbackplay", mode: .read),
    ]

    @Test(arguments: ids) func anIDIsRead(_ id: ID) throws {
        let request = try SRTRequest(id.text)
        #expect(request.mode == id.mode && request.name == id.name)
        #expect(request.credential.user == id.user)
        #expect(request.credential.password == id.password)
        #expect(request.credential.token == id.token)
    }

    @Test(
        arguments: [
            ("#!:{r=live/a}", .malformed), ("#!::live/a", .malformed), ("#!::m=publish", .name),
            ("#!::r=live/a,m=bidirectional", .mode), ("#!::r=live/a,m=delete", .mode),
            ("#!::r=live/a,t=file", .type), ("#!::r=../etc/passwd,m=publish", .name),
            ("publish:a/../b", .name), ("publish:", .name), ("", .name), ("live/a b", .name),
            ("publish:a:b:c:d:e:f", .malformed), ("api/x", .name), ("live/a,b", .malformed),
            (String(repeating: "a", count: 513), .malformed),
        ] as [(String, SRTRequest.Fault)])
    func anIDThatIsNoneIsRefused(_ text: String, _ fault: SRTRequest.Fault) {
        #expect(throws: fault) { try SRTRequest(text) }
    }

    @Test func defaultsAreForThoseWhoDoNotSayIt() throws {
        var defaults = SRTRequest.Defaults()
        defaults.mode = .read
        defaults.stream = "live/only"
        #expect(try SRTRequest("", defaults).name == "live/only")
        #expect(try SRTRequest("", defaults).mode == .read)
        #expect(try SRTRequest("live/a", defaults).mode == .read)
        #expect(try SRTRequest("publish:live/a", defaults).mode == .publish)
    }

    @Test func aCallOfOursHasItsURL() throws {
        let long = "srt://h:9000?streamid=%23!::r=live/a,m=request&passphrase=correct-horse"
        let url = try SRTCallURL(try LinkURL(long + "&latency=200&pbkeylen=32"), .pull)
        #expect(url.streamID == "#!::r=live/a,m=request" && url.passphrase == "correct-horse")
        #expect(url.latency == .milliseconds(200) && url.keyLength == 32)
        let raw = try SRTCallURL(try LinkURL("srt://h:9000?streamid=#!::r=live/a"), .pull)
        #expect(raw.streamID == "#!::r=live/a")
        let path = try LinkURL("srt://me:secret@h:9000/live/a")
        #expect(try SRTCallURL(path, .push).streamID == "#!::r=live/a,m=publish,u=me,s=secret")
        #expect(try SRTCallURL(try LinkURL("srt://h:9000"), .pull).streamID == "")
    }

    @Test(arguments: [
        "latency=200000", "latency=1", "passphrase=short", "pbkeylen=17", "mode=listener",
        "streamid=\(String(repeating: "a", count: 600))",
    ])
    func aCallThatCannotBeMadeSaysWhy(_ query: String) throws {
        let url = try LinkURL("srt://h:9000?\(query)")
        let fault = #expect(throws: SRTCallURL.Fault.self) { try SRTCallURL(url, .pull) }
        #expect(fault?.words.contains(query.prefix { $0 != "=" }) == true)
    }
}
