import Gateway
import Testing

struct AdminTests {
    static let admin = ServedProtocol("admin") { HTTPSession(.admin, at: $0.now) }

    @Test func saysThatItLives() throws {
        let crew = try Crew(serving: Self.admin)
        #expect(try Self.get("/healthz", crew) == ("HTTP/1.1 200 OK", "ok\n"))
        #expect(try Self.get("/readyz", crew) == ("HTTP/1.1 200 OK", "ready\n"))
    }

    @Test func addsUpTheFiguresOfAllWorkers() throws {
        let crew = try Crew(workers: 3, serving: Self.admin)
        _ = try Self.get("/healthz", crew, worker: 1)
        let (status, body) = try Self.get("/metrics", crew)
        #expect(status == "HTTP/1.1 200 OK")
        #expect(body.contains("gateway_workers{state=\"answering\"} 3"))
        #expect(body.contains("gateway_connections_total{event=\"accepted\"} 2"))
        #expect(body.contains("process_open_fds"))
    }

    @Test func namesCauseAndFix() throws {
        let crew = try Crew(serving: Self.admin)
        let (status, body) = try Self.get("/nothing", crew)
        #expect(status == "HTTP/1.1 404 Not Found")
        #expect(body.contains("\"code\":\"not-found\""))
        let line = try crew.connect()
        line.say("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r")
        #expect(line.hear()?.hasPrefix("HTTP/1.1 405 ") == true)
    }

    @Test func answersAPipeInOrder() throws {
        let crew = try Crew(workers: 2, serving: Self.admin)
        let line = try crew.connect()
        // The figures take a round through all workers; the answers behind them wait.
        line.say("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r")
        var heard: [String] = []
        while let text = line.hear() {
            heard.append(text)
            if text == "ok" { break }
        }
        let statuses = heard.filter { $0.hasPrefix("HTTP/1.1") }
        #expect(statuses.count == 2)
        #expect(heard.last == "ok")
    }

    static func get(
        _ path: String, _ crew: Crew, worker: Int = 0
    ) throws -> (String, String) {
        let line = try crew.connect(to: worker)
        line.say("GET \(path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r")
        var lines: [String] = []
        while let text = line.hear() { lines.append(text) }
        let end = lines.firstIndex(of: "\r") ?? lines.count
        let body = lines.dropFirst(end + 1).map { $0 + "\n" }.joined()
        return (lines.first.map { String($0.dropLast()) } ?? "", body)
    }
}
