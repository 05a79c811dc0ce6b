import HTTP
package import Stream
package import Wire

/// HTTP on a connection of a worker: the machine of `HTTPConnection`, its outbox being the
/// connection's, and the requests that wait for the worker to route them.
package final class HTTPSession: ByteSession {
    /// Whose requests these are: each listener has its own routes.
    package enum Site: Sendable { case admin, front }

    let site: Site
    private var connection: HTTPConnection
    private var http: HTTPEffects
    private var requests: [HTTPEvent] = []
    var isBeingServed = false
    package private(set) var isEstablished = false

    package init(_ site: Site, at now: Instant) {
        self.site = site
        connection = HTTPConnection(at: now)
        http = HTTPEffects()
    }

    /// The `Date` header's text; the worker knows what time it is for people.
    var date: String {
        get { http.date }
        set { http.date = newValue }
    }

    /// The next request to be routed; call until nil.
    func nextRequest() -> HTTPEvent? { requests.isEmpty ? nil : requests.removeFirst() }

    func respond(
        to id: HTTPRequest.ID, _ response: HTTPResponse, at now: Instant,
        into effects: inout Effects, out: inout Outbox
    ) {
        within(&effects, &out) { connection, http in
            connection.respond(to: id, response, at: now, into: &http)
        }
    }

    /// Reads the body of an offered request; the request then comes again, whole.
    func takeBody(
        of id: HTTPRequest.ID, limit: Int, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        within(&effects, &out) { connection, http in
            connection.takeBody(of: id, limit: limit, at: now, into: &http)
        }
    }

    /// A piece of an answer that was begun as a stream.
    func send(
        _ bytes: RawSpan, for id: HTTPRequest.ID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        swap(&http.outbox, &out)
        connection.send(bytes, for: id, at: now, into: &http)
        swap(&http.outbox, &out)
        takeEvents(into: &effects)
    }

    /// Nothing follows.
    func finish(
        _ id: HTTPRequest.ID, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        within(&effects, &out) { connection, http in connection.finish(id, at: now, into: &http) }
    }

    package func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) -> Int {
        guard connection.wantsBytes else { return 0 }
        swap(&http.outbox, &out)
        connection.receive(bytes, at: now, into: &http)
        swap(&http.outbox, &out)
        takeEvents(into: &effects)
        return bytes.byteCount
    }

    package func receiveEnd(
        at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        within(&effects, &out) { connection, http in
            connection.peerClosed(at: now, into: &http)
        }
    }

    package func expire(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        within(&effects, &out) { connection, http in connection.expire(at: now, into: &http) }
    }

    package func wrote(_ count: Int, at now: Instant, out: inout Outbox) {
        swap(&http.outbox, &out)
        connection.wrote(count, at: now, http)
        swap(&http.outbox, &out)
    }

    package func drain(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        within(&effects, &out) { connection, http in connection.drain(at: now, into: &http) }
    }

    package var deadline: Instant { connection.deadline ?? .distantFuture }
    package var wantsBytes: Bool { connection.wantsBytes }

    // Nothing is published or read over these routes.
    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {}

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {}

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {}

    private func within(
        _ effects: inout Effects, _ out: inout Outbox,
        _ body: (inout HTTPConnection, inout HTTPEffects) -> Void
    ) {
        swap(&http.outbox, &out)
        body(&connection, &http)
        swap(&http.outbox, &out)
        takeEvents(into: &effects)
    }

    private func takeEvents(into effects: inout Effects) {
        while let event = http.nextEvent() {
            switch event {
            case .offer, .request:
                isEstablished = true
                requests.append(event)
            // No route here speaks anything else.
            case .upgraded: effects.append(.close(.protocolError))
            case .close(let reason):
                effects.append(.close(reason == .done ? .done : .protocolError))
            }
        }
    }
}
