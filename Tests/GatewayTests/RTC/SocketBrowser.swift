import Browser
import Crypto
import ICE
import SDP
import System
import Testing
import Wire

@testable import Gateway

/// The fake browser on a UDP socket of its own, in real time.
final class SocketBrowser {
    let id: RTCSessionName
    let etag: String
    let answer: SDPDescription
    let fake: FakeBrowser
    private var socket: UDPSocket
    private var slab = ReceiveSlab()
    private var poller: Poller
    private var local: Address

    init(_ opened: RTCAnswer, ports: [UInt16], isPassive: Bool) throws {
        id = opened.id
        etag = opened.etag
        answer = try SDPDescription(opened.sdp.raw)
        let media = try #require(answer.medias.first { $0.port != 0 })
        let transport = answer.transport(of: media)
        let remote = ICECredentials(
            ufrag: try #require(transport.ufrag), password: try #require(transport.password))
        socket = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
        local = socket.localAddress
        poller = try Poller()
        _ = try poller.add(socket, tag: 0)
        let candidates = ports.enumerated().map { rank, port in
            ControllingAgent.Remote(
                address: Address(ipv4: 0x7f00_0001, port: port), priority: UInt32(1000 - rank))
        }
        let secret = [UInt8](repeating: 3, count: 32)
        let agent = ControllingAgent(
            local: OfferText.credentials, remote: remote, remoteIsLite: true, hosts: [local],
            candidates: candidates, secret: secret.raw, seed: 1, at: Clock.now)
        let fingerprint = try #require(RTCCrew.certificate?.fingerprint())
        fake = try FakeBrowser(
            agent: agent, role: isPassive ? .server : .client, profiles: SRTPProfile.preferred,
            server: [fingerprint], at: Clock.now)
    }

    var isConnected: Bool { fake.keys != nil }

    /// A network that it walked into: another port, and the old one is gone.
    func move() throws {
        socket = try UDPSocket(bind: Address(ipv4: 0x7f00_0001, port: 0))
        poller = try Poller()
        _ = try poller.add(socket, tag: 0)
    }

    /// Lets it live until the condition holds, for at most so long.
    @discardableResult
    func run(
        _ limit: Interval = .seconds(5), media: Bool = false, until isDone: () -> Bool
    ) throws -> Bool {
        let end = Clock.now + limit
        var nextMedia = Clock.now
        while Clock.now < end {
            if isDone() { return true }
            let now = Clock.now
            if fake.deadline <= now { fake.expire(at: now) }
            if media, isConnected, nextMedia <= now {
                nextMedia = now + .milliseconds(5)
                fake.sendMedia(at: now)
            }
            flush()
            let next = min(fake.deadline, now + .milliseconds(2))
            try poller.wait(max(.zero, next - now))
            while poller.next() != nil {}
            try receive()
        }
        return isDone()
    }

    private func receive() throws {
        while try socket.receive(into: &slab) {
            while slab.next() {
                var bytes: [UInt8] = []
                slab.withBytes { bytes.append(copying: $0.bytes) }
                let route = Route(remote: slab.source, local: local)
                fake.receive(bytes, on: route, at: Clock.now)
            }
        }
        flush()
    }

    func flush() {
        for packet in fake.outgoing { socket.send(packet.bytes.raw, to: packet.route.remote) }
        fake.outgoing.removeAll()
    }
}
