import HTTP
import ICE
import Stream
import WHIP
import Wire

// WHIP and WHEP: what the pure module makes of a request, done to sessions of WebRTC.
extension Worker {
    func serveWHIP(
        _ route: WHIPRoute, _ request: HTTPRequest, bodyIsWaiting: Bool, _ connection: Connection
    ) {
        switch route.step(request, bodyIsWaiting: bodyIsWaiting, plan.front.links) {
        case .answer(let response): respond(response, request, connection)
        case .takeBody(let limit):
            // A wrong key is refused before a byte of the body is read.
            if case .endpoint(let role, let name, let dialect) = route,
                let problem = refusal(
                    role.action, name.description, Credential(request),
                    gateRequest(request, connection))
            {
                let response = WHIPOutcome.refused(problem).response(
                    role, dialect, plan.front.links)
                return respond(response, request, connection)
            }
            takeBody(of: request, limit: limit, connection)
        case .run(let verb): run(verb, route, request, connection)
        }
    }

    private func run(
        _ verb: WHIPVerb, _ route: WHIPRoute, _ request: HTTPRequest, _ connection: Connection
    ) {
        let finish = { [self] (outcome: WHIPOutcome, dialect: WHIPDialect) in
            let response = outcome.response(route.role, dialect, plan.front.links)
            respond(response, request, connection)
        }
        switch verb {
        case .open(let offer): open(offer, request, connection) { finish($0, offer.dialect) }
        case .patch(let id, let ifMatch, let fragment):
            guard let name = RTCSessionName(id) else { return finish(Self.unknown, .standard) }
            trickleRTC(name, ifMatch: ifMatch, body: fragment) {
                finish(WHIPOutcome($0), .standard)
            }
        case .close(let id):
            guard let name = RTCSessionName(id) else { return finish(Self.unknown, .standard) }
            closeRTC(name) { finish($0 ? .closed : Self.unknown, .standard) }
        case .listen(let id, let events):
            guard let name = RTCSessionName(id) else { return finish(Self.unknown, .standard) }
            listen(name, events, request, connection)
        case .change(let id, let stream):
            guard let name = RTCSessionName(id) else { return finish(Self.unknown, .standard) }
            switchRTC(
                name, to: stream.description, Credential(request),
                gateRequest(request, connection)
            ) { finish($0.map { .refused(Problem($0)) } ?? .changed, .standard) }
        case .select(let id, let layer):
            guard let name = RTCSessionName(id) else { return finish(Self.unknown, .standard) }
            selectRTC(name, layer: LayerChoice(layer)) {
                finish($0.map { .refused(Problem($0)) } ?? .changed, .standard)
            }
        }
    }

    private static let unknown = WHIPOutcome.refused(Problem(.sessionNotFound))

    private func open(
        _ offer: WHIPOffer, _ request: HTTPRequest, _ connection: Connection,
        _ done: @escaping (WHIPOutcome) -> Void
    ) {
        let credential = Credential(request, offer.target)
        let asker = gateRequest(request, connection)
        if let problem = refusal(offer.role.action, offer.name.description, credential, asker) {
            return done(.refused(problem))
        }
        let asked = RTCOffer(
            role: offer.role == .publish ? .publish : .play, name: offer.name.description,
            sdp: offer.sdp, credential: credential, request: asker)
        openRTC(asked) { opened in
            switch opened {
            case .accepted(let answer):
                done(.opened(session: answer.id.description, etag: answer.etag, sdp: answer.sdp))
            case .refused(let refusal): done(.refused(Problem(refusal)))
            }
        }
    }
}

extension LayerChoice {
    init(_ layer: WHIPLayer) {
        self =
            switch layer {
            case .automatic: .auto
            case .encoding(let rid): .rid(rid)
            }
    }
}

extension WHIPRole {
    var action: Action { self == .publish ? .publish : .read }
}

extension WHIPRoute {
    var role: WHIPRole {
        switch self {
        case .endpoint(let role, _, _), .namedByBody(let role), .session(let role, _, _): role
        }
    }
}

extension WHIPOutcome {
    init(_ patched: RTCPatched) {
        self =
            switch patched {
            case .done: .trickled
            case .restarted(let fragment, let etag): .restarted(etag: etag, fragment: fragment)
            case .noSuchSession: .refused(Problem(.sessionNotFound))
            case .preconditionFailed:
                .refused(Problem(.preconditionFailed, "the ETag is of other credentials"))
            case .preconditionRequired: .refused(Problem(.preconditionRequired))
            case .badFragment(let cause): .refused(Problem(.sdpMalformed, cause))
            case .tooMany:
                .refused(
                    Problem(
                        .tooManySessions, "the session restarts too often", retryAfter: .seconds(1))
                )
            }
    }
}
