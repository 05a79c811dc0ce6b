package import HTTP
package import Settings
package import Wire

/// Where a question comes from, next to the credential: the peer, and what stands between it and
/// us. Proxies and browsers make "from this machine" mean little by itself: behind a proxy on this
/// host every peer is 127.0.0.1, and any page of the web may have a browser here call us.
package struct GateRequest: Equatable, Sendable {
    /// Who asks: the client of a trusted proxy, else the other end of the connection.
    package var peer: Address
    /// Whom it meant to ask: the Host header. Nil in protocols that have none.
    package var host: String?
    /// The origin of the page that asks, where a browser does.
    package var origin: String?
    /// The request says that somebody passed it on.
    package var isForwarded = false
    /// Somebody passed it on, and who sent it first cannot be known: it counts as the whole world.
    package var isOfUnknownPeer = false

    /// A protocol without headers.
    package init(peer: Address) { self.peer = peer }

    package init(_ headers: HTTPHeaders, peer: Address, proxies: [AddressRange]) {
        self.peer = peer
        // HTTP/1.0 may leave the header out; that is not the same as a protocol without one.
        host = headers["Host"] ?? ""
        origin = headers["Origin"]
        isForwarded =
            headers.contains("Forwarded") || headers.contains("X-Real-IP")
            || headers.contains("Via") || headers.contains(prefix: "X-Forwarded-")
        let isProxy = proxies.contains { $0.contains(peer) }
        guard isProxy else {
            isOfUnknownPeer = isForwarded
            return
        }
        isForwarded = true
        if let client = Self.client(headers.values("X-Forwarded-For"), proxies) {
            self.peer = client
        } else {
            isOfUnknownPeer = true
        }
        if let name = headers["X-Forwarded-Host"] { host = name }
    }

    /// From the right: each proxy of ours wrote the peer that it saw behind what it was told. The
    /// first that is no proxy of ours is the last that can be believed.
    private static func client(_ values: [String], _ proxies: [AddressRange]) -> Address? {
        let hops = values.flatMap { $0.split(separator: ",") }
        for hop in hops.reversed() {
            let text = hop.filter { $0 != " " && $0 != "\t" }
            // Some write the port too.
            guard let address = Address(ip: text) ?? Address(ip: name(of: text)) else {
                return nil
            }
            if !proxies.contains(where: { $0.contains(address) }) { return address }
        }
        return nil
    }

    // MARK: What a browser may be made to do

    /// `localhost` or a literal loopback address. Any other name may have been made to lead here
    /// for an hour (DNS rebinding), and then the page behind it would be of "our" origin.
    var namesThisMachine: Bool {
        guard let host else { return true }
        let name = Self.name(of: host)
        return name == "localhost" || Address(ip: name)?.kind == .loopback
    }

    /// A name that nobody outside can give to an address of a local network: a literal address, a
    /// name without a dot, or one under a domain that the public DNS does not have.
    var namesLocalNetwork: Bool {
        guard let host else { return true }
        let name = Self.name(of: host)
        guard !name.isEmpty else { return false }
        return namesThisMachine || Address(ip: name) != nil || !name.contains(".")
            || [".local", ".lan", ".home.arpa", ".internal"].contains { name.hasSuffix($0) }
    }

    /// No page asks, or one that this very host served.
    var isSameOrigin: Bool {
        guard let origin else { return true }
        guard let host, let scheme = ["http://", "https://"].first(where: origin.hasPrefix) else {
            return false
        }
        let defaultPort = scheme == "http://" ? "80" : "443"
        let asked = Self.split(origin.dropFirst(scheme.utf8.count))
        let own = Self.split(host)
        return asked.name == own.name
            && (asked.port ?? defaultPort) == (own.port ?? defaultPort)
    }

    private static func name(of authority: String) -> String { split(authority).name }

    /// Without the brackets of IPv6, in lower case.
    private static func split(_ authority: some StringProtocol) -> (name: String, port: String?) {
        let isBracketed = authority.hasPrefix("[")
        let name =
            isBracketed
            ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        let rest = authority[name.endIndex...].drop { $0 == "]" }
        return (name.lowercased(), rest.hasPrefix(":") ? String(rest.dropFirst()) : nil)
    }
}
