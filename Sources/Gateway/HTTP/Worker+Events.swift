import HTTP
import ICE
import Media
import Stream
import System
import WHIP
import Wire

/// A page that listens to what happens around its session: by WHEP's server-sent events, or on its
/// data channel for control.
final class EventListener {
    enum Ear {
        case response(Connection, HTTPRequest.ID)
        case channel(RTCPeer)
    }

    let ear: Ear
    let session: RTCSessionName
    var feed: WHIPEventFeed
    var lastSaid: Instant

    init(_ ear: Ear, _ session: RTCSessionName, _ feed: WHIPEventFeed, at now: Instant) {
        self.ear = ear
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
        let feed = WHIPEventFeed(wanted, media: place.1, as: .eventStream)
        add(EventListener(.response(connection, request.id), session, feed, at: now))
    }

    /// The page has opened its channel for control.
    func listen(_ peer: RTCPeer) {
        guard eventListeners.count < Self.listenersMaximum, stopping == nil,
            let media = rtc?.directory.change(peer.name, { $0.mid })
        else { return }
        let feed = WHIPEventFeed(Set(WHIPEvent.allCases), media: media, as: .message)
        add(EventListener(.channel(peer), peer.name, feed, at: now))
    }

    private func add(_ listener: EventListener) {
        eventListeners.append(listener)
        // The first are told at once.
        nextEvents = now
    }

    func serveEvents() {
        guard nextEvents <= now else { return }
        eventListeners.removeAll { !isHere($0.ear) }
        nextEvents = eventListeners.isEmpty ? .distantFuture : now + Self.eventTurn
        guard !eventListeners.isEmpty else { return }
        gather(.streams) { [self] gather in
            let streams = Overview(gather).streams
            let facts = Dictionary(uniqueKeysWithValues: streams.map { ($0.name, WHIPFacts($0)) })
            tellListeners(facts)
        }
    }

    private func isHere(_ ear: EventListener.Ear) -> Bool {
        switch ear {
        case .response(let connection, _): connections[connection.identity] != nil
        case .channel(let peer): peer.isHere(at: self) && peer.association != nil
        }
    }

    private func tellListeners(_ facts: [String: WHIPFacts]) {
        let all = eventListeners
        for listener in all {
            guard let stream = rtc?.directory.change(listener.session, { $0.stream }) else {
                end(listener, saying: [])
                continue
            }
            var events = listener.feed.tell(
                facts[stream] ?? WHIPFacts(isActive: false, viewerCount: 0))
            if events.isEmpty, case .response = listener.ear,
                now - listener.lastSaid >= Self.eventSilence
            {
                events = [Array(WHIPEventFeed.keepAlive.utf8)]
            }
            guard !events.isEmpty else { continue }
            listener.lastSaid = now
            say(events, to: listener)
        }
    }

    private func say(_ events: [[UInt8]], to listener: EventListener) {
        guard isHere(listener.ear) else { return }
        switch listener.ear {
        case .response(let connection, let request):
            guard let session = connection.http else { return }
            for event in events {
                session.send(
                    event.raw, for: request, at: now, into: &effects, out: &connection.out)
            }
            runEffects(of: connection)
            setDeadline(of: connection)
            wantFlush(connection)
        case .channel(let peer): for event in events { tell(peer, event) }
        }
    }

    private func end(_ listener: EventListener, saying events: [[UInt8]]) {
        say(events, to: listener)
        eventListeners.removeAll { $0 === listener }
        guard isHere(listener.ear), case .response(let connection, let request) = listener.ear,
            let session = connection.http
        else { return }
        session.finish(request, at: now, into: &effects, out: &connection.out)
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
