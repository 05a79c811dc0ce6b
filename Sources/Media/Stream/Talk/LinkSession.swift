package import Wire

/// What a connection of our own is for.
package enum LinkPurpose: String, Sendable {
    /// To fetch a stream from elsewhere and publish it here.
    case pull
    /// To bring a stream of ours elsewhere.
    case push
}

/// How media is to travel where a protocol leaves the choice (RTSP).
package enum LinkTransport: Equatable, Sendable {
    /// What works: over the connection, and by UDP where the peer cannot do that, or back.
    case auto
    case tcp
    case udp
}

/// What the session of a connection of our own is made with.
package struct LinkSeed: Sendable {
    package var purpose: LinkPurpose
    package var url: LinkURL
    /// Of the stream here.
    package var name: String
    /// Who has been connected to.
    package var peer: Address
    package var random: UInt64
    /// What the session before this one left (`LinkSession.lesson`).
    package var lesson: UInt8 = 0
    package var transport = LinkTransport.auto
    /// UTC less the monotonic clock, as it is now.
    package var wall = Interval.zero

    package init(
        _ purpose: LinkPurpose, _ url: LinkURL, name: String, peer: Address, random: UInt64
    ) {
        self.purpose = purpose
        self.url = url
        self.name = name
        self.peer = peer
        self.random = random
    }
}

/// The client's end of a protocol, over one connection that we made.
///
/// It is a `ByteSession` that speaks first. It publishes (pull) or subscribes (push) by the same
/// questions as every other session, with an empty credential: they are answered without the gate,
/// for the configuration wants it. When it cannot go on it says why in `ending` and closes
/// (`Effects.close`). To try again, when and how often, is not its matter: that is the link's,
/// which makes a new session for every connection.
package protocol LinkSession: ByteSession {
    /// The connection stands.
    func start(at now: Instant, into effects: inout Effects, out: inout Outbox)

    /// It does what it is for: media flows, or may flow.
    var isRunning: Bool { get }

    /// Why it has closed; nil: it has not, or the connection broke.
    var ending: LinkEnding? { get }

    /// What the next try should do otherwise, in bits that the protocol alone understands.
    var lesson: UInt8 { get }
}

extension LinkSession {
    package var lesson: UInt8 { 0 }
}

package enum LinkEnding: Equatable, Sendable {
    /// In words, for the log and the API; nothing of it may be a secret.
    case failed(String)
    /// As `failed`, and the peer does not let us in: cameras lock the account of who tries again
    /// soon.
    case denied(String)
    /// The peer says where else: followed to the peer's own address only, a few times.
    case redirected(LinkURL)
}
