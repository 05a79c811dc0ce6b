import HTTP
import Testing
import Wire

/// The client's end on a held clock.
final class Client {
    private var exchange: HTTPExchange
    private var effects = HTTPExchange.Effects()
    var now = Instant.start

    init(_ limits: HTTPExchange.Limits = .hook) { exchange = HTTPExchange(limits: limits) }

    func ask(_ method: HTTPMethod = .get, _ body: [UInt8]? = nil) -> String {
        var headers = HTTPHeaders()
        headers.add("Content-Type", "application/json")
        exchange.send(
            method, host: "192.0.2.1:8080", target: "/a?b=c", headers: headers, body: body, at: now,
            into: &effects)
        return String(decoding: bytes(outOf: &effects.outbox), as: UTF8.self)
    }

    func receive(_ text: String) { exchange.receive(Array(text.utf8).raw, at: now, into: &effects) }
    func peerClosed() { exchange.peerClosed(at: now, into: &effects) }

    func expire() {
        guard let deadline = exchange.deadline else { return }
        now = deadline
        exchange.expire(at: now, into: &effects)
    }

    func story() -> [String] {
        defer {
            effects.events = []
            effects.body = []
        }
        return effects.events.map { event in
            switch event {
            case .response(let status, _): "\(status)"
            case .end: "end \(String(decoding: effects.body, as: UTF8.self))"
            case .upgraded(let rest): "upgraded \(String(decoding: rest, as: UTF8.self))"
            case .failed(let problem): "failed \(problem.code.rawValue)"
            }
        }
    }

    var isReusable: Bool { exchange.isReusable }
}

struct HTTPExchangeTests {
    @Test func asks() {
        let client = Client()
        #expect(
            client.ask(.post, Array("{}".utf8))
                == "POST /a?b=c HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n"
                + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", ["200", "end hello"], true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            ["200", "end hello"], true
        ),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\n\r\n", ["204", "end "], true),
        (
            "HTTP/1.1 201 C\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", ["201", "end x"],
            false
        ),
    ])
    func readsAnAnswerWhereverItIsCut(text: String, story: [String], isReusable: Bool) {
        for cut in 0...text.utf8.count {
            let client = Client()
            _ = client.ask()
            client.receive(String(decoding: Array(text.utf8).prefix(cut), as: UTF8.self))
            client.receive(String(decoding: Array(text.utf8).dropFirst(cut), as: UTF8.self))
            #expect(client.story() == story, "cut at \(cut)")
            #expect(client.isReusable == isReusable)
        }
    }

    @Test func readsUntilTheEnd() {
        let client = Client(.stream)
        _ = client.ask()
        client.receive("HTTP/1.0 200 OK\r\n\r\nFLV")
        client.receive("more")
        client.peerClosed()
        #expect(client.story() == ["200", "end FLVmore"])
    }

    @Test func asksAgainOnTheSameConnection() {
        let client = Client()
        for _ in 0..<3 {
            _ = client.ask()
            client.receive("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
            #expect(client.story() == ["200", "end x"])
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n", "SSH-2.0-x\r\n\r\n",
        "RTSP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n", "HTTP/1.1 x OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n" + String(repeating: "x", count: 70_000),
    ])
    func refusesAnAnswer(text: String) {
        let client = Client()
        _ = client.ask()
        client.receive(text)
        #expect(client.story().last == "failed bad-answer")
        #expect(!client.isReusable)
    }

    @Test func failsWhenTheConnectionEndsEarly() {
        let client = Client()
        _ = client.ask()
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
        client.peerClosed()
        #expect(client.story() == ["200", "failed bad-answer"])
    }

    @Test func givesUpInTime() {
        let hook = Client()
        _ = hook.ask()
        hook.receive("HTTP/1.1 200 OK\r\n")
        hook.expire()
        #expect(hook.now == Instant.start + .seconds(2))
        #expect(hook.story() == ["failed no-answer"])
        let stream = Client(.stream)
        _ = stream.ask()
        stream.receive("HTTP/1.1 200 OK\r\n\r\n")
        stream.now = stream.now + .seconds(9)
        stream.receive("x")
        stream.expire()
        #expect(stream.now == Instant.start + .seconds(19))
    }

    @Test func noAnswerToHEADHasABody() {
        let client = Client()
        _ = client.ask(.head)
        client.receive("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        #expect(client.story() == ["200", "end "])
    }

    @Test func upgrades() {
        let client = Client()
        _ = client.ask()
        client.receive("HTTP/1.1 101 S\r\nUpgrade: websocket\r\n\r\nrest")
        #expect(client.story() == ["101", "upgraded rest"])
    }
}
