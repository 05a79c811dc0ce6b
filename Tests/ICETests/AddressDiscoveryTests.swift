import Crypto
import Simulation
import Testing
import Wire

@testable import ICE

/// Asking servers how they see us.
struct AddressDiscoveryTests {
    private let local = Address(ipv4: 0x0a00_0001, port: 8000)
    private let servers = [
        Address(ipv4: 0xc633_6401, port: 3478), Address(ipv4: 0xc633_6402, port: 3478),
    ]
    private let outside = Address(ipv4: 0xcb00_7109, port: 8000)

    private func answer(_ request: [UInt8], _ address: Address) throws -> [UInt8] {
        let message = try STUNMessage(request.raw)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.success, message.transaction, into: &bytes)
        builder.mappedAddress(address, message.transaction, into: &bytes)
        builder.finish(key: HMACSHA1(key: [1].raw), into: &bytes)
        return bytes
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func hearsAnAnswerOverALossyNetwork(seed: UInt64) throws {
        var dice = SplitMix64(seed: seed)
        var discovery = AddressDiscovery(servers: servers, dice: &dice, at: .start)
        var out = ICEOutput()
        var requests = 0
        while discovery.deadline < .distantFuture {
            let now = discovery.deadline
            discovery.expire(from: local, at: now, into: &out)
            for case .send(let route, let range) in out.entries {
                #expect(route.local == local && range.count == 20)
                requests += 1
                guard dice.next() % 100 >= 60 else { continue }
                let reply = try answer(Array(out.bytes[range]), outside)
                // Not from elsewhere, and not with another's id.
                let stranger = Address(ipv4: 1, port: 3478)
                let fromStranger = discovery.receive(reply.raw, from: stranger)
                let isOurs = discovery.receive(reply.raw, from: route.remote)
                let isCopy = discovery.receive(reply.raw, from: route.remote)
                #expect(!fromStranger && isOurs && isCopy)
            }
            out.clear()
        }
        #expect(discovery.isDone)
        #expect(discovery.addresses == [outside] || requests == 14)
        #expect(requests <= 14)
    }

    @Test func givesUpOnDeadServers() {
        var dice = SplitMix64(seed: 1)
        var discovery = AddressDiscovery(servers: servers, dice: &dice, at: .start)
        var out = ICEOutput()
        var last = Instant.start
        while discovery.deadline < .distantFuture {
            last = discovery.deadline
            discovery.expire(from: local, at: last, into: &out)
        }
        #expect(discovery.isDone && discovery.addresses.isEmpty)
        #expect(out.entries.count == 14)
        // 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s, and 8 s for the last.
        #expect(last == .start + .milliseconds(39_500))
    }

    /// UDP is blocked: the agent asks for a connection, and goes by it.
    @Test func theControllingAgentGoesByTCP() throws {
        var dice = SplitMix64(seed: 5)
        let ours = ICEWorld.credentials(&dice)
        let theirs = ICEWorld.credentials(&dice)
        let secret = [UInt8](repeating: 4, count: 32)
        let server = Address(ipv4: 0xc000_0201, port: 8000)
        var client = ControllingAgent(
            local: theirs, remote: ours, remoteIsLite: true, hosts: [local],
            candidates: [
                .init(address: server, priority: CandidatePriority.udpHost(rank: 0)),
                .init(address: server, priority: CandidatePriority.tcpHost(rank: 0), isTCP: true),
            ], secret: secret.raw, seed: 1, at: .start)
        var lite = LiteAgent(local: ours, remote: theirs, secret: secret.raw, at: .start)
        var (up, down) = (ICEOutput(), ICEOutput())
        let route = Route(remote: server, local: local, connection: 3)
        var now = Instant.start
        var asked = 0
        while client.selected == nil, now < .start + .seconds(5) {
            now = client.deadline
            client.expire(at: now, into: &up)
            for entry in up.entries {
                if case .connect(let address) = entry {
                    #expect(address == server && now >= .start + .milliseconds(400))
                    asked += 1
                    client.connected(route, at: now)
                }
                guard case .send(let path, let range) = entry, path.isTCP else { continue }
                let seen = Route(remote: local, local: server, connection: 9)
                lite.receive(up.bytes.raw.extracting(range), on: seen, at: now, into: &down)
                for case .send(_, let answer) in down.entries {
                    client.receive(
                        down.bytes.raw.extracting(answer), on: route, at: now, into: &up)
                }
                down.clear()
            }
            up.clear()
        }
        #expect(asked == 1)
        #expect(client.selected == route)
        #expect(lite.selected?.isValidated == true, "TCP has proved the address")
        client.closed(connection: 3)
        #expect(client.selected == nil)
    }
}
