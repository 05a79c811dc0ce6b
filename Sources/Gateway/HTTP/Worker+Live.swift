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
        let name = route.name.description
        guard mayRead(name, request, connection) else { return }
        let response: HTTPResponse
        do throws(Problem) {
            if let refusal = overload() { throw Problem(refusal) }
            response = try route.response(request)
        } catch {
            return refuseMedia(error, request, connection)
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
    func feed(of name: String) -> TSFeed {
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
