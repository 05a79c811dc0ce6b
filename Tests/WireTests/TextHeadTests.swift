import FuzzTargets
import Simulation
import Testing
import Wire

struct TextHeadTests {
    static let request = Array(
        """
        POST /whip/live/cam1?token=x HTTP/1.1\r
        Host: 192.0.2.1:8080\r
        content-type:application/sdp \r
        Content-Length: 42\r
        X-Empty:\r
        \r
        v=0
        """.utf8)

    /// What is left of a head without its bytes.
    struct Read: Equatable {
        var parts: [String] = []
        var values: [String?] = []
        var count = 0
        var body = TextHead.Body.untold
    }

    static func read(_ bytes: [UInt8], _ rules: TextHead.Rules = .http) throws(ParseError) -> Read?
    {
        var head = TextHead(rules: rules)
        guard try head.read(bytes.raw) else { return nil }
        return Read(
            parts: [bytes.raw.string(head.line)],
            values: head.fields.map { bytes.raw.string($0.value) }, count: head.count,
            body: head.body)
    }

    static func refusal(_ text: String, _ rules: TextHead.Rules = .http) -> ParseError? {
        do throws(ParseError) {
            _ = try read(Array(text.utf8), rules)
            return nil
        } catch {
            return error
        }
    }

    @Test func readsARequest() throws {
        let read = try #require(try Self.read(Self.request))
        #expect(read.parts == ["POST /whip/live/cam1?token=x HTTP/1.1"])
        #expect(read.values == ["192.0.2.1:8080", "application/sdp", "42", ""])
        #expect(read.body == .length(42))
        #expect(read.count == Self.request.count - 3)
    }

    @Test func findsAHeaderWhateverItsCase() throws {
        var head = TextHead(rules: .http)
        _ = try head.read(Self.request.raw)
        let type = head.value("CONTENT-TYPE", in: Self.request.raw).map {
            Self.request.raw.string($0)
        }
        #expect(type == "application/sdp")
        let part = head.value("content", in: Self.request.raw)
        #expect(part == nil)
    }

    @Test func readsTheFirstLine() throws {
        var head = TextHead(rules: .http)
        let isComplete = try head.read(Self.request.raw)
        #expect(isComplete)
        let line = try head.requestLine(in: Self.request.raw)
        let parts = [line.method, line.target, line.version].map { Self.request.raw.string($0) }
        #expect(parts == ["POST", "/whip/live/cam1?token=x", "HTTP/1.1"])
    }

    @Test(arguments: [
        ("HTTP/1.1 201 Created", 201, "Created"), ("RTSP/1.0 200 OK", 200, "OK"),
        ("SIP/2.0 401 Un auth", 401, "Un auth"), ("HTTP/1.1 200 ", 200, ""), ("ICY 200", 200, ""),
    ])
    func readsAStatusLine(text: String, status: Int, reason: String) throws {
        let bytes = Array("\(text)\r\n\r\n".utf8)
        var head = TextHead(rules: .http)
        let isComplete = try head.read(bytes.raw)
        #expect(isComplete)
        let line = try head.statusLine(in: bytes.raw)
        #expect(line.status == status)
        let said = bytes.raw.string(line.reason)
        #expect(said == reason)
    }

    @Test(arguments: [
        "HTTP/1.1", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 x", "A -20 x",
    ])
    func refusesAStatusLine(text: String) throws {
        let bytes = Array("\(text)\r\n\r\n".utf8)
        var head = TextHead(rules: .http)
        let isComplete = try head.read(bytes.raw)
        #expect(isComplete)
        #expect(throws: ParseError.self) { try head.statusLine(in: bytes.raw) }
    }

    /// Whatever arrives in one read: the result is that of the whole.
    @Test func meansTheSameWhereverItIsCut() throws {
        for cut in Self.request.indices {
            var head = TextHead(rules: .http)
            let first = Array(Self.request.prefix(cut))
            let early = try head.read(first.raw)
            #expect(early == (cut >= Self.request.count - 3), "cut at \(cut)")
            let isComplete = try head.read(Self.request.raw)
            #expect(isComplete)
            #expect(head.count == Self.request.count - 3)
            #expect(head.fields.count == 4)
        }
    }

    @Test func asksForMoreAtEveryTruncation() throws {
        for cut in Damage.truncations(Array(Self.request.dropLast(3))) {
            #expect(try Self.read(cut) == nil, "cut to \(cut.count) bytes")
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            let damaged = Damage.damaged(Self.request, using: &random)
            FuzzTarget.textHead.run(damaged.raw)
        }
    }

    // MARK: What a request is smuggled with

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost : x\r\n\r\n", "space before the colon"),
        ("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "folded header"),
        ("GET / HTTP/1.1\r\n A: b\r\n\r\n", "folded before any header"),
        ("GET / HTTP/1.1\nHost: x\n\n", "bare LF"),
        ("GET / HTTP/1.1\rHost: x\r\r\n", "bare CR"),
        ("GET / HTTP/1.1\r\nHost: x\0y\r\n\r\n", "NUL"),
        ("GET / HTTP/1.1\r\nHost\r\n\r\n", "no colon"),
        ("GET / HTTP/1.1\r\n: x\r\n\r\n", "no name"),
        ("GET / HTTP/1.1\r\nA(b): x\r\n\r\n", "no token"),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", "CL and TE"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n", "TE and CL"),
        ("POST / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\n", "two CL"),
        ("POST / HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n", "two equal CL"),
        ("POST / HTTP/1.1\r\nContent-Length: 4, 4\r\n\r\n", "a list of CL"),
        ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "negative CL"),
        ("POST / HTTP/1.1\r\nContent-Length: +4\r\n\r\n", "signed CL"),
        ("POST / HTTP/1.1\r\nContent-Length: 0x4\r\n\r\n", "hexadecimal CL"),
        ("POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", "empty CL"),
        ("POST / HTTP/1.1\r\nContent-Length: 18446744073709551616\r\n\r\n", "CL of 2^64"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n", "another coding"),
        ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "two codings"),
        ("P\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "two TE"),
        ("\u{16}\u{3}\u{1}", "a TLS hello"), ("\0\0\0\0", "zeros"), ("\rX", "a CR alone in front"),
    ])
    func refuses(text: String, what: String) {
        #expect(Self.refusal(text) != nil, "\(what)")
    }

    @Test func acceptsATabBeforeTheCoding() throws {
        let text = Array("POST / HTTP/1.1\r\nTransfer-Encoding:\tchunked\r\n\r\n".utf8)
        #expect(try Self.read(text)?.body == .chunked)
    }

    @Test func boundsTheHead() {
        let long = String(repeating: "a", count: 1_000_000)
        #expect(Self.refusal("GET /\(long)") == .tooMuch("first line", limit: 16384))
        #expect(Self.refusal("GET / HTTP/1.1\r\nX: \(long)") == .tooMuch("head", limit: 16384))
        let many = String(repeating: "X: y\r\n", count: 50_000)
        #expect(Self.refusal("GET / HTTP/1.1\r\n\(many)") == .tooMuch("headers", limit: 100))
    }

    // MARK: What RTSP and SIP allow

    @Test func readsAFoldedSIPHeader() throws {
        let text = Array("INVITE sip:a SIP/2.0\r\nSubject : one\r\n two\r\nl: 0\r\n\r\n".utf8)
        let read = try #require(try Self.read(text, .sip))
        #expect(read.values == ["one\r\n two", "0"])
        #expect(read.body == .length(0))
    }

    @Test(arguments: ["one\r\n two\r\n\tthree", "one \n  two\r\n three"])
    func unfoldsAValue(folded: String) throws {
        let text = Array("INVITE sip:a SIP/2.0\r\nSubject: \(folded)\r\n\r\n".utf8)
        var head = TextHead(rules: .sip)
        _ = try head.read(text.raw)
        let unfolded = head.value("subject", in: text.raw).map { head.text($0, in: text.raw) }
        #expect(unfolded == "one two three")
    }

    @Test func readsAnRTSPHeadWithBareLineFeeds() throws {
        let text = Array("OPTIONS rtsp://h/a RTSP/1.0\nCSeq: 1\n\n".utf8)
        #expect(try Self.read(text, .rtsp)?.values == ["1"])
    }

    @Test(arguments: [
        ("\r\n\r\nX", 4), ("\n\nX", 2), ("\r", 0), ("\r\n\r", 2), ("X\r\n", 0), ("", 0),
    ])
    func countsBlankLinesInFront(text: String, count: Int) {
        let found = TextHead.blankPrefix(of: Array(text.utf8).raw)
        #expect(found == count)
    }

    @Test func readsTheNextMessageAfterAReset() throws {
        var head = TextHead(rules: .http)
        let isComplete = try head.read(Self.request.raw)
        #expect(isComplete)
        head.reset()
        let next = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        let hasNext = try head.read(next.raw)
        #expect(hasNext)
        #expect(head.fields.isEmpty)
        #expect(head.body == .untold)
        #expect(head.count == next.count)
    }
}
