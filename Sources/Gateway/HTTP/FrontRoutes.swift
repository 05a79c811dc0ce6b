import HTTP
import Wire

// The origin that people and players see.
extension Worker {
    func serveFront(_ request: HTTPRequest, for connection: Connection) {
        switch (request.method, request.target.path) {
        case (.get, "/api/v1/info"), (.head, "/api/v1/info"):
            respond(info, request, connection)
        case (_, "/api/v1/info"):
            let problem = Problem(.methodNotAllowed, request.method.rawValue)
            respond(HTTPResponse(problem).adding("Allow", "GET, HEAD"), request, connection)
        default:
            respond(HTTPResponse(Problem(.notFound, request.target.path)), request, connection)
        }
    }

    /// Which program this is. What it does is shown to those who have the admin token.
    private var info: HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.field("name", "gateway")
            json.field("version", plan.version)
        }
        return HTTPResponse(type: "application/json", json.bytes)
            .adding("Cache-Control", "no-store")
    }
}
