import Crypto
import ICE
import SDP
import Settings
import System
import Testing
import Wire

@testable import Gateway

/// Names are looked up and servers asked, and every worker's answers name what came of it.
@Suite(.serialized) struct AddressKeeperTests {
    private static let outside = Address(ipv4: 0xcb00_7107, port: 4242)
    private let start = Instant.start

    private func sources(names: [String] = [], servers: [String] = []) -> AddressSources {
        var inputs = AdvertisedAddresses.Inputs(udpPort: 8000, tcpPort: 0)
        inputs.interfaces = [.init(name: "eth0", address: Address(ipv4: 0x0a00_0005, port: 0))]
        var sources = AddressSources(inputs)
        sources.names = names.compactMap { HostPort($0) }
        sources.servers = servers.compactMap { HostPort($0) }
        return sources
    }

    @Test func aNameReplacesTheInterfacesAndIsAskedAgain() {
        var keeper = AddressKeeper(sources(names: ["gw.test:9000"]), at: start)
        #expect(keeper.deadline == start)
        #expect(keeper.takeDueNames(at: start) == ["gw.test"])
        #expect(keeper.advertised.addresses.map(\.ip) == ["10.0.0.5"], "until it is known")
        let first = Address(ipv4: 0xcb00_7101, port: 0)
        #expect(keeper.resolved("gw.test", .addresses([first])) == nil)
        #expect(keeper.advertised.addresses == [first.with(port: 9000)])
        let later = keeper.deadline
        #expect(later == start + AddressKeeper.lookupInterval)
        #expect(keeper.takeDueNames(at: later) == ["gw.test"])
        // A name server that is down takes nothing away; it is said once.
        #expect(keeper.resolved("gw.test", .failed("no")) == "no")
        #expect(keeper.resolved("gw.test", .failed("no")) == nil)
        #expect(keeper.advertised.addresses == [first.with(port: 9000)])
        let second = Address(ipv4: 0xcb00_7102, port: 0)
        #expect(keeper.resolved("gw.test", .addresses([second])) == nil)
        #expect(keeper.advertised.addresses == [second.with(port: 9000)])
    }

    @Test func aNameThatIsNoneIsAWarning() {
        var keeper = AddressKeeper(sources(names: ["gone.test"]), at: start)
        _ = keeper.takeDueNames(at: start)
        _ = keeper.resolved("gone.test", .failed("no such host"))
        #expect(keeper.advertised.warnings.contains(.unresolved("gone.test")))
        #expect(keeper.advertised.addresses.map(\.ip) == ["10.0.0.5"])
    }

    @Test func aSilentServerIsAWarning() {
        var keeper = AddressKeeper(sources(servers: ["stun.test"]), at: start)
        _ = keeper.takeDueNames(at: start)
        _ = keeper.resolved("stun.test", .addresses([Address(ipv4: 0xc633_6401, port: 0)]))
        var dice = SplitMix64(seed: 1)
        let asked = keeper.begin(dice: &dice, at: start)
        #expect(asked == [Address(ipv4: 0xc633_6401, port: AddressKeeper.usualPort)])
        var out = ICEOutput()
        var now = start
        while now < start + .seconds(59) {
            keeper.expire(at: now, into: &out)
            now = now + .milliseconds(500)
        }
        #expect(out.entries.count == 7)
        #expect(keeper.advertised.warnings.contains(.silentServer("stun.test")))
    }

    /// Its answer goes to the port of one worker or the other, as the kernel likes.
    @Test(arguments: [0, 1]) func workersLearnWhatAServerSays(hit: Int) throws {
        let server = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
        let port = server.localAddress.port
        let sources = sources(servers: ["stun.test:\(port)"])
        let pool = try WorkPool("dns")
        let crew = try RTCCrew(workers: 2) { plan in
            plan.settings.sources = sources
            plan.resolver = Resolver(pool: pool) { _ in
                .addresses([Address(ipv4: 0x7f00_0001, port: 0)])
            }
        }
        defer { crew.stop() }
        var poller = try Poller()
        _ = try poller.add(server, tag: 0)
        var slab = ReceiveSlab()
        let end = Clock.now + .seconds(5)
        var found: [[Address]] = []
        while Clock.now < end, !found.allSatisfy({ $0.contains(Self.outside) }) || found.isEmpty {
            try poller.wait(.milliseconds(50))
            while poller.next() != nil {}
            while try server.receive(into: &slab) {
                while slab.next() {
                    var request: [UInt8] = []
                    slab.withBytes { request.append(copying: $0.bytes) }
                    let reply = try Self.answer(to: request)
                    server.send(
                        reply.raw, to: Address(ipv4: 0x7f00_0001, port: crew.ports[hit]))
                }
            }
            found = (0..<2).compactMap { worker in
                crew.crew.ask(worker) { $0.rtc?.settings.addresses.addresses } ?? nil
            }
        }
        #expect(found.count == 2 && found.allSatisfy { $0.contains(Self.outside) })
        let forwarded = try crew.counters().rtcForwarded
        #expect(forwarded == (hit == 0 ? 0 : 1))
    }

    private static func answer(to request: [UInt8]) throws -> [UInt8] {
        let message = try STUNMessage(request.raw)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.success, message.transaction, into: &bytes)
        builder.mappedAddress(outside, message.transaction, into: &bytes)
        builder.finish(key: HMACSHA1(key: [1].raw), into: &bytes)
        return bytes
    }
}
