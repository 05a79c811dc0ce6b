import Containers
import FLV
import HTTP
import Stream
import Wire

// HTTP-FLV and WS-FLV: the request is judged, the stream is asked for, and the answer begins when
// there is something to answer with.
extension Worker {
    /// How long a viewer waits for a publisher.
    private static let flvPatience = Interval.seconds(10)

    func serveFLV(_ route: FLVRoute, _ request: HTTPRequest, _ connection: Connection) {
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
            response = try route.response(request)
        } catch {
            return respond(HTTPResponse(error).allowingAnyOrigin(), request, connection)
        }
        guard request.method == .get, let session = connection.http else {
            return respond(response, request, connection)
        }
        let wanted = HTTPSession.WantedMedia(
            request: request.id, response: response, framing: route.framing(request),
            dialect: route.dialect)
        let question = session.want(wanted)
        subscribe(
            FLVViewer.subscription(patience: Self.flvPatience), to: name,
            HTTPSession.mediaChannel, question, connection)
    }
}
