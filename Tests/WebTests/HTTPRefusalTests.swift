import FuzzTargets
import HTTP
import Simulation
import Testing
import Wire

/// What is refused, how it is said, and what time and damage do to a connection.
struct HTTPRefusalTests {
    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400), ("GET  / HTTP/1.1\r\n\r\n", 400),
        ("GET /a b HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\nHost: h\r\n\r\n", 505), ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505), ("GET / RTSP/1.0\r\nHost: h\r\n\r\n", 400),
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", 501), ("get / HTTP/1.1\r\nHost: h\r\n\r\n", 501),
        ("GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        ("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        ("GET /../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        ("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\u{2}", 400),
        ("GET / HTTP/1.1\rHost: x\r\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
    ])
    func refuses(text: String, status: Int) {
        let peer = Dialogue(answering: 0)
        peer.send(text)
        let answer = peer.read()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.contains("application/problem+json"))
        #expect(peer.isClosing)
        peer.send("GET /after HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(peer.read().isEmpty, "nothing behind a refusal is read")
    }

    @Test(arguments: [
        ("GET /" + String(repeating: "a", count: 5000) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        ("GET /" + String(repeating: "a", count: 1_000_000), 414),
        ("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 1_000_000), 431),
        ("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 50_000), 431),
    ])
    func bounds(text: String, status: Int) {
        let peer = Dialogue(answering: 0)
        peer.send(text)
        #expect(peer.read().hasPrefix("HTTP/1.1 \(status) "))
        #expect(peer.isClosing)
    }

    @Test func explainsInJSON() throws {
        let peer = Dialogue(answering: 0)
        peer.send("GET /a/../b HTTP/1.1\r\nHost: h\r\n\r\n")
        let body = try #require(peer.read().split(separator: "\r\n").last)
        let bytes = Array(body.utf8)
        let json = try JSONReader.read(bytes.raw, .api)
        #expect(json["code"]?.string == "bad-path")
        #expect(json["status"]?.integer == 400)
        #expect(json["type"]?.string == "/problems/bad-path")
        #expect(json["detail"] == json["error"])
    }

    /// `smuggled` must never become a request.
    @Test(arguments: [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 40\r\n\r\n",
        "Content-Length : 4\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
        "Content-Length: 0x0\r\n\r\n", "X: y\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n",
    ])
    func isNotSmuggledPast(framing: String) {
        let peer = Dialogue(answering: 1000)
        peer.send(
            "POST /a HTTP/1.1\r\nHost: h\r\n\(framing)GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(!peer.hear().contains("GET /smuggled"))
        #expect(peer.isClosing)
    }

    // MARK: Time

    @Test func closesASlowHead() {
        let peer = Dialogue()
        #expect(peer.deadline == .seconds(10))
        peer.now = peer.now + .seconds(9)
        peer.send("GET / HT")
        #expect(peer.deadline == .seconds(1), "counted from the beginning")
        peer.expire()
        #expect(peer.read().hasPrefix("HTTP/1.1 408 "))
        #expect(peer.hear() == ["close refused(Wire.ProblemCode.tooSlow)"])
    }

    @Test func closesAConnectionThatNeverAsks() {
        let peer = Dialogue()
        peer.send("\r\n\r\n")
        peer.expire()
        #expect(peer.now == Instant.start + .seconds(10))
        #expect(peer.hear() == ["close idle"])
        #expect(peer.read().isEmpty)
    }

    @Test func closesAnIdleConnectionAfterAMinute() {
        let peer = Dialogue(answering: 0)
        peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(peer.readAndHear() == ["GET /"])
        #expect(peer.deadline == .seconds(60))
        peer.send("G")
        #expect(peer.deadline == .seconds(10), "a head has begun")
        peer.send("E")
        peer.expire()
        #expect(peer.hear() == ["close refused(Wire.ProblemCode.tooSlow)"])
    }

    @Test func closesASlowBody() {
        let peer = Dialogue()
        peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
        peer.take(limit: 100)
        #expect(peer.deadline == .seconds(10))
        peer.expire()
        #expect(peer.read().hasPrefix("HTTP/1.1 408 "))
    }

    @Test func doesNotWaitForEverForItsOwnAnswer() {
        let peer = Dialogue()
        peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(peer.deadline == .seconds(60))
        peer.expire()
        #expect(peer.read().hasPrefix("HTTP/1.1 504 "))
        #expect(!peer.respond(HTTPResponse(status: 204)), "too late")
    }

    @Test func closesAReaderThatDoesNotRead() {
        let peer = Dialogue()
        peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.respond(HTTPResponse(type: "video/mp4", [UInt8](repeating: 0, count: 100_000)))
        for _ in 0..<9 {
            peer.now = peer.now + .seconds(1)
            #expect(peer.read(100).utf8.count == 100)
        }
        #expect(peer.deadline == .seconds(1), "a byte now and then is no progress")
        #expect(peer.read(4096).utf8.count == 4096)
        #expect(peer.deadline == .seconds(10))
        peer.expire()
        #expect(peer.hear().last == "close stalled")
        #expect(peer.waiting == 0)
    }

    @Test func aStreamMayBeQuiet() {
        let peer = Dialogue()
        peer.send("GET /a.flv HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.respond(HTTPResponse(status: 200, body: .stream))
        #expect(peer.deadline == .seconds(10))
        _ = peer.read()
        #expect(peer.deadline == nil)
    }

    // MARK: Damage

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        let good = Array(
            ("POST /one?a=b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: h\r\n\r\n").utf8)
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            FuzzTarget.httpRequest.run(Damage.damaged(good, using: &random).raw)
        }
    }
}
