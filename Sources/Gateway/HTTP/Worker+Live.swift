import Containers
import HTTP
import Live
import Stream
import Wire

// FLV, fMP4 and MPEG-TS over HTTP and WebSocket: the request is judged, the stream is asked for,
// and the answer begins when there is something to answer with.
extension Worker {
    /// How long a viewer waits for a publisher.
    private static let livePatience = Interval.seconds(10)

    func serveLive(_ route: LiveRoute, _ request: HTTPRequest, _ connection: Connection) {
        let allowed = "GET, HEAD, OPTIONS"
        switch request.method {
        case .options: return respond(.options(request, allow: allowed), request, connection)
        case .get, .head: break
        default:
            let problem = Problem(.methodNotAllowed, request.method.rawValue)
            return respond(
                HTTPResponse(problem).adding("Allow", allowed).allowingAnyOrigin(), request,
                connection)
        }
        let name = route.name.description
        let response: HTTPResponse
        do throws(Problem) {
            let asker = gateRequest(request, connection)
            if let problem = refusal(.read, name, Credential(request), asker) { throw problem }
            if let refusal = overload() { throw Problem(refusal) }
            response = try route.response(request)
        } catch {
            return respond(HTTPResponse(error).allowingAnyOrigin(), request, connection)
        }
        guard request.method == .get, let session = connection.http else {
            return respond(response, request, connection)
        }
        let wanted = HTTPSession.WantedMedia(
            request: request.id, response: response, framing: route.framing(request),
            kind: route.kind, feed: route.kind == .transportStream ? feed(of: name) : nil)
        let question = session.want(wanted)
        subscribe(
            route.kind.subscription(patience: Self.livePatience), to: name,
            HTTPSession.mediaChannel, question, connection)
    }

    /// What all viewers of a transport stream share here, for as long as there are any.
    private func feed(of name: String) -> TSFeed {
        if let feed = feeds[name]?.feed { return feed }
        feeds = feeds.filter { $0.value.feed != nil }
        let feed = TSFeed()
        feeds[name] = SharedFeed(feed: feed)
        return feed
    }

    /// Held by its viewers.
    struct SharedFeed {
        weak var feed: TSFeed?
    }
}
