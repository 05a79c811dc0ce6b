import Gateway
import HTTP
import Settings
import Stream
import Testing
import Wire

/// What stands between us and a peer: the four conditions of "a program on this machine", and what
/// pages of the web could otherwise make a browser do here.
struct GateRequestTests {
    static let loopback = Address(ipv4: 0x7f00_0001, port: 1)
    static let neighbour = Address(ipv4: 0xc0a8_0105, port: 1)
    static let gate = Gate(publishKey: Secret("k"))

    static func request(
        _ headers: KeyValuePairs<String, String>, peer: Address = loopback, proxies: [String] = []
    ) -> GateRequest {
        var all = HTTPHeaders()
        for (name, value) in headers { all.add(name, value) }
        return GateRequest(all, peer: peer, proxies: proxies.compactMap { AddressRange($0) })
    }

    static func may(_ action: Action, _ request: GateRequest, _ gate: Gate = gate) -> Bool {
        if case .allow = gate.decide(action, name: "live/a", Credential(), request) {
            true
        } else {
            false
        }
    }

    @Test(arguments: ["localhost:8080", "localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
    func aProgramOnThisMachineNeedsNoKey(host: String) {
        #expect(Self.may(.publish, Self.request(["Host": host])))
        #expect(Self.may(.publish, Self.request(["Host": host, "Origin": "http://\(host)"])))
    }

    // Condition 1: the peer is loopback.
    @Test func aPeerElsewhereNeedsTheKeyWhateverItsHeadersSay() {
        let request = Self.request(
            ["Host": "localhost", "X-Forwarded-For": "127.0.0.1"], peer: Self.neighbour)
        #expect(!Self.may(.publish, request))
    }

    // Condition 2: nobody passed it on.
    @Test(arguments: [
        "Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Real-IP", "Via",
    ])
    func whatAProxyPassedOnIsNotLocal(header: String) {
        let request = Self.request(["Host": "localhost:8080", header: "127.0.0.1"])
        #expect(!Self.may(.publish, request))
        // Nor is its sender known to be near: a reverse proxy on this host serves the world.
        #expect(!Self.may(.read, request))
    }

    // Condition 3: the name is this machine's own (DNS rebinding).
    @Test(arguments: [
        "evil.example", "evil.example:8080", "localhost.evil.example", "", "10.0.0.1",
    ])
    func anotherNameIsNotLocal(host: String) {
        #expect(!Self.may(.publish, Self.request(["Host": host])))
    }

    // Condition 4: no page of another origin asks.
    @Test(arguments: [
        "https://evil.example", "http://localhost:3000", "null", "http://127.0.0.1:8080", "",
        "https://localhost:8080.evil.example", "ftp://localhost:8080",
    ])
    func aPageOfAnotherOriginIsNotLocal(origin: String) {
        let request = Self.request(["Host": "localhost:8080", "Origin": origin])
        #expect(!Self.may(.publish, request))
        #expect(!Self.may(.read, request))
    }

    @Test func thePortOfAnOriginMayBeLeftOut() {
        #expect(
            Self.may(
                .publish, Self.request(["Host": "localhost:80", "Origin": "http://localhost"])))
        #expect(
            Self.may(.publish, Self.request(["Host": "[::1]", "Origin": "https://[::1]:443"])))
        #expect(
            !Self.may(
                .publish, Self.request(["Host": "localhost:8443", "Origin": "http://localhost"])))
    }

    // And none is configured: behind a proxy on this machine everybody comes from 127.0.0.1.
    @Test func behindAProxyNobodyIsLocal() {
        var gate = Self.gate
        gate.proxies = [AddressRange("127.0.0.1")].compactMap { $0 }
        #expect(!Self.may(.publish, GateRequest(peer: Self.loopback), gate))
        #expect(!Self.may(.read, GateRequest(peer: Self.loopback), gate))
        gate.proxies = [AddressRange("10.0.0.0/8")].compactMap { $0 }
        #expect(!Self.may(.publish, Self.request(["Host": "localhost"]), gate))
    }

    @Test func aKeyForLoopbackIsAsked() {
        var gate = Self.gate
        gate.loopback = .key
        #expect(!Self.may(.publish, Self.request(["Host": "localhost"]), gate))
    }

    // MARK: The clients of proxies

    @Test func aTrustedProxyTellsWhoItsClientIs() {
        let near = Self.request(
            ["Host": "gw.example", "X-Forwarded-For": "203.0.113.9, 192.168.1.7"],
            proxies: ["127.0.0.1"])
        #expect(near.peer.ip == "192.168.1.7")
        let far = Self.request(
            ["X-Forwarded-For": "192.168.1.7, 203.0.113.9", "X-Forwarded-Host": "gw.example"],
            proxies: ["127.0.0.1"])
        // What the client wrote itself stands on the left and is not believed.
        #expect(far.peer.ip == "203.0.113.9")
        #expect(far.host == "gw.example")
    }

    @Test(arguments: [
        ("10.0.0.9, 10.1.1.1", nil), ("unknown", nil),
        ("203.0.113.9:4711, 10.1.1.1", "203.0.113.9"),
        ("[2001:db8::1]:443", "2001:db8::1"), ("2001:db8::1", "2001:db8::1"),
    ])
    func aChainOfProxiesIsWalkedFromTheRight(header: String, client: String?) {
        let request = Self.request(
            ["X-Forwarded-For": header], peer: Address(ipv4: 0x0a00_0001, port: 1),
            proxies: ["10.0.0.0/8"])
        #expect(request.isOfUnknownPeer == (client == nil))
        if let client { #expect(request.peer.ip == client) }
    }

    @Test func aProxyThatNamesNobodyCountsAsTheWorld() {
        var gate = Self.gate
        gate.proxies = [AddressRange("192.168.1.5")].compactMap { $0 }
        let request = GateRequest(
            HTTPHeaders(), peer: Self.neighbour, proxies: gate.proxies)
        #expect(!Self.may(.read, request, gate))
    }

    // MARK: Watching from the local network

    @Test(arguments: ["192.168.1.2:8080", "gateway:8080", "gateway.local", "cam.lan", "[fd00::2]"])
    func theLocalNetworkMayWatch(host: String) {
        #expect(Self.may(.read, Self.request(["Host": host], peer: Self.neighbour)))
    }

    @Test func noPageOfTheWebMayShowWhatOnlyTheLocalNetworkSees() {
        let page = Self.request(
            ["Host": "192.168.1.2:8080", "Origin": "https://evil.example"], peer: Self.neighbour)
        #expect(!Self.may(.read, page))
        let rebound = Self.request(
            ["Host": "evil.example:8080", "Origin": "http://evil.example:8080"],
            peer: Self.neighbour)
        #expect(!Self.may(.read, rebound))
        var gate = Self.gate
        gate.read = .open
        #expect(Self.may(.read, page, gate))
    }

    @Test func thePublicOriginIsOurs() {
        var gate = Self.gate
        gate.publicOrigin = "https://video.example.org"
        let request = Self.request(
            ["Host": "video.example.org", "Origin": "https://video.example.org"],
            peer: Self.neighbour)
        #expect(Self.may(.read, request, gate))
        #expect(!Self.may(.publish, request, gate))
    }
}
