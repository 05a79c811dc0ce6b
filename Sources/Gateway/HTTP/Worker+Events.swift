import HTTP
import Media
import Stream
import System
import WHIP
import Wire

/// A page that listens to what happens around its viewer's session (WHEP's server-sent events).
final class EventListener {
    let connection: Connection
    let request: HTTPRequest.ID
    let session: RTCSessionName
    var feed: WHIPEventFeed
    var lastSaid: Instant

    init(
        _ connection: Connection, _ request: HTTPRequest.ID, _ session: RTCSessionName,
        _ feed: WHIPEventFeed, at now: Instant
    ) {
        self.connection = connection
        self.request = request
        self.session = session
        self.feed = feed
        lastSaid = now
    }
}

// Once a second the workers are asked what has changed, however many pages listen, and only while
// one does.
extension Worker {
    private static let eventTurn = Interval.seconds(1)
    /// Proxies close what is silent for a minute; twice is enough.
    private static let eventSilence = Interval.seconds(20)
    /// One for each viewer's page, and no more than that.
    private static let listenersMaximum = 10_000

    func listen(
        _ session: RTCSessionName, _ wanted: Set<WHIPEvent>, _ request: HTTPRequest,
        _ connection: Connection
    ) {
        guard let place = rtc?.directory.change(session, { ($0.stream, $0.mid) }) else {
            return respond(WHIPRoute.refusal(Problem(.sessionNotFound)), request, connection)
        }
        guard eventListeners.count < Self.listenersMaximum, stopping == nil else {
            let problem = Problem(.overloaded, "too many pages listen", retryAfter: .seconds(5))
            return respond(WHIPRoute.refusal(problem), request, connection)
        }
        let response = HTTPResponse(status: 200, body: .stream)
            .adding("Content-Type", WHIPEventFeed.contentType)
            .adding("Cache-Control", "no-store")
            // Some proxies collect answers before they pass them on.
            .adding("X-Accel-Buffering", "no")
            .allowingAnyOrigin()
        respond(response, request, connection)
        eventListeners.append(
            EventListener(
                connection, request.id, session,
                WHIPEventFeed(wanted, media: place.1), at: now))
        // The first are told at once.
        nextEvents = now
    }

    func serveEvents() {
        guard nextEvents <= now else { return }
        eventListeners.removeAll { connections[$0.connection.identity] == nil }
        nextEvents = eventListeners.isEmpty ? .distantFuture : now + Self.eventTurn
        guard !eventListeners.isEmpty else { return }
        gather(.streams) { [self] gather in
            let streams = Overview(gather).streams
            let facts = Dictionary(uniqueKeysWithValues: streams.map { ($0.name, WHIPFacts($0)) })
            tellListeners(facts)
        }
    }

    private func tellListeners(_ facts: [String: WHIPFacts]) {
        let all = eventListeners
        for listener in all {
            guard let stream = rtc?.directory.change(listener.session, { $0.stream }) else {
                end(listener, saying: [])
                continue
            }
            var text = listener.feed.tell(
                facts[stream] ?? WHIPFacts(isActive: false, viewerCount: 0))
            if text.isEmpty, now - listener.lastSaid >= Self.eventSilence {
                text = Array(WHIPEventFeed.keepAlive.utf8)
            }
            guard !text.isEmpty else { continue }
            listener.lastSaid = now
            say(text, to: listener)
        }
    }

    private func say(_ text: [UInt8], to listener: EventListener) {
        let connection = listener.connection
        guard let session = connection.http, connections[connection.identity] != nil else { return }
        session.send(
            text.raw, for: listener.request, at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        setDeadline(of: connection)
        wantFlush(connection)
    }

    private func end(_ listener: EventListener, saying text: [UInt8]) {
        say(text, to: listener)
        eventListeners.removeAll { $0 === listener }
        let connection = listener.connection
        guard let session = connection.http, connections[connection.identity] != nil else { return }
        session.finish(listener.request, at: now, into: &effects, out: &connection.out)
        runEffects(of: connection)
        wantFlush(connection)
    }

    /// The gateway goes: pages are told to come back, and not left to find out.
    func endListeners() {
        for listener in eventListeners { end(listener, saying: listener.feed.reconnect()) }
    }
}

extension WHIPFacts {
    init(_ stream: StreamReport) {
        let video = stream.home?.tracks.first { $0.slot == .video }
        let layers = (video?.layers ?? []).filter(\.isAlive)
        self.init(
            isActive: stream.home?.snapshot.isLive ?? false, viewerCount: stream.viewerCount,
            layers: layers.count < 2
                ? []
                : layers.map {
                    Layer(
                        rid: $0.rid, width: Int($0.format.width), height: Int($0.format.height),
                        bitsPerSecond: $0.bitsPerSecond)
                })
    }
}
