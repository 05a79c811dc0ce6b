package import Wire

/// What a platform is told of itself.
package struct GBSettings: Equatable, Sendable {
    package enum Transport: String, CaseIterable, Sendable {
        case udp
        /// The camera connects to us: passes every NAT on its side, and loses nothing on the way.
        case tcp
    }

    /// Our number, 20 digits, and our domain, which is the realm of passwords too.
    package var id: String
    package var domain: String
    /// Of all devices. Empty: anybody may register, which only test tools need.
    package var password: String
    /// What devices are told to reach us at; nil: the address they reached.
    package var sipAddress: Address?
    package var mediaAddress: Address?
    package var mediaPort: UInt16
    package var transport = Transport.tcp
    /// Until a device tells its own.
    package var keepAlive = Interval.seconds(60)
    package var keepAliveCount: Int64 = 3
    package var agent = "gateway"

    package init(id: String, domain: String, password: String, mediaPort: UInt16) {
        self.id = id
        self.domain = domain
        self.password = password
        self.mediaPort = mediaPort
    }
}

/// Where a message came from, and where its answer goes: never to what it claims.
package struct GBRoute: Hashable, Sendable {
    package var peer: Address
    /// Our end, as the peer reached it.
    package var local: Address
    /// nil: UDP.
    package var connection: UInt64?

    package init(peer: Address, local: Address, connection: UInt64? = nil) {
        self.peer = peer
        self.local = local
        self.connection = connection
    }

    package var isTCP: Bool { connection != nil }
}

/// A camera behind a device: numbers of channels are unique within their device only.
package struct GBChannelID: Hashable, Sendable {
    package var device: String
    package var channel: String

    package init(device: String, channel: String) {
        self.device = device
        self.channel = channel
    }

    /// `rtp/<device>_<channel>`, both 20 digits; a bare camera may be called by one number.
    package init?(stream: String) {
        guard stream.hasPrefix("rtp/") else { return nil }
        let parts = stream.dropFirst(4).split(separator: "_", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ Self.isNumber(String($0)) }),
            let first = parts.first, let last = parts.last
        else { return nil }
        (device, channel) = (String(first), String(last))
    }

    package var stream: String { "rtp/\(device)_\(channel)" }

    package static func isNumber(_ text: String) -> Bool {
        text.utf8.count == 20 && text.utf8.allSatisfy { ASCII.isDigit($0) }
    }
}

/// Why a camera does not show, with what would help.
package struct GBFailure: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case offline, timeout, forbidden, busy
        case badRequest = "bad-request"
        case channelNotFound = "channel-not-found"
        case channelOffline = "channel-offline"
        case notAcceptable = "not-acceptable"
        case noMedia = "no-media"
        case silent
        case ended
        case tooMany = "too-many"
    }

    package var code: Code
    package var sentence: String

    package init(_ code: Code, _ sentence: String) {
        self.code = code
        self.sentence = sentence
    }

    package var description: String { "gb.\(code.rawValue): \(sentence)" }

    /// A refusal of an INVITE.
    init(status: Int) {
        switch status {
        case 400:
            self.init(.badRequest, "the device did not like the offer; try the other transport")
        case 401, 403, 407: self.init(.forbidden, "the device forbids it (\(status))")
        case 404:
            self.init(.channelNotFound, "the device has no such channel; its list may be stale")
        case 408, 480:
            self.init(.channelOffline, "the channel is offline (\(status))")
        case 486, 503, 600:
            self.init(.busy, "the device sends as many streams as it can (\(status))")
        case 415, 488, 606:
            self.init(.notAcceptable, "the device takes neither codec nor transport (\(status))")
        default: self.init(.badRequest, "the device answered \(status)")
        }
    }
}

/// What a platform wants done.
package enum GBEffect: Equatable, Sendable {
    case send([UInt8], GBRoute)
    case online(String)
    case offline(String, why: String)
    /// A device's list of channels came, or as much as came in time.
    case catalogue(String, channels: Int, isWhole: Bool)
    case alarm(device: String, channel: String, text: String)
    /// The camera will send, or sends already; from another address than its own if it has said
    /// so.
    case answered(GBChannelID, ssrc: UInt32, source: Address? = nil)
    /// The call is over, for this reason.
    case ended(GBChannelID, GBFailure)
    /// For an operator.
    case duplicate(String)
}
