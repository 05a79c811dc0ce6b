import HTTP
import Testing
import Wire

struct HTTPConnectionTests {
    static let get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

    @Test func answersARequest() {
        let peer = Dialogue()
        peer.send(Self.get)
        #expect(peer.hear() == ["GET /a"])
        peer.respond(HTTPResponse(type: "text/plain", Array("hello".utf8)))
        let expected =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            + "Content-Length: 5\r\n\r\nhello"
        #expect(peer.read() == expected)
        #expect(peer.hear().isEmpty)
        #expect(!peer.isClosing)
    }

    /// Three requests in one pipe, cut at every byte: the same story and the same answers.
    @Test func meansTheSameWhereverItIsCut() {
        let pipe = Array(
            ("POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n"
                + "POST /two HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3;x=y\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
                + "GET /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").utf8)
        let whole = Dialogue(answering: 100)
        whole.send(pipe)
        let (story, answers) = (whole.hear(), whole.read())
        #expect(
            story == [
                "offer POST /one", "POST /one hello", "offer POST /two", "POST /two abc0123456789",
                "GET /three", "close done",
            ])
        for cut in 1..<pipe.count {
            let peer = Dialogue(answering: 100)
            peer.send(Array(pipe[..<cut]))
            peer.send(Array(pipe[cut...]))
            #expect(peer.hear() == story, "cut at \(cut)")
            #expect(peer.read() == answers, "cut at \(cut)")
        }
        let slow = Dialogue(answering: 100)
        for byte in pipe { slow.send([byte]) }
        #expect(slow.hear() == story)
        #expect(slow.read() == answers)
    }

    @Test func answersInOrderEvenWhenTheyComeLate() {
        let peer = Dialogue()
        peer.send(Self.get + "GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(peer.hear() == ["GET /a"])
        let first = peer.last?.id
        peer.respond(HTTPResponse(status: 204))
        #expect(peer.hear() == ["GET /b"])
        #expect(!peer.respond(HTTPResponse(status: 204), to: first), "answered already")
        peer.respond(HTTPResponse(status: 404))
        let text = peer.read()
        #expect(text.hasPrefix("HTTP/1.1 204 "))
        #expect(text.contains("HTTP/1.1 404 "))
    }

    @Test func servesAHundredInAPipeAndNoMore() {
        let peer = Dialogue(answering: 0)
        peer.send(String(repeating: Self.get, count: 2000))
        let story = peer.hear()
        #expect(story.count == 101)
        #expect(story.last == "close done")
        #expect(peer.read().contains("Connection: close"))
    }

    @Test func bufferStopsAtItsBound() {
        let peer = Dialogue()
        peer.send(Self.get)
        #expect(peer.wantsBytes)
        peer.send([UInt8](repeating: 0x41, count: 64 * 1024))
        #expect(!peer.wantsBytes)
        peer.send([UInt8](repeating: 0x41, count: 64 * 1024 + 1))
        #expect(peer.isClosing)
    }

    // MARK: Bodies

    @Test func refusesABodyBeforeReadingIt() {
        let peer = Dialogue()
        peer.send("POST /whip/live/a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        #expect(peer.hear() == ["offer POST /whip/live/a"])
        peer.respond(HTTPResponse(Problem(.unauthorized)))
        let text = peer.read()
        #expect(text.hasPrefix("HTTP/1.1 401 "))
        #expect(text.contains("WWW-Authenticate: Bearer"))
        #expect(text.contains("Connection: close"))
        #expect(peer.hear() == ["close done"], "the body is never a request")
    }

    @Test(arguments: [
        "Content-Length: 6\r\n\r\n", "Content-Length: 999999999999\r\n\r\nx",
        "Transfer-Encoding: chunked\r\n\r\n6\r\n",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n",
    ])
    func boundsABody(framing: String) {
        let peer = Dialogue(answering: 5)
        peer.send("POST /a HTTP/1.1\r\nHost: h\r\n\(framing)")
        #expect(peer.read().hasPrefix("HTTP/1.1 413 "))
        #expect(peer.hear().last == "close refused(Wire.ProblemCode.bodyTooLarge)")
    }

    @Test(arguments: [
        "FFFFFFFFFFFFFFFFF\r\nA", "-1\r\nA", "+1\r\nA", "0x1\r\nA", "\r\n", " 1\r\nA", "1\nA\n",
        "1\r\nAB",
        "1\r\nA\n", "g\r\n", "1;\u{1}\r\nA", "0\r\n\0\r\n\r\n",
    ])
    func refusesAChunk(chunk: String) {
        let peer = Dialogue(answering: 100)
        peer.send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)")
        #expect(peer.read().hasPrefix("HTTP/1.1 400 "))
        #expect(peer.isClosing)
    }

    @Test func boundsChunkExtensionsAndTrailers() {
        let chunked = "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        for flood in [
            "1;" + String(repeating: "a", count: 1_000_000),
            "0\r\n" + String(repeating: "X: y\r\n", count: 50_000),
        ] {
            let peer = Dialogue(answering: 100)
            peer.send(chunked + flood)
            #expect(peer.read().hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test func saysContinueWhenItIsWaitedFor() {
        let peer = Dialogue()
        peer.send(
            "POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n")
        #expect(peer.waiting == 0, "not before somebody wants the body")
        peer.take(limit: 10)
        #expect(peer.read() == "HTTP/1.1 100 Continue\r\n\r\n")
        peer.send("hi")
        #expect(peer.hear().last == "POST /a hi")
    }

    @Test func doesNotSayContinueWhenTheBodyIsHere() {
        let peer = Dialogue(answering: 10)
        peer.send(
            "PUT /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
        #expect(peer.read().hasPrefix("HTTP/1.1 200 "))
    }

    // MARK: Answers

    @Test func headHasHeadersAndNoBody() {
        let peer = Dialogue()
        peer.send("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.respond(HTTPResponse(type: "text/plain", Array("hello".utf8)))
        let text = peer.read()
        #expect(text.contains("Content-Length: 5\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
        peer.send("HEAD /b HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.respond(HTTPResponse(status: 200, body: .stream))
        #expect(!peer.piece([1]), "nobody waits for the body")
        #expect(peer.read().contains("Transfer-Encoding: chunked\r\n"))
        #expect(!peer.isClosing)
    }

    @Test(arguments: [204, 304])
    func someAnswersHaveNoBody(status: Int) {
        let peer = Dialogue()
        peer.send(Self.get)
        peer.respond(HTTPResponse(status: status, body: .bytes([0x41])))
        let text = peer.read()
        #expect(!text.contains("Content-Length"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func streamsInChunks() {
        let peer = Dialogue()
        peer.send(Self.get)
        peer.respond(HTTPResponse(status: 200, body: .stream))
        #expect(peer.read().contains("Transfer-Encoding: chunked\r\n"))
        peer.piece(Array("hello".utf8))
        peer.piece([])
        let shared = Chunk(Array("0123456789abcdef!".utf8))
        peer.piece(shared, 0..<17)
        peer.piece(shared, 3..<5)
        peer.finish()
        let expected = "5\r\nhello\r\n11\r\n0123456789abcdef!\r\n2\r\n34\r\n0\r\n\r\n"
        #expect(peer.read() == expected)
        peer.send(Self.get)
        #expect(peer.hear().last == "GET /a", "the connection lives on")
    }

    @Test(arguments: [true, false])
    func streamsUntilTheEndWhereChunksAreUnknown(isHTTP10: Bool) {
        let peer = Dialogue()
        peer.send(
            "GET /a.flv HTTP/1.\(isHTTP10 ? 0 : 1)\r\nHost: h\r\nConnection: keep-alive\r\n\r\n")
        peer.respond(HTTPResponse(status: 200, body: isHTTP10 ? .stream : .streamUntilClose))
        let head = peer.read()
        #expect(!head.contains("chunked"))
        #expect(head.contains("Connection: close\r\n"))
        peer.piece(Array("FLV".utf8))
        peer.finish()
        #expect(peer.read() == "FLV")
        #expect(peer.hear().last == "close done")
    }

    @Test func headersCannotBeInjected() {
        let peer = Dialogue()
        peer.send(Self.get)
        peer.respond(
            HTTPResponse(status: 307).adding("Location", "/x\r\nX-Injected: 1").adding("A", "é\0"))
        let text = peer.read()
        #expect(text.contains("Location: /x%0D%0AX-Injected: 1\r\n"))
        #expect(text.contains("A: %C3%A9%00\r\n"))
    }

    // MARK: Keeping the connection

    @Test(arguments: [
        ("HTTP/1.1", "X: y", false), ("HTTP/1.1", "Connection: close", true),
        ("HTTP/1.1", "Connection: upgrade, CLOSE", true), ("HTTP/1.0", "X: y", true),
        ("HTTP/1.0", "Connection: keep-alive", false),
    ])
    func keepsTheConnectionAsAsked(version: String, header: String, closes: Bool) {
        let peer = Dialogue(answering: 0)
        peer.send("GET /a \(version)\r\nHost: h\r\n\(header)\r\n\r\n")
        #expect(peer.isClosing == closes)
        let text = peer.read()
        #expect(text.contains("Connection: close\r\n") == closes)
        #expect(text.contains("Connection: keep-alive\r\n") == (version == "HTTP/1.0" && !closes))
    }

    @Test func drainsIdleAndBusyConnections() {
        let idle = Dialogue()
        idle.send(Self.get)
        idle.respond(HTTPResponse(status: 204))
        #expect(idle.hear() == ["GET /a"])
        idle.drain()
        #expect(idle.hear() == ["close draining"])
        let busy = Dialogue()
        busy.send(Self.get)
        busy.drain()
        #expect(busy.hear() == ["GET /a"])
        busy.respond(HTTPResponse(status: 204))
        #expect(busy.hear() == ["close draining"])
    }

    /// Its request may be on the way: nobody else will answer it.
    @Test(arguments: ["", "GET /a HT"])
    func drainsANewcomerWhenItHasAsked(_ begun: String) {
        let newcomer = Dialogue()
        newcomer.send(begun)
        newcomer.drain()
        #expect(newcomer.hear() == [])
        newcomer.send(String(Self.get.dropFirst(begun.count)))
        newcomer.respond(HTTPResponse(status: 204))
        #expect(newcomer.hear() == ["GET /a", "close draining"])
        let silent = Dialogue()
        silent.send(begun)
        silent.drain()
        #expect(silent.deadline == .seconds(1))
        silent.expire()
        #expect(silent.hear().last?.hasPrefix("close ") == true)
    }

    @Test func answersAPeerThatHasSaidAll() {
        let peer = Dialogue()
        peer.send(Self.get)
        peer.peerClosed()
        peer.respond(HTTPResponse(type: "text/plain", [0x41]))
        #expect(peer.read().hasSuffix("A"))
        #expect(peer.hear() == ["GET /a", "close peer"])
        let cut = Dialogue()
        cut.send("GET /a HT")
        cut.peerClosed()
        #expect(cut.hear() == ["close peer"])
    }

    @Test func upgrades() {
        let peer = Dialogue()
        peer.send(Self.get + "first bytes")
        peer.respond(HTTPResponse(status: 101, body: .upgrade).adding("Upgrade", "x"))
        #expect(peer.hear() == ["GET /a", "upgraded first bytes"])
        let text = peer.read()
        #expect(text.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"))
        #expect(text.contains("Connection: Upgrade\r\n"))
        #expect(!text.contains("Content-Length"))
        #expect(peer.deadline == nil)
    }
}
