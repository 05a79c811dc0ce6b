package import SDP
package import Wire

/// Which addresses the answers name, in which order, and what is wrong with them. Pure: the shell
/// lists interfaces, resolves names and asks the STUN server.
package struct AdvertisedAddresses: Equatable, Sendable {
    package struct Interface: Equatable, Sendable {
        package var name: String
        package var address: Address

        package init(name: String, address: Address) {
            self.name = name
            self.address = address
        }
    }

    /// What is known when answers are written.
    package struct Inputs: Equatable, Sendable {
        package var interfaces: [Interface] = []
        /// `webrtc.advertise`, names resolved. Replaces what the interfaces say; a port other than
        /// zero is the outer port of a mapping (`docker -p`).
        package var configured: [Address] = []
        /// Our address as a STUN server saw it.
        package var discovered: [Address] = []
        /// Names of the configuration without an address, and STUN servers that say nothing.
        package var unresolved: [String] = []
        package var silentServers: [String] = []
        package var udpPort: UInt16
        /// Zero: no ICE-TCP.
        package var tcpPort: UInt16
        package var advertisesLoopback = false

        package init(udpPort: UInt16, tcpPort: UInt16) {
            self.udpPort = udpPort
            self.tcpPort = tcpPort
        }
    }

    /// Each is one line for the log and the page.
    package enum Warning: Equatable, Sendable, CustomStringConvertible {
        case onlyContainerNetwork(String)
        case onlyLoopback
        case onlyPrivate
        case unusable(String)
        case unresolved(String)
        case silentServer(String)
        case none

        package var description: String {
            switch self {
            case .onlyContainerNetwork(let ip):
                "only \(ip), an address inside a container network, can be advertised: set "
                    + "webrtc.advertise to the host's address"
            case .onlyLoopback: "only loopback can be advertised: no other machine will connect"
            case .onlyPrivate:
                "only private addresses are advertised: behind NAT set webrtc.advertise to the "
                    + "public one"
            case .unusable(let ip): "webrtc.advertise: \(ip) cannot be reached by anybody"
            case .unresolved(let name):
                "webrtc.advertise: \(name) has no address: correct the name, or set the address"
            case .silentServer(let name):
                "webrtc.stun: \(name) does not answer over UDP: set webrtc.advertise instead"
            case .none: "no address to advertise: set webrtc.advertise"
            }
        }
    }

    /// Best first, without duplicates, each with its UDP port.
    package private(set) var addresses: [Address] = []
    package private(set) var warnings: [Warning] = []
    private let tcpPort: UInt16
    private let udpPort: UInt16

    /// A browser tries every pair: more addresses make it slower, not surer.
    static let addressLimit = 8

    package init(_ inputs: Inputs) {
        udpPort = inputs.udpPort
        tcpPort = inputs.tcpPort
        let chosen = inputs.configured.isEmpty ? automatic(inputs) : checked(inputs.configured)
        let ranked = chosen.enumerated().sorted {
            let (a, b) = (Self.rank($0.element), Self.rank($1.element))
            return a != b ? a < b : $0.offset < $1.offset
        }
        for address in ranked.map(\.element) where addresses.count < Self.addressLimit {
            let full = address.port == 0 ? address.with(port: inputs.udpPort) : address
            if !addresses.contains(full) { addresses.append(full) }
        }
        warn(inputs)
    }

    /// Each address over UDP, then each over TCP: FFmpeg fails on a first line that is not UDP.
    package var candidates: [SDPCandidate] {
        let udp = addresses.enumerated().map { rank, address in
            SDPCandidate(
                foundation: String(rank + 1), transport: .udp,
                priority: CandidatePriority.udpHost(rank: rank), address: address.ip,
                port: address.port)
        }
        guard tcpPort != 0 else { return udp }
        return udp
            + addresses.enumerated().map { rank, address in
                // A mapped port is mapped for both.
                let isMapped = address.port != udpPort
                var candidate = SDPCandidate(
                    foundation: String(addresses.count + rank + 1), transport: .tcp,
                    priority: CandidatePriority.tcpHost(rank: rank), address: address.ip,
                    port: isMapped ? address.port : tcpPort)
                candidate.tcpType = .passive
                return candidate
            }
    }

    private mutating func checked(_ configured: [Address]) -> [Address] {
        configured.filter { address in
            switch address.kind {
            case .publicNetwork, .privateNetwork, .loopback, .reserved, .linkLocal, .metadata:
                return true
            case .unspecified, .multicast:
                warnings.append(.unusable(address.ip))
                return false
            }
        }
    }

    /// What the interfaces have, without what nobody else can reach.
    private func automatic(_ inputs: Inputs) -> [Address] {
        let usable = inputs.interfaces.filter { item in
            switch item.address.kind {
            case .publicNetwork, .privateNetwork: !Self.isContainerBridge(item.name)
            case .loopback: inputs.advertisesLoopback
            // Firefox does not open TCP to link-local addresses, and a scope has no SDP.
            case .unspecified, .linkLocal, .metadata, .multicast, .reserved: false
            }
        }
        let found = inputs.discovered + usable.map { $0.address.with(port: 0) }
        if !found.isEmpty { return found }
        return inputs.interfaces.filter { $0.address.kind == .loopback }
            .map { $0.address.with(port: 0) }
    }

    /// The host's side of container and virtual machine networks: reachable from there only.
    private static func isContainerBridge(_ name: String) -> Bool {
        ["docker", "br-", "veth", "virbr", "cni", "flannel", "cali", "lxc", "lxd", "podman"]
            .contains { name.hasPrefix($0) }
    }

    /// Public IPv4 works for nearly everybody; IPv6 where it works at all.
    private static func rank(_ address: Address) -> Int {
        switch (address.kind, address.isIPv4) {
        case (.publicNetwork, true): 0
        case (.privateNetwork, true): 1
        case (.publicNetwork, false): 2
        case (.privateNetwork, false): 3
        case (_, true): 4
        case (_, false): 5
        }
    }

    private mutating func warn(_ inputs: Inputs) {
        warnings += inputs.unresolved.map { .unresolved($0) }
        warnings += inputs.silentServers.map { .silentServer($0) }
        guard let first = addresses.first else {
            warnings.append(.none)
            return
        }
        if addresses.allSatisfy({ $0.kind == .loopback }), !inputs.advertisesLoopback {
            warnings.append(.onlyLoopback)
        } else if inputs.configured.isEmpty, addresses.allSatisfy(Self.isInsideContainer) {
            warnings.append(.onlyContainerNetwork(first.ip))
        } else if inputs.configured.isEmpty,
            addresses.allSatisfy({ $0.kind == .privateNetwork })
        {
            warnings.append(.onlyPrivate)
        }
    }

    /// 172.17.0.0/16: what Docker gives to containers unless told otherwise.
    private static func isInsideContainer(_ address: Address) -> Bool {
        address.ipv4.map { $0 >> 16 == 0xac11 } ?? false
    }
}
