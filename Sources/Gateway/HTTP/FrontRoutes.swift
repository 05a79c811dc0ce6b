import HLS
import HTTP
import Live
import Stream
import System
import WHIP
import Wire

// The origin that people and players see.
extension Worker {
    /// - Parameter bodyIsWaiting: The request announces a body that has not been read; what takes
    ///   none answers at once, and the connection ends with the answer.
    func serveFront(
        _ request: HTTPRequest, bodyIsWaiting: Bool, for connection: Connection
    ) {
        do throws(Problem) {
            if let route = try WHIPRoute(request.target) {
                return serveWHIP(route, request, bodyIsWaiting: bodyIsWaiting, connection)
            }
            if let route = try HLSRoute(request.target) {
                return serveHLS(route, request, connection)
            }
            if let route = try LiveRoute(request.target) {
                return serveLive(route, request, connection)
            }
        } catch {
            return respond(WHIPRoute.refusal(error), request, connection)
        }
        let path = request.target.segments
        switch path.first {
        case _ where request.target.isAsterisk:
            let answer = HTTPResponse(status: 204)
                .adding("Allow", "OPTIONS, GET, HEAD, POST, PATCH, DELETE")
            respond(answer, request, connection)
        case "api": serveAPI(request, connection)
        case "problems" where path.count == 2: respond(Self.problem(path[1]), request, connection)
        default: respond(page(request), request, connection)
        }
    }

    private func page(_ request: HTTPRequest) -> HTTPResponse {
        if let file = plan.front.site.response(to: request) { return file }
        if let place = Self.pageOfStream(request) {
            return HTTPResponse(status: 307).adding("Location", place)
        }
        let isTop = request.target.segments.isEmpty
        let cause = isTop ? "the page's files were not found: see http.pages" : request.target.path
        return StaticSite.guarded(HTTPResponse(Problem(.notFound, cause)))
    }

    /// MediaMTX: `/live/cam1` is the player and `/live/cam1/publish` the publisher, for browsers.
    private static func pageOfStream(_ request: HTTPRequest) -> String? {
        var path = request.target.segments
        guard request.method == .get, let last = path.last, !last.contains("."),
            request.headers["Accept"]?.contains("text/html") == true
        else { return nil }
        let publishes = path.count > 1 && last == "publish"
        if publishes { path.removeLast() }
        guard path.count > 1, let name = try? StreamName(path.joined(separator: "/")) else {
            return nil
        }
        return "/\(publishes ? "publish" : "play")/\(name)"
    }

    /// What the `type` of a problem leads to.
    private static func problem(_ word: String) -> HTTPResponse {
        guard let code = ProblemCode(rawValue: word) else {
            return StaticSite.guarded(HTTPResponse(Problem(.notFound, word)))
        }
        let fix = code.fix.isEmpty ? "" : "\(code.fix).\n"
        let text = "\(code.rawValue) (\(code.status))\n\n\(code.title).\n\(fix)"
        return StaticSite.guarded(
            HTTPResponse(type: "text/plain; charset=utf-8", Array(text.utf8)))
    }

    // MARK: Who asks

    func gateRequest(_ request: HTTPRequest, _ connection: Connection) -> GateRequest {
        GateRequest(request.headers, peer: connection.peer, proxies: plan.gate.proxies)
    }

    /// The gate's word on a request, before anything is done for it.
    ///
    /// - Returns: Nil: it may.
    func refusal(
        _ action: Action, _ name: String, _ credential: Credential, _ asker: GateRequest
    ) -> Problem? {
        if !credential.isEmpty, failures.isFull(asker.peer, at: now) {
            return Problem(
                .tooManySessions, "too many wrong keys from \(asker.peer.ip)",
                retryAfter: .seconds(1))
        }
        switch plan.gate.decide(action, name: name, credential, asker) {
        case .allow: return nil
        case .deny(let refusal):
            if !credential.isEmpty {
                failures.note(asker.peer, at: now)
                // One fixed form, so that a rule on the log can act on it.
                log.warning("access refused: ip=\(asker.peer.ip) \(refusal)")
            }
            counters.refusals += 1
            return Problem(refusal)
        }
    }
}
