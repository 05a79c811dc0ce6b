import HTTP
import ICE
import SDP
import Stream
import System
import Wire

// The control interface. No page of another origin may read it (it says nothing of CORS), lists
// are for those who may watch, and sessions for those who have the admin token.
extension Worker {
    func serveAPI(_ request: HTTPRequest, _ connection: Connection) {
        let path = Array(request.target.segments.dropFirst(2))
        do throws(Problem) {
            guard request.target.segments.dropFirst().first == "v1" else {
                throw Problem(.notFound, request.target.path)
            }
            switch (path.first, path.count) {
            case ("info", 1):
                try allow(request, "GET, HEAD")
                let mayRead = refusal(.read, request, connection) == nil
                respond(info(mayRead), request, connection)
            case ("streams", 1):
                try permit(.read, request, connection)
                try listStreams(request, connection)
            case ("streams", 2...):
                try permit(.read, request, connection)
                try showStream(request.target, request, connection)
            case ("links", 1):
                try permit(.api, request, connection)
                try listLinks(request, connection)
            case ("sessions", 1):
                try permit(.api, request, connection)
                try listSessions(request, connection)
            case ("sessions", 2):
                try permit(.api, request, connection)
                try serveSession(path[1], request, connection)
            case ("gb", 2...):
                try permit(.api, request, connection)
                try serveGB(Array(path.dropFirst()), request, connection)
            default: throw Problem(.notFound, request.target.path)
            }
        } catch {
            respond(Self.answer(error, request), request, connection)
        }
    }

    private func refusal(
        _ action: Action, _ request: HTTPRequest, _ connection: Connection
    ) -> Problem? {
        refusal(action, "", Credential(request), gateRequest(request, connection))
    }

    /// Asked before anything of the request but its path is looked at.
    private func permit(
        _ action: Action, _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        if let problem = refusal(action, request, connection) { throw problem }
    }

    func allow(_ request: HTTPRequest, _ methods: String) throws(Problem) {
        guard methods.contains(request.method.rawValue) else {
            throw Problem(.methodNotAllowed, methods)
        }
    }

    private static func answer(_ problem: Problem, _ request: HTTPRequest) -> HTTPResponse {
        guard problem.code == .methodNotAllowed else { return HTTPResponse(problem) }
        let told = Problem(.methodNotAllowed, "\(request.method.rawValue) \(request.target.path)")
        return HTTPResponse(told).adding("Allow", problem.cause)
    }

    static func json(_ write: (inout JSONWriter) -> Void) -> HTTPResponse {
        var json = JSONWriter()
        write(&json)
        return HTTPResponse(type: "application/json", json.bytes)
            .adding("Cache-Control", "no-store")
            .adding("X-Content-Type-Options", "nosniff")
    }

    // MARK: Streams and sessions

    /// - Parameter write: The page that was asked for, of what all workers said.
    private func list(
        _ request: HTTPRequest, _ connection: Connection,
        _ write: @escaping (Overview, APIPage, inout JSONWriter) -> Void
    ) throws(Problem) {
        try allow(request, "GET, HEAD")
        let page = try APIPage(request.target)
        gather(.sessions) { [self] gather in
            let response = Self.json { write(Overview(gather), page, &$0) }
            respond(response, request, connection)
        }
    }

    private func listStreams(
        _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        try list(request, connection) { overview, page, json in
            page.write(overview.streams, into: &json) { overview.write($0, into: &$1) }
        }
    }

    private func showStream(
        _ target: HTTPTarget, _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        try allow(request, "GET, HEAD")
        guard let name = try? target.streamName(3..<target.segments.count) else {
            throw Problem(.badName, target.path)
        }
        gather(.sessions) { [self] gather in
            let overview = Overview(gather)
            guard let stream = overview.streams.first(where: { $0.name == name.description })
            else {
                let problem = Problem(.streamNotFound, "nobody publishes or watches \(name)")
                return respond(HTTPResponse(problem), request, connection)
            }
            respond(Self.json { overview.write(stream, into: &$0) }, request, connection)
        }
    }

    private func listSessions(
        _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        try list(request, connection) { overview, page, json in
            page.write(overview.sessions, into: &json) { $0.write(into: &$1) }
        }
    }

    private func listLinks(
        _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        try allow(request, "GET, HEAD")
        let page = try APIPage(request.target)
        gather(.figures) { [self] gather in
            let links = gather.reports.flatMap(\.links).sorted {
                ($0.stream, $0.url) < ($1.stream, $1.url)
            }
            let response = Self.json { json in
                page.write(links, into: &json) { $0.write(into: &$1) }
            }
            respond(response, request, connection)
        }
    }

    private func serveSession(
        _ id: String, _ request: HTTPRequest, _ connection: Connection
    ) throws(Problem) {
        try allow(request, "GET, HEAD, DELETE")
        gather(.sessions) { [self] gather in
            guard let session = Overview(gather).sessions.first(where: { $0.id == id }) else {
                let problem = Problem(.sessionNotFound, id)
                return respond(HTTPResponse(problem), request, connection)
            }
            guard request.method == .delete else {
                let response = Self.json { session.writeAll(at: now, into: &$0) }
                return respond(response, request, connection)
            }
            neighbours.post(.kick(id), to: session.worker)
            respond(HTTPResponse(status: 204), request, connection)
        }
    }

    // MARK: What this is

    /// Name and version for everybody; where we are reached only for those who may be told.
    private func info(_ mayRead: Bool) -> HTTPResponse {
        Self.json { json in
            json.object { json in
                json.field("name", "gateway")
                json.field("version", plan.version)
                guard mayRead else { return }
                json.array("demo") { json in
                    for name in plan.front.demo { json.value(name) }
                }
                if let rtc { Self.write(rtc.settings.addresses, into: &json) }
                json.array("outputs") { json in
                    for output in WatchPath.all {
                        json.object { json in
                            json.field("kind", output.kind)
                            json.field("path", output.path)
                        }
                    }
                }
                json.object("ports") { json in
                    for (name, port) in plan.front.ports { json.field(name, port) }
                }
            }
        }
    }

    private static func write(_ addresses: AdvertisedAddresses, into json: inout JSONWriter) {
        json.object("webrtc") { json in
            json.array("addresses") { json in
                for candidate in addresses.candidates {
                    json.object { json in
                        json.field("address", candidate.address)
                        json.field("port", candidate.port)
                        json.field("protocol", candidate.transport == .udp ? "udp" : "tcp")
                        json.field("scope", Address(ip: candidate.address)?.scopeName ?? "unknown")
                    }
                }
            }
            json.array("warnings") { json in
                for warning in addresses.warnings {
                    json.object { json in
                        json.field("code", warning.code)
                        json.field("detail", warning.description)
                        json.field("fix", "Set webrtc.advertise to the address that viewers reach")
                    }
                }
            }
        }
    }
}

extension Address {
    fileprivate var scopeName: String {
        switch kind {
        case .loopback: "loopback"
        case .privateNetwork, .linkLocal: "private"
        case .publicNetwork: "public"
        case .unspecified, .metadata, .multicast, .reserved: "other"
        }
    }
}

extension AdvertisedAddresses.Warning {
    /// For programs, and for the page's translation.
    fileprivate var code: String {
        switch self {
        case .onlyContainerNetwork: "only-container-network"
        case .onlyLoopback: "only-loopback"
        case .onlyPrivate: "only-private-addresses"
        case .unusable: "unusable-address"
        case .unresolved: "name-without-address"
        case .silentServer: "silent-stun-server"
        case .none: "no-address"
        }
    }
}
