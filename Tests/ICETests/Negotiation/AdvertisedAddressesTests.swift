import ICE
import SDP
import Testing
import Wire

struct AdvertisedAddressesTests {
    static func addresses(
        _ interfaces: [(String, String)], configured: [String] = [], discovered: [String] = [],
        loopback: Bool = false, tcp: UInt16 = 8000
    ) -> AdvertisedAddresses {
        var inputs = AdvertisedAddresses.Inputs(udpPort: 8000, tcpPort: tcp)
        inputs.interfaces = interfaces.compactMap { name, ip in
            Address(ip: ip).map { .init(name: name, address: $0) }
        }
        inputs.configured = configured.compactMap { text in
            let parts = text.split(separator: "#")
            return Address(ip: parts[0], port: parts.count > 1 ? UInt16(parts[1]) ?? 0 : 0)
        }
        inputs.discovered = discovered.compactMap { Address(ip: $0) }
        inputs.advertisesLoopback = loopback
        return AdvertisedAddresses(inputs)
    }

    static func ips(_ found: AdvertisedAddresses) -> [String] { found.addresses.map(\.ip) }

    static let host = [
        ("lo", "127.0.0.1"), ("lo", "::1"), ("eth0", "fe80::1"), ("eth0", "2001:db8::5"),
        ("eth0", "10.1.2.3"), ("docker0", "172.17.0.1"), ("br-1f2e", "172.18.0.1"),
        ("veth12", "169.254.9.9"), ("eth1", "198.51.100.7"), ("eth2", "fd00::7"),
    ]

    /// Public IPv4 first, then what may work, never what cannot.
    @Test func choosesByItself() {
        let found = Self.addresses(Self.host)
        #expect(Self.ips(found) == ["198.51.100.7", "10.1.2.3", "2001:db8::5", "fd00::7"])
        #expect(found.warnings.isEmpty)
    }

    @Test func whatIsConfiguredReplacesTheRest() {
        let found = Self.addresses(Self.host, configured: ["2001:db8::9", "203.0.113.4#18000"])
        #expect(found.addresses.map(\.description) == ["203.0.113.4:18000", "[2001:db8::9]:8000"])
        let tcp = found.candidates.filter { $0.transport == .tcp }
        #expect(tcp.map(\.port) == [18000, 8000], "a mapped port is mapped for both")
    }

    @Test func discoveredComesBeforePrivate() {
        let found = Self.addresses([("eth0", "10.1.2.3")], discovered: ["203.0.113.9"])
        #expect(Self.ips(found) == ["203.0.113.9", "10.1.2.3"])
        #expect(found.warnings.isEmpty)
    }

    /// FFmpeg fails when the first line is not UDP; a browser that sees TCP above stays there.
    @Test func udpStandsFirstAndHighest() throws {
        let candidates = Self.addresses(Self.host).candidates
        #expect(candidates.map(\.transport) == [.udp, .udp, .udp, .udp, .tcp, .tcp, .tcp, .tcp])
        #expect(candidates.map(\.priority) == candidates.map(\.priority).sorted(by: >))
        #expect(Set(candidates.map(\.priority)).count == 8)
        #expect(candidates[0].description == "1 1 udp 2130706431 198.51.100.7 8000 typ host")
        #expect(candidates[4].tcpType == .passive && candidates[0].tcpType == nil)
        #expect(candidates.allSatisfy { $0.priority < 1 << 31 }, "FFmpeg reads a signed number")
        #expect(Self.addresses(Self.host, tcp: 0).candidates.count == 4)
    }

    @Test(
        arguments: [
            (
                [("eth0", "172.17.0.5")],
                AdvertisedAddresses.Warning.onlyContainerNetwork("172.17.0.5")
            ),
            ([("lo", "127.0.0.1")], .onlyLoopback), ([("eth0", "10.0.0.5")], .onlyPrivate),
            ([("docker0", "172.17.0.1")], AdvertisedAddresses.Warning.none),
        ] as [([(String, String)], AdvertisedAddresses.Warning)])
    func warns(interfaces: [(String, String)], expected: AdvertisedAddresses.Warning) {
        let found = Self.addresses(interfaces)
        #expect(found.warnings == [expected])
        #expect(found.warnings[0].description.contains("advertise"))
    }

    @Test func loopbackOnlyWhenAskedOrAlone() {
        let asked = Self.addresses(
            [("lo", "127.0.0.1"), ("eth0", "198.51.100.7")], loopback: true)
        #expect(Self.ips(asked) == ["198.51.100.7", "127.0.0.1"])
        #expect(Self.ips(Self.addresses([("lo", "127.0.0.1")])) == ["127.0.0.1"])
    }

    @Test func refusesUnusableSettings() {
        let found = Self.addresses([], configured: ["0.0.0.0", "224.0.0.1", "203.0.113.4"])
        #expect(Self.ips(found) == ["203.0.113.4"])
        #expect(found.warnings == [.unusable("0.0.0.0"), .unusable("224.0.0.1")])
    }

    @Test func isBoundedAndWithoutDuplicates() {
        let many = (0..<40).map { ("eth\($0)", "198.51.100.\($0 % 20)") }
        let found = Self.ips(Self.addresses(many))
        #expect(found.count == 8 && Set(found).count == 8)
    }
}
