package import HTTP
package import Wire

/// How a verb ended.
package enum WHIPOutcome: Sendable {
    /// `etag` is quoted, as the header wants it.
    case opened(session: String, etag: String, sdp: [UInt8])
    /// Candidates: a lite agent does not need them.
    case trickled
    case restarted(etag: String, fragment: [UInt8])
    case closed
    /// Another stream or layer is on its way.
    case changed
    case refused(Problem)
}

extension WHIPOutcome {
    package func response(
        _ role: WHIPRole, _ dialect: WHIPDialect, _ links: WHIPLinks
    ) -> HTTPResponse {
        let response =
            switch dialect {
            case .standard: standard(role, links)
            case .srs: legacy(idKey: "sessionid", failure: { $0.code.status })
            case .zlm: legacy(idKey: "id", failure: Self.codeOfZLM)
            }
        return response.allowingAnyOrigin()
    }

    private func standard(_ role: WHIPRole, _ links: WHIPLinks) -> HTTPResponse {
        switch self {
        case .opened(let session, let etag, let sdp):
            // 201 and nothing else: OBS takes 200 for a failure.
            var response = HTTPResponse(status: 201, type: "application/sdp", sdp)
            response.headers.add("Location", WHIPLinks.location(role, session))
            response.headers.add("ETag", etag)
            response.headers.add("Accept-Patch", WHIPLinks.fragmentType)
            response.headers.add("Cache-Control", "no-store")
            links.addICEServers(to: &response.headers)
            if role == .play { links.addExtensions(session, to: &response.headers) }
            return response
        case .restarted(let etag, let fragment):
            return HTTPResponse(type: WHIPLinks.fragmentType, fragment)
                .adding("ETag", etag)
                .adding("Cache-Control", "no-store")
        case .trickled, .changed: return HTTPResponse(status: 204)
        // OBS warns at anything but 200.
        case .closed: return HTTPResponse(status: 200)
        case .refused(let problem): return HTTPResponse(problem)
        }
    }

    /// JSON with a code of its own, status 200 whatever has happened.
    private func legacy(idKey: String, failure: (Problem) -> Int) -> HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            switch self {
            case .opened(let session, _, let sdp):
                json.field("code", 0)
                json.field("type", "answer")
                json.field("sdp", String(decoding: sdp, as: UTF8.self))
                json.field(idKey, session)
            case .refused(let problem):
                json.field("code", failure(problem))
                json.field("msg", LabelText("\(problem.code.title): \(problem.cause)", limit: 1024))
            case .trickled, .restarted, .closed, .changed: json.field("code", 0)
            }
        }
        return HTTPResponse(type: "application/json", json.bytes)
            .adding("Cache-Control", "no-store")
    }

    /// ZLMediaKit's numbers, as far as there is one.
    private static func codeOfZLM(_ problem: Problem) -> Int {
        switch problem.code.status {
        case 401, 403: -100
        case 404, 409: -500
        case 400, 413, 415, 422: -300
        default: -1
        }
    }
}
