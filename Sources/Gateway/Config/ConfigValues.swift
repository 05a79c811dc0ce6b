package import Wire

/// What a setting may hold when a number or a word is not enough.

/// The certificates of the encrypted listeners.
package enum CertificateSource: Equatable, Sendable {
    case off
    /// Made by us and kept in `state.dir`: browsers will warn, local tools can trust it.
    case automatic
    /// PEM, each a chain in order. A client gets the one for the name it asks for, or the first.
    case files([String])
}

/// How much the player is asked to wait before it shows a picture.
package enum PlayoutDelay: Equatable, Sendable {
    /// Chosen for each viewer by its network.
    case auto
    /// The header extension is not sent at all.
    case off
    case upTo(Interval)
}

/// A bound in bytes, or relative to the machine.
package enum MemoryBound: Equatable, Sendable {
    case percent(Int)
    case bytes(Int)
}

package enum LogDestination: Equatable, Sendable {
    case stdout, stderr
    case file(String)
}

package enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }

/// How media of a source is asked for, where its protocol leaves the choice.
package enum SourceTransport: String, CaseIterable, Sendable { case auto, tcp, udp }

package enum LogStyle: String, CaseIterable, Sendable { case text, json }

/// Which implementation of SRTP protects the packets.
package enum EngineChoice: String, CaseIterable, Sendable {
    case auto
    case ipsecMB = "ipsec-mb"
    case openssl, libsrtp
}

package enum PreferredCodec: String, CaseIterable, Sendable { case h264, h265, vp8, vp9, av1 }

/// Who may watch.
package enum ReadAccess: String, CaseIterable, Sendable {
    /// Peers on the local network.
    case `private`
    case open, key
}

/// Whether a peer on this machine needs a key.
package enum LoopbackAccess: String, CaseIterable, Sendable { case open, key }

/// Whether sound is converted for viewers who cannot play it as it comes.
package enum AudioConversion: String, CaseIterable, Sendable { case auto, off }

/// What becomes of B-frames on the way to browsers, which cannot show them.
package enum BFrames: String, CaseIterable, Sendable {
    case drop, keep, refuse
}

/// What happens to pictures that arrive incomplete.
package enum OnLoss: String, CaseIterable, Sendable {
    case `continue`
    case waitKey = "wait-key"
}

/// A range of addresses in CIDR form.
package struct AddressRange: Equatable, Sendable, CustomStringConvertible {
    package var base: Address
    /// Of the IPv6 form: an IPv4 prefix of 24 is 120 here.
    package var bits: Int

    /// `10.0.0.0/8`, `2001:db8::/32`, or a single address.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let base = Address(ip: first), parts.count <= 2 else {
            return nil
        }
        let offset = base.isIPv4 ? 96 : 0
        var bits = 128
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...(128 - offset)).contains(given) else {
                return nil
            }
            bits = given + offset
        }
        self.base = base
        self.bits = bits
    }

    package func contains(_ address: Address) -> Bool {
        let highMask = bits >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(bits))
        let lowMask = bits <= 64 ? 0 : bits == 128 ? .max : ~(UInt64.max >> UInt64(bits - 64))
        return (address.high ^ base.high) & highMask == 0
            && (address.low ^ base.low) & lowMask == 0
    }

    package var description: String {
        "\(base.ip)/\(base.isIPv4 ? bits - 96 : bits)"
    }
}

/// `stun:HOST:PORT`, or `turn:USER:PASSWORD@HOST:PORT?transport=udp` with a credential that every
/// client is told.
package struct ICEServerURL: Equatable, Sendable {
    package let url: String
    package let user: String
    package let password: String

    package init?(_ text: String) {
        let visible = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        // Clients cut the header that carries these at commas, semicolons and quotes.
        guard visible, !text.contains(where: { "<>\",;\\".contains($0) }),
            let colon = text.firstIndex(of: ":"), text.index(after: colon) < text.endIndex,
            ["stun", "stuns", "turn", "turns"].contains(text[..<colon])
        else { return nil }
        let isTURN = text.hasPrefix("turn")
        let rest = text[text.index(after: colon)...]
        let at = rest.lastIndex(of: "@")
        guard isTURN == (at != nil) else { return nil }
        guard let at else {
            (url, user, password) = (text, "", "")
            return
        }
        guard let middle = rest[..<at].firstIndex(of: ":") else { return nil }
        user = String(rest[..<middle])
        password = String(rest[rest.index(after: middle)..<at])
        url = "\(text[...colon])\(rest[rest.index(after: at)...])"
    }
}
