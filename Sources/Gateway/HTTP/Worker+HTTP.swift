import HTTP
import Stream
import System
import Wire

// Requests of HTTP connections, routed after the session has returned.
extension Worker {
    func serveRequests(of connection: Connection) {
        // An answer may bring up the next request of the pipe: the loop below takes it.
        guard let session = connection.http, !session.isBeingServed else { return }
        session.isBeingServed = true
        defer { session.isBeingServed = false }
        session.date = dateText()
        while connections[connection.identity] != nil, let event = session.nextRequest() {
            switch event {
            case .offer(let request):
                route(request, session.site, bodyIsWaiting: true, connection)
            case .request(let request):
                route(request, session.site, bodyIsWaiting: false, connection)
            case .upgraded, .close: break
            }
        }
    }

    private func route(
        _ request: HTTPRequest, _ site: HTTPSession.Site, bodyIsWaiting: Bool,
        _ connection: Connection
    ) {
        switch site {
        case .admin: serveAdmin(request, for: connection)
        case .front: serveFront(request, bodyIsWaiting: bodyIsWaiting, for: connection)
        }
    }

    func takeBody(of request: HTTPRequest, limit: Int, _ connection: Connection) {
        guard let session = connection.http else { return }
        session.takeBody(
            of: request.id, limit: limit, at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        setDeadline(of: connection)
        wantFlush(connection)
    }

    func respond(
        _ response: HTTPResponse, _ request: HTTPRequest, _ connection: Connection
    ) {
        guard let session = connection.http, connections[connection.identity] != nil else { return }
        session.respond(
            to: request.id, response, at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        setDeadline(of: connection)
        wantFlush(connection)
    }

    /// Once a second is enough: the header has no fractions.
    private func dateText() -> String {
        takeTime()
        let seconds = wall.model.utc(at: now) / 1_000_000_000
        if seconds != date.seconds {
            date = (seconds, HTTPDate.text(seconds: seconds))
        }
        return date.text
    }
}
