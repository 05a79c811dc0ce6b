package import ICE
package import Settings
import System
import Wire

/// Where the advertised addresses come from: what is known at once, and what has to be asked for.
package struct AddressSources: Equatable, Sendable {
    /// Interfaces, ports, and addresses of the configuration.
    package var inputs: AdvertisedAddresses.Inputs
    /// Names in `webrtc.advertise`.
    package var names: [HostPort] = []
    /// `webrtc.stun`.
    package var servers: [HostPort] = []

    package init(_ inputs: AdvertisedAddresses.Inputs) { self.inputs = inputs }
}

/// Keeps the advertised addresses right while names and translators change: looks up names again
/// and again, and asks STUN servers how they see us. One worker has it, for all.
struct AddressKeeper {
    /// The resolver itself remembers for half of it.
    static let lookupInterval = Interval.seconds(60)
    /// A translator that gives us another address is noticed after this; it also keeps its hole
    /// open for nobody: peers open their own.
    static let askInterval = Interval.seconds(300)
    static let usualPort: UInt16 = 3478

    private(set) var sources: AddressSources
    private var answers: [String: [Address]] = [:]
    private var failures: [String: String] = [:]
    private var discovery: AddressDiscovery?
    private var discovered: [Address] = []
    private var silent: [String] = []
    private var nextLookup: Instant
    private var nextAsk: Instant

    init(_ sources: AddressSources, at now: Instant) {
        self.sources = sources
        nextLookup = now
        nextAsk = now
    }

    /// The configuration was reloaded. What was learned stays, and is learned anew at once.
    mutating func change(to sources: AddressSources, at now: Instant) {
        self.sources = sources
        if sources.servers.isEmpty { (discovered, silent) = ([], []) }
        discovery = nil
        nextLookup = now
        nextAsk = now
    }

    var deadline: Instant {
        if let discovery { return min(nextLookup, discovery.deadline) }
        return sources.names.isEmpty && sources.servers.isEmpty ? .distantFuture : nextLookup
    }

    /// Hosts whose names are to be looked up now.
    mutating func takeDueNames(at now: Instant) -> Set<String> {
        guard nextLookup <= now else { return [] }
        nextLookup = now + Self.lookupInterval
        return Set((sources.names + sources.servers).map(\.host))
    }

    /// - Returns: Why it could not be looked up, if that is new.
    mutating func resolved(_ host: String, _ answer: Resolver.Answer) -> String? {
        switch answer {
        case .addresses(let addresses):
            answers[host] = addresses
            failures[host] = nil
            return nil
        case .failed(let reason):
            // What it was is better than nothing.
            defer { failures[host] = reason }
            return failures[host] == reason ? nil : reason
        }
    }

    /// STUN servers, if it is time to ask them.
    private var servers: [Address] {
        sources.servers.flatMap { server in
            let port = server.port == 0 ? Self.usualPort : server.port
            // One address of each kind: what a translator does, it does for IPv4.
            let known = answers[server.host] ?? []
            return [known.first { $0.isIPv4 }, known.first { !$0.isIPv4 }].compactMap {
                $0?.with(port: port)
            }
        }
    }

    /// - Returns: Who is asked from now on, if somebody is.
    mutating func begin(dice: inout SplitMix64, at now: Instant) -> [Address]? {
        guard discovery == nil, nextAsk <= now, !servers.isEmpty else { return nil }
        nextAsk = now + Self.askInterval
        discovery = AddressDiscovery(servers: servers, dice: &dice, at: now)
        return servers
    }

    mutating func expire(at now: Instant, into out: inout ICEOutput) {
        guard let due = discovery?.deadline, due <= now else { return }
        discovery?.expire(from: .any(port: 0), at: now, into: &out)
        settle()
    }

    /// - Returns: Whether it was an answer that we wait for.
    mutating func receive(_ datagram: RawSpan, from server: Address) -> Bool {
        guard discovery?.receive(datagram, from: server) == true else { return false }
        settle()
        return true
    }

    /// All have answered, or will not.
    private mutating func settle() {
        guard let discovery, discovery.isDone else { return }
        let found = discovery.addresses
        silent = found.isEmpty ? sources.servers.map(\.description) : []
        // Nobody answers today: what they said yesterday is still the best we know.
        if !found.isEmpty { discovered = found }
        self.discovery = nil
    }

    var advertised: AdvertisedAddresses {
        var inputs = sources.inputs
        for name in sources.names {
            inputs.configured += (answers[name.host] ?? []).map { $0.with(port: name.port) }
            if answers[name.host] == nil, failures[name.host] != nil {
                inputs.unresolved.append(name.host)
            }
        }
        inputs.discovered = discovered
        inputs.silentServers = silent
        return AdvertisedAddresses(inputs)
    }
}
