import HTTP
import Wire

/// A STUN or TURN server that clients are told of.
package struct ICEServer: Equatable, Sendable {
    package var url: String
    package var username: String
    package var credential: String

    package init(url: String, username: String = "", credential: String = "") {
        self.url = url
        self.username = username
        self.credential = credential
    }

    /// The order of the attributes is fixed: players match them with one expression. One header
    /// for each server, because OBS splits at every comma.
    var link: String {
        guard !username.isEmpty else { return "<\(url)>; rel=\"ice-server\"" }
        return "<\(url)>; rel=\"ice-server\"; username=\"\(username)\"; "
            + "credential=\"\(credential)\"; credential-type=\"password\""
    }
}

/// What answers point to: servers, and the resources of a session.
package struct WHIPLinks: Sendable {
    static let fragmentType = "application/trickle-ice-sdpfrag"

    package var iceServers: [ICEServer]

    package init(iceServers: [ICEServer] = []) { self.iceServers = iceServers }

    func addICEServers(to headers: inout HTTPHeaders) {
        for server in iceServers { headers.add("Link", server.link) }
    }

    /// An absolute path without a query: OBS takes a relative reference for a path from the root,
    /// and a URL with a scheme would be wrong behind a proxy that ends TLS.
    static func location(_ role: WHIPRole, _ session: String) -> String {
        "/\(role.segment)/session/\(session)"
    }

    func addExtensions(_ session: String, to headers: inout HTTPHeaders) {
        let url = Self.location(.play, session)
        let namespace = "urn:ietf:params:whep:ext:core"
        headers.add(
            "Link",
            "<\(url)/sse>; rel=\"\(namespace):server-sent-events\"; events=\"\(WHIPEvent.list)\"")
        headers.add("Link", "<\(url)/layer>; rel=\"\(namespace):layer\"")
    }

    /// The URL says which events were asked for, so that nothing has to be remembered.
    static func eventStream(
        _ role: WHIPRole, _ session: String, _ events: Set<WHIPEvent>
    ) -> HTTPResponse {
        let list = WHIPEvent.allCases.filter { events.contains($0) }.map(\.rawValue)
        return HTTPResponse(status: 201)
            .adding(
                "Location",
                "\(location(role, session))/sse?events=\(list.joined(separator: ","))"
            )
            .adding("Cache-Control", "no-store")
            .allowingAnyOrigin()
    }
}
