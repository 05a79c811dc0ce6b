/// The ICE and DTLS parameters of an m-line or of the session.
package struct SDPTransport: Equatable, Sendable {
    package var ufrag: String?
    package var password: String?
    package var options: [String] = []
    /// `sha-256 AB:CD:…`, as written. Several are allowed, one for each hash the peer knows
    /// (RFC 8122 §5).
    package var fingerprints: [String] = []
    package var setup: SDPSetup?

    package init() {}

    func filled(from session: SDPTransport) -> SDPTransport {
        var filled = self
        // User fragment and password go together: never one of each level.
        if ufrag == nil && password == nil {
            filled.ufrag = session.ufrag
            filled.password = session.password
        }
        if options.isEmpty { filled.options = session.options }
        if fingerprints.isEmpty { filled.fingerprints = session.fingerprints }
        filled.setup = setup ?? session.setup
        return filled
    }
}

/// Who opens the connection (RFC 4145): DTLS in WebRTC, TCP in GB28181.
package enum SDPSetup: String, Sendable {
    case active, passive, actpass, holdconn
}

/// One line of `a=candidate` (RFC 8839 §5.1, RFC 6544 §4.5).
package struct SDPCandidate: Equatable, Sendable {
    package enum Transport: String, Sendable { case udp, tcp }
    package enum Kind: String, Sendable { case host, srflx, prflx, relay }
    package enum TCPType: String, Sendable { case active, passive, so }

    package var foundation: String
    package var component: UInt16 = 1
    package var transport: Transport
    package var priority: UInt32
    /// An IP literal, a host name, or an mDNS name of a browser.
    package var address: String
    package var port: UInt16
    package var kind: Kind = .host
    package var tcpType: TCPType?

    package init(
        foundation: String, transport: Transport, priority: UInt32, address: String, port: UInt16
    ) {
        self.foundation = foundation
        self.transport = transport
        self.priority = priority
        self.address = address
        self.port = port
    }
}
