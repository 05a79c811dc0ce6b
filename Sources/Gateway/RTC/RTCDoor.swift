package import ICE
package import Stream
package import Wire

/// An offer as HTTP brought it: the facts, and nothing decided.
package struct RTCOffer: Sendable {
    package var role: Offer.Role
    /// Of the stream.
    package var name: String
    /// The body, as it came.
    package var sdp: [UInt8]
    package var credential: Credential
    /// Who asks, and what stands between.
    package var request: GateRequest

    package init(
        role: Offer.Role, name: String, sdp: [UInt8], credential: Credential, request: GateRequest
    ) {
        self.role = role
        self.name = name
        self.sdp = sdp
        self.credential = credential
        self.request = request
    }
}

package enum RTCOpened: Sendable {
    case accepted(RTCAnswer)
    case refused(RTCRefusal)
}

package struct RTCAnswer: Sendable {
    package var id: RTCSessionName
    /// Quoted, as the header wants it.
    package var etag: String
    package var sdp: [UInt8]
}

package enum RTCRefusal: Sendable {
    /// The gate's, or a bound's: the same for every protocol.
    case refusal(Refusal)
    case negotiation(NegotiationError)
    /// Nobody publishes the stream: 409, and when to ask again.
    case noPublisher(retryAfter: Interval)
}

package enum RTCPatched: Sendable, Equatable {
    /// 204.
    case done
    /// 200: new credentials of ours; the old ones hold until the first check with these.
    case restarted(sdpfrag: [UInt8], etag: String)
    case noSuchSession
    case preconditionFailed
    /// For strict clients; ours is lenient and does not ask for `If-Match`.
    case preconditionRequired
    case badFragment(String)
    case tooMany
}

/// What the HTTP routes may do with WebRTC sessions. Each `done` is called once, on this thread, at
/// once or later.
extension Worker {
    package func openRTC(_ offer: RTCOffer, _ done: @escaping (RTCOpened) -> Void) {
        done(open(offer))
    }

    private func open(_ offer: RTCOffer) -> RTCOpened {
        do throws(RTCOpening) {
            return .accepted(try answer(offer))
        } catch {
            counters.refusals += 1
            return .refused(error.refusal)
        }
    }

    /// A body with other credentials than before is an ICE restart; candidates of the peer are of
    /// no use to us, who never call.
    package func trickleRTC(
        _ id: RTCSessionName, ifMatch: String?, body: [UInt8],
        _ done: @escaping (RTCPatched) -> Void
    ) { done(patch(id, ifMatch, body)) }

    /// Another stream for a viewer that stays connected; nil: it is on its way.
    package func switchRTC(
        _ id: RTCSessionName, to name: String, _ credential: Credential, _ request: GateRequest,
        _ done: @escaping (Refusal?) -> Void
    ) { ask(id, .source(name, credential, request), done) }

    package func selectRTC(
        _ id: RTCSessionName, layer: LayerChoice, _ done: @escaping (Refusal?) -> Void
    ) { ask(id, .layer(layer), done) }

    /// Up to a temporal layer (7: all), or key frames only.
    package func limitRTC(
        _ id: RTCSessionName, temporal: UInt8, keyFramesOnly: Bool,
        _ done: @escaping (Refusal?) -> Void
    ) { ask(id, .rate(temporal: temporal, keyFramesOnly: keyFramesOnly), done) }

    /// False: there is no such session.
    package func closeRTC(_ id: RTCSessionName, _ done: @escaping (Bool) -> Void) {
        done(end(id, .done))
    }
}
