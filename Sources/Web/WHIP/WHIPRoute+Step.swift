package import HTTP
package import Wire

/// The next thing to do with a request.
package enum WHIPStep: Sendable {
    /// Nothing is wrong so far: read the body and ask again.
    case takeBody(limit: Int)
    case run(WHIPVerb)
    case answer(HTTPResponse)
}

/// From a request to what it wants. All that can be refused without knowing any session is refused
/// here, and what needs no body is refused before the body is read.
extension WHIPRoute {
    /// An offer of three simulcast layers with all codecs of a browser has 15 KiB.
    static let bodyLimit = 64 * 1024
    /// SDP inside of JSON is longer by its escapes.
    static let jsonLimit = 128 * 1024
    private static let endpointMethods = "OPTIONS, GET, HEAD, POST"
    private static let sessionMethods = "OPTIONS, GET, HEAD, PATCH, DELETE"
    private static let partMethods = "OPTIONS, POST"
    private static let eventMethods = "OPTIONS, GET, HEAD, POST"

    /// - Parameter bodyIsWaiting: The request announces a body that has not been read.
    package func step(
        _ request: HTTPRequest, bodyIsWaiting: Bool, _ links: WHIPLinks
    ) -> WHIPStep {
        do throws(Problem) {
            switch (self, request.method) {
            case (_, .options): return .answer(options(request, links))
            case (.endpoint(let role, _, _), .get), (.endpoint(let role, _, _), .head):
                return .answer(Self.look(role, request))
            case (.session(_, _, .itself), .get), (.session(_, _, .itself), .head):
                return .answer(HTTPResponse(status: 204).allowingAnyOrigin())
            case (.session(_, let id, .events), .get), (.session(_, let id, .events), .head):
                return .run(.listen(session: id, Self.events(request.target.query("events"))))
            case (.session(_, let id, .itself), .delete): return .run(.close(session: id))
            case (.endpoint, .post), (.namedByBody, .post), (.session(_, _, .itself), .patch),
                (.session(_, _, .source), .post), (.session(_, _, .layer), .post),
                (.session(_, _, .events), .post):
                try check(request, bodyIsWaiting)
                if bodyIsWaiting { return .takeBody(limit: limit) }
                return try read(request)
            default:
                let problem = Problem(
                    .methodNotAllowed, "\(request.method.rawValue) \(request.target.path)")
                return .answer(HTTPResponse(problem).adding("Allow", methods).allowingAnyOrigin())
            }
        } catch {
            return .answer(Self.refusal(error))
        }
    }

    package static func refusal(_ problem: Problem) -> HTTPResponse {
        HTTPResponse(problem).allowingAnyOrigin()
    }

    private var methods: String {
        switch self {
        case .endpoint, .namedByBody: Self.endpointMethods
        case .session(_, _, .itself): Self.sessionMethods
        case .session(_, _, .source), .session(_, _, .layer): Self.partMethods
        case .session(_, _, .events): Self.eventMethods
        }
    }

    private var limit: Int {
        switch self {
        case .namedByBody: Self.jsonLimit
        case .endpoint, .session: Self.bodyLimit
        }
    }

    private func options(_ request: HTTPRequest, _ links: WHIPLinks) -> HTTPResponse {
        var response = HTTPResponse.options(request, allow: methods)
        switch self {
        case .endpoint:
            response.headers.add("Accept-Post", "application/sdp")
            links.addICEServers(to: &response.headers)
        case .session(_, _, .itself):
            response.headers.add("Accept-Patch", WHIPLinks.fragmentType)
        case .namedByBody, .session: break
        }
        return response
    }

    /// RFC 9725 §4: nothing to see, but no error. The WHEP draft lets clients find out by HEAD
    /// whether this is an endpoint.
    private static func look(_ role: WHIPRole, _ request: HTTPRequest) -> HTTPResponse {
        guard role == .play, request.method == .head else {
            return HTTPResponse(status: 204).adding("Accept-Post", "application/sdp")
                .allowingAnyOrigin()
        }
        return HTTPResponse(type: "application/sdp", []).allowingAnyOrigin()
    }

    // MARK: Before the body

    private func check(_ request: HTTPRequest, _ bodyIsWaiting: Bool) throws(Problem) {
        if let text = request.headers["Content-Length"], let length = Int(text), length > limit {
            throw Problem(.bodyTooLarge, "\(length) bytes, \(limit) allowed")
        }
        if !request.headers.contains("Content-Length"),
            !request.headers.contains("Transfer-Encoding")
        {
            throw Problem(.lengthRequired)
        }
        try checkType(request.mediaType)
    }

    /// Only the type itself counts: clients add parameters. One that says nothing is believed to
    /// mean what belongs here.
    private func checkType(_ type: String?) throws(Problem) {
        guard let type else { return }
        switch self {
        case .endpoint(_, _, .standard) where type != "application/sdp":
            throw Problem(.mediaTypeUnknown, "\(type): application/sdp is expected")
        // The answer to a counter-offer of ours, which we never make.
        case .session(_, _, .itself) where type == "application/sdp":
            throw Problem(.renegotiationUnsupported, "PATCH with application/sdp")
        // JSON has been seen here: it must be refused at once, a client waits for the answer.
        case .session(_, _, .itself) where type != WHIPLinks.fragmentType:
            throw Problem(.mediaTypeUnknown, "\(type): \(WHIPLinks.fragmentType) is expected")
        case .session(_, _, .source), .session(_, _, .layer), .session(_, _, .events):
            guard type == "application/json" else {
                throw Problem(.mediaTypeUnknown, "\(type): application/json is expected")
            }
        // Older players say text/plain to avoid a preflight.
        case .endpoint, .namedByBody, .session: break
        }
    }

    // MARK: With the body

    private func read(_ request: HTTPRequest) throws(Problem) -> WHIPStep {
        switch self {
        case .endpoint(let role, let name, let dialect):
            // Players of an older draft send an empty body and expect an offer: 400 is what makes
            // others choose another way.
            guard !request.body.isEmpty else { throw Problem(.sdpMalformed, "the body is empty") }
            return .run(
                .open(
                    WHIPOffer(
                        role: role, name: name, sdp: request.body, target: request.target,
                        dialect: dialect)))
        case .namedByBody(let role):
            return .run(.open(try Self.offerOfSRS(role, request.body)))
        case .session(_, let id, .itself):
            return .run(
                .patch(
                    session: id, ifMatch: request.headers["If-Match"], fragment: request.body))
        case .session(_, let id, .source):
            return .run(.change(session: id, to: try Self.source(try Self.json(request.body))))
        case .session(_, let id, .layer):
            return .run(.select(session: id, try Self.layer(try Self.json(request.body))))
        case .session(let role, let id, .events):
            let names = try Self.eventNames(try Self.json(request.body))
            return .answer(WHIPLinks.eventStream(role, id, names))
        }
    }
}
