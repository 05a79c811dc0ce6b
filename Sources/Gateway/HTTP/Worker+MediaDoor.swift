import HTTP
import Stream
import Wire

// The door to everything that is watched by HTTP: FLV, fMP4, MPEG-TS, HLS. Players are embedded in
// pages of any origin.
extension Worker {
    /// Answers what asks for no media, and who may not have it.
    ///
    /// - Returns: Whether the request goes on.
    func mayRead(_ name: String, _ request: HTTPRequest, _ connection: Connection) -> Bool {
        let allowed = "GET, HEAD, OPTIONS"
        switch request.method {
        case .get, .head: break
        case .options:
            respond(.options(request, allow: allowed), request, connection)
            return false
        default:
            let problem = Problem(.methodNotAllowed, request.method.rawValue)
            let response = HTTPResponse(problem).adding("Allow", allowed).allowingAnyOrigin()
            respond(response, request, connection)
            return false
        }
        let asker = gateRequest(request, connection)
        guard let problem = refusal(.read, name, Credential(request), asker) else { return true }
        refuseMedia(problem, request, connection)
        return false
    }

    func refuseMedia(_ problem: Problem, _ request: HTTPRequest, _ connection: Connection) {
        respond(HTTPResponse(problem).allowingAnyOrigin(), request, connection)
    }
}
