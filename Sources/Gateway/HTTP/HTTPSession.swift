import Containers
import HTTP
import Live
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
    /// Media that was asked for; then the viewer that gets it.
    private var wanted: WantedMedia?
    private var viewer: LiveViewer?
    private var socket: WebSocket?
    private var lastQuestion: QuestionID = 0
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
        if socket != nil {
            withSocket(&effects, &out) { $0.receive(bytes, at: now, into: &$1) }
            return bytes.byteCount
        }
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
        withSocket(&effects, &out) { $0.expire(at: now, into: &$1) }
        viewer?.expire(at: now)
    }

    package func wrote(_ count: Int, at now: Instant, out: inout Outbox) {
        swap(&http.outbox, &out)
        connection.wrote(count, at: now, http)
        swap(&http.outbox, &out)
    }

    package func drain(at now: Instant, into effects: inout Effects, out: inout Outbox) {
        within(&effects, &out) { connection, http in connection.drain(at: now, into: &http) }
        // An endless answer would hold up the end.
        if viewer != nil { endMedia(.shuttingDown, at: now, &effects, &out) }
    }

    package var deadline: Instant {
        min(
            connection.deadline ?? .distantFuture, viewer?.deadline ?? .distantFuture,
            socket?.deadline ?? .distantFuture)
    }

    package var wantsBytes: Bool { socket != nil || connection.wantsBytes }

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
            case .upgraded: break
            case .close(let reason):
                effects.append(.close(reason == .done ? .done : .protocolError))
            }
        }
    }
}

// MARK: - Media over HTTP and WebSocket

extension HTTPSession {
    /// One answer streams at a time: one channel.
    static let mediaChannel: ChannelID = 0

    /// What is to be said when the stream is there.
    struct WantedMedia {
        var request: HTTPRequest.ID
        var response: HTTPResponse
        var framing: BodyFraming
        var kind: LiveKind
        /// What viewers of a transport stream share.
        var feed: TSFeed?
    }

    /// - Returns: The question whose answer begins the media.
    func want(_ media: WantedMedia) -> QuestionID {
        wanted = media
        lastQuestion &+= 1
        return lastQuestion
    }

    package var sharesItems: Bool { true }

    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, into effects: inout Effects,
        out: inout Outbox
    ) {
        guard id == lastQuestion, let wanted else { return }
        self.wanted = nil
        switch answer {
        case .subscribed(let snapshot):
            if let refusal = OutletStart.refusal(snapshot, to: wanted.kind.output) {
                effects.append(.unsubscribe(Self.mediaChannel))
                return refuse(refusal, wanted, at: now, &effects, &out)
            }
            viewer = LiveViewer(
                snapshot, wanted.kind, wanted.feed, wanted.framing, at: now)
            if wanted.framing == .webSocket { socket = WebSocket(at: now) }
            respond(
                to: wanted.request, wanted.response, at: now, into: &effects, out: &out)
        case .refused(let refusal): refuse(refusal, wanted, at: now, &effects, &out)
        case .allowed, .published, .lines: break
        }
    }

    private func refuse(
        _ refusal: Refusal, _ wanted: WantedMedia, at now: Instant, _ effects: inout Effects,
        _ out: inout Outbox
    ) {
        let response = HTTPResponse(Problem(refusal)).allowingAnyOrigin()
        respond(to: wanted.request, response, at: now, into: &effects, out: &out)
    }

    package func begin(
        _ present: [PresentSlot], channel: ChannelID, at now: Instant, out: inout Outbox
    ) -> Bool { viewer?.begin(present, at: now, out: &out) ?? false }

    package func send(_ item: borrowing ReadItem, out: inout Outbox) {
        viewer?.send(item, out: &out)
    }

    package func notice(
        _ notice: Notice, at now: Instant, into effects: inout Effects, out: inout Outbox
    ) {
        switch notice {
        case .changed(_, let snapshot): viewer?.update(snapshot)
        case .ended(_, let reason): endMedia(reason, at: now, &effects, &out)
        case .keyWanted, .demand: break
        }
    }

    /// The end of the stream is the end of the answer, and players know what that means.
    private func endMedia(
        _ reason: EndReason, at now: Instant, _ effects: inout Effects, _ out: inout Outbox
    ) {
        viewer = nil
        if socket != nil {
            withSocket(&effects, &out) {
                $0.close(WebSocket.CloseCode.goingAway, reason: reason.rawValue, at: now, into: &$1)
            }
        } else if let streaming = connection.streamed {
            within(&effects, &out) { $0.finish(streaming, at: now, into: &$1) }
        }
        effects.append(.close(reason))
    }

    private func withSocket(
        _ effects: inout Effects, _ out: inout Outbox,
        _ body: (inout WebSocket, inout WebSocket.Effects) -> Void
    ) {
        guard socket != nil else { return }
        var ends = WebSocket.Effects(outbox: Outbox())
        swap(&ends.outbox, &out)
        if var open = socket.take() {
            body(&open, &ends)
            socket = open
        }
        swap(&ends.outbox, &out)
        // What a viewer says is of no use to us.
        for event in ends.events { if case .close = event { effects.append(.close(.done)) } }
    }
}
