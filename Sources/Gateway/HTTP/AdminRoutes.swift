import HTTP
import System
import Wire

// The admin listener: for the machine it runs on and those who watch over it. No media, no state
// is changed here, and nothing that a stranger may not see is shown: it binds loopback by default.
extension Worker {
    func serveAdmin(_ request: HTTPRequest, for connection: Connection) {
        guard request.method == .get || request.method == .head else {
            let problem = Problem(
                .methodNotAllowed, "\(request.method.rawValue) \(request.target.path)")
            return respond(HTTPResponse(problem).adding("Allow", "GET, HEAD"), request, connection)
        }
        switch request.target.path {
        case "/healthz": respond(Self.word("ok"), request, connection)
        case "/readyz": respond(readiness, request, connection)
        case "/metrics": serveMetrics(request, connection)
        default:
            respond(HTTPResponse(Problem(.notFound, request.target.path)), request, connection)
        }
    }

    private var readiness: HTTPResponse {
        stopping == nil
            ? Self.word("ready")
            : HTTPResponse(Problem(.shuttingDown, "this gateway is stopping"))
    }

    private static func word(_ text: String) -> HTTPResponse {
        HTTPResponse(type: "text/plain; charset=utf-8", Array("\(text)\n".utf8))
            .adding("Cache-Control", "no-store")
    }

    /// Every worker is asked; the answer is written when all have spoken, or after a second.
    private func serveMetrics(_ request: HTTPRequest, _ connection: Connection) {
        gather(.streams) { [self] gather in
            var metrics = Metrics(gather, expected: neighbours.count)
            metrics.busy = plan.load.figures(at: now).busy
            metrics.restarts = plan.restarts
            metrics.srt = plan.srt?.board.totals
            metrics.version = plan.version
            let response = HTTPResponse(type: MetricsText.contentType, metrics.text)
            respond(response.adding("Cache-Control", "no-store"), request, connection)
        }
    }
}
