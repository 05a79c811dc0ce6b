package import HTTP
package import Wire

/// What a client wants, when everything about the request itself is right.
package enum WHIPVerb: Sendable {
    case open(WHIPOffer)
    /// Candidates, or an ICE restart: what it is shows in the fragment, not in `If-Match`, about
    /// which clients disagree.
    case patch(session: String, ifMatch: String?, fragment: [UInt8])
    case close(session: String)
    /// The viewer of this session wants to see another stream.
    case change(session: String, to: StreamName)
    case select(session: String, WHIPLayer)
    /// A stream of server-sent events that lasts as long as the session.
    case listen(session: String, Set<WHIPEvent>)
}

package struct WHIPOffer: Sendable {
    package var role: WHIPRole
    package var name: StreamName
    package var sdp: [UInt8]
    /// The URL whose query may hold the credential.
    package var target: HTTPTarget
    package var dialect: WHIPDialect
}

/// Which layer of a simulcast stream a viewer wants.
package enum WHIPLayer: Equatable, Sendable {
    /// The best that its network carries.
    case automatic
    case encoding(String)
}

/// The server-sent events of WHEP.
package enum WHIPEvent: String, CaseIterable, Sendable {
    case active, inactive, layers, reconnect
    case viewerCount = "viewercount"

    /// As the `Link` header lists them.
    static let list = allCases.map(\.rawValue).joined(separator: ",")
}
