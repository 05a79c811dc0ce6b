import Crypto
import ICE
import Simulation
import Testing
import Wire

/// A lite server and a controlling client over a network that loses, delays and reorders, with a
/// translator in between that may give the client another address. Media is a packet every 50 ms
/// from the client.
struct ICEWorld: World {
    struct Packet {
        var bytes: [UInt8]
        var route: Route  // As the receiver sees it.
    }

    static let serverAddresses = [
        Address(ipv4: 0xc000_0201, port: 8000),
        Address(high: 0x2001_0db8_0000_0000, low: 1, port: 8000),
    ]
    static let hosts = [
        Address(ipv4: 0x0a00_0005, port: 40_000),
        Address(high: 0x2001_0db8_0000_0001, low: 5, port: 40_000),
    ]
    static let mediaInterval = Interval.milliseconds(50)

    var now = Instant.start
    var server: LiteAgent
    var client: ControllingAgent
    var up: Link<Packet>
    var down: Link<Packet>
    /// What the outside sees instead of the client's IPv4 and IPv6 addresses.
    var outside: [Rebinding]
    var output = ICEOutput()
    var nextMedia = Instant.start
    var mediaEnd: Instant
    var handshakeDone = false
    private(set) var serverEvents: [(Instant, ICEOutput.Entry)] = []
    private(set) var clientEvents: [(Instant, ICEOutput.Entry)] = []
    private(set) var mediaArrivals: [Instant] = []
    private var sequence: UInt32 = 0
    private var newest: UInt32 = 0
    private var ids: SplitMix64

    init(seed: UInt64, loss: UInt64, changes: [(at: Instant, address: Address)] = [], end: Int64) {
        let weather = Weather(lossPerMille: loss, delay: 5...40)
        up = Link(seed: seed, weather: weather)
        down = Link(seed: ~seed, weather: weather)
        outside = [
            Rebinding(Address(ipv4: 0xcb00_7107, port: 50_000), changes),
            Rebinding(Self.hosts[1], []),
        ]
        ids = SplitMix64(seed: seed ^ 0xabc)
        mediaEnd = .start + .seconds(end)
        let local = Self.credentials(&ids)
        let remote = Self.credentials(&ids)
        let secret = [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 32)
        server = LiteAgent(local: local, remote: remote, secret: secret.raw, at: .start)
        client = ControllingAgent(
            local: remote, remote: local, remoteIsLite: true, hosts: Self.hosts,
            candidates: Self.candidates, secret: secret.raw, seed: seed, at: .start)
    }

    static let candidates = serverAddresses.enumerated().map { rank, address in
        ControllingAgent.Remote(address: address, priority: CandidatePriority.udpHost(rank: rank))
    }

    static func credentials(_ random: inout SplitMix64) -> ICECredentials {
        ICECredentials(
            ufrag: "u\(random.next())", password: "p\(random.next())\(random.next())")
    }

    mutating func restart() {
        let local = Self.credentials(&ids)
        let remote = Self.credentials(&ids)
        server.restart(local: local, remote: remote)
        client.restart(local: remote, remote: local, candidates: Self.candidates, at: now)
    }

    var nextEvent: Instant? {
        let media = client.selected != nil && now < mediaEnd ? nextMedia : nil
        return [up.nextArrival, down.nextArrival, server.deadline, client.deadline, media]
            .compactMap { $0 }.min().map { max($0, now) }
    }

    mutating func step(at now: Instant) {
        self.now = now
        while let packet = up.receive(at: now) { arriveAtServer(packet) }
        while let packet = down.receive(at: now) { arriveAtClient(packet) }
        if server.deadline <= now {
            server.expire(at: now, into: &output)
            runServer()
        }
        if client.deadline <= now {
            client.expire(at: now, into: &output)
            runClient()
        }
        if let route = client.selected, nextMedia <= now { sendMedia(on: route) }
    }

    private mutating func sendMedia(on route: Route) {
        nextMedia = now + Self.mediaInterval
        sequence += 1
        let number = sequence
        let head: [UInt8] = [
            0x80, 96, UInt8(number >> 16 & 255), UInt8(number >> 8 & 255), UInt8(number & 255),
        ]
        sendUp(head + [UInt8](repeating: 0, count: 200), route)
    }

    private mutating func sendUp(_ bytes: [UInt8], _ route: Route) {
        let source = outside[route.local.isIPv4 ? 0 : 1].address(at: now)
        let seen = Route(remote: source, local: route.remote)
        up.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
    }

    private mutating func arriveAtServer(_ packet: Packet) {
        if packet.bytes[0] == 0x80 {
            let number = packet.bytes[2..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            if server.knows(packet.route), !handshakeDone {
                handshakeDone = true
                server.handshakeFinished(on: packet.route, at: now, into: &output)
            }
            let isOurs = server.heard(
                packet.bytes.count, on: packet.route, isNewest: number > newest, at: now,
                into: &output)
            if isOurs { mediaArrivals.append(now) }
            newest = max(newest, number)
        } else {
            server.receive(packet.bytes.raw, on: packet.route, at: now, into: &output)
        }
        runServer()
    }

    private mutating func arriveAtClient(_ packet: Packet) {
        client.receive(packet.bytes.raw, on: packet.route, at: now, into: &output)
        runClient()
    }

    private mutating func runServer() {
        for entry in output.entries {
            guard case .send(let route, let range) = entry else {
                serverEvents.append((now, entry))
                continue
            }
            // The translator lets in what goes to the address it has given out last.
            let family = route.remote.isIPv4 ? 0 : 1
            guard outside[family].address(at: now) == route.remote else { continue }
            let back = Route(remote: route.local, local: Self.hosts[family])
            down.send(Packet(bytes: Array(output.bytes[range]), route: back), at: now)
        }
        output.clear()
    }

    private mutating func runClient() {
        for entry in output.entries {
            if case .send(let route, let range) = entry {
                sendUp(Array(output.bytes[range]), route)
            } else {
                clientEvents.append((now, entry))
            }
        }
        output.clear()
    }

    /// The longest time without media at the server, from the first packet on.
    var longestGap: Interval {
        zip(mediaArrivals.dropFirst(), mediaArrivals).map { $0 - $1 }.max() ?? .zero
    }

    var hasEnded: Bool {
        (serverEvents + clientEvents).contains { if case .ended = $0.1 { true } else { false } }
    }
}

struct ICESimulationTests {
    @Test(arguments: 0..<200 as Range<UInt64>)
    func connectsAndStays(seed: UInt64) throws {
        var world = ICEWorld(seed: seed, loss: seed % 4 * 50, end: 30)
        world.run(until: .start + .seconds(30))
        #expect(!world.hasEnded)
        let first = try #require(world.clientEvents.first)
        #expect(first.1.isSelection)
        #expect(first.0 < .start + .seconds(4), "connected only at \(first.0)")
        let server = try #require(world.server.selected)
        #expect(server.isValidated)
        #expect(server.route.local == world.client.selected?.remote, "one pair for both")
        #expect(world.longestGap < .seconds(1))
    }

    /// The address changes in the middle: media is let in again by the client's next check.
    @Test(arguments: 0..<100 as Range<UInt64>)
    func survivesANewAddress(seed: UInt64) throws {
        let moved = Address(ipv4: 0xcb00_7108, port: 51_000)
        var world = ICEWorld(
            seed: seed, loss: seed % 3 * 50, changes: [(.start + .seconds(10), moved)], end: 30)
        world.run(until: .start + .seconds(30))
        #expect(!world.hasEnded)
        guard world.client.selected?.local.isIPv4 == true else { return }
        let server = try #require(world.server.selected)
        #expect(server.route.remote == moved && server.isValidated)
        // One interval of consent; a lost check is repeated after half a second.
        #expect(world.longestGap < .seconds(8))
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func restartsUnderMedia(seed: UInt64) throws {
        var world = ICEWorld(seed: seed, loss: seed % 3 * 50, end: 30)
        let first = world.run(until: .start + .seconds(10))
        world.restart()
        world.run(until: .start + .seconds(30), from: first.now)
        #expect(!world.hasEnded)
        #expect(world.serverEvents.contains { $0.1 == .restarted })
        #expect(world.longestGap < .seconds(1), "a restart is not heard in the media")
        let selections = world.clientEvents.count { $0.1.isSelection }
        #expect(selections == 2)
    }

    @Test func aCutNetworkEndsBoth() {
        var world = ICEWorld(seed: 1, loss: 0, end: 200)
        let first = world.run(until: .start + .seconds(10))
        world.up.setUp(false)
        world.run(until: .start + .seconds(60), from: first.now)
        #expect(world.serverEvents.last?.1 == .ended(.silent))
        #expect(world.clientEvents.last?.1 == .ended(.silent))
        #expect(world.serverEvents.contains { $0.1 == .stale })
    }

    @Test func nobodyThere() {
        var world = ICEWorld(seed: 1, loss: 0, end: 200)
        world.up.setUp(false)
        world.run(until: .start + .seconds(30))
        #expect(world.serverEvents.map(\.1) == [.ended(.neverConnected)])
        #expect(world.clientEvents.count == 1 && world.hasEnded)
    }

    /// The same seed tells the same story, event by event.
    @Test func isDeterministic() {
        func story() -> [Int64] {
            var world = ICEWorld(seed: 77, loss: 100, end: 30)
            world.run(until: .start + .seconds(30))
            return (world.serverEvents + world.clientEvents).map(\.0.nanoseconds)
                + world.mediaArrivals.map(\.nanoseconds)
        }
        #expect(story() == story())
    }
}

extension ICEOutput.Entry {
    var isSelection: Bool { if case .selected = self { true } else { false } }
}
