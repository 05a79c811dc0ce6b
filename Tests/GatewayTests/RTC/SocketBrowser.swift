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

    /// ICE-TCP: the connection, and what has come and is not a whole packet yet.
    private var pipe: TCPSocket?
    private var said = Outbox(limit: 1 << 20)
    private var heard: [UInt8] = []
    private var pipeRoute: Route?

    /// - Parameter tcp: A port to connect to; then UDP is not used at all.
    init(
        _ opened: RTCAnswer, ports: [UInt16], isPassive: Bool = false, tcp: UInt16? = nil
    ) throws {
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
        let candidates = (tcp == nil ? ports : []).enumerated().map { rank, port in
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
        if let tcp { try connect(to: tcp) }
    }

    private func connect(to port: UInt16) throws {
        let remote = Address(ipv4: 0x7f00_0001, port: port)
        let socket = try TCPSocket(connectingTo: remote)
        _ = try poller.add(socket, .write, tag: 1)
        try poller.wait(.seconds(1))
        while poller.next() != nil {}
        poller = try Poller()
        _ = try poller.add(socket, .read, tag: 1)
        let ours = socket.localAddress
        let route = Route(remote: remote, local: try #require(ours), connection: 1)
        pipe = consume socket
        pipeRoute = route
        fake.agent.connected(route, at: Clock.now)
    }

    /// A check of its own, as another path would carry it.
    func request() throws -> [UInt8] {
        let media = try #require(answer.medias.first { $0.port != 0 })
        let transport = answer.transport(of: media)
        let ours = OfferText.credentials.ufrag
        let name = Array("\(try #require(transport.ufrag)):\(ours)".utf8)
        let password = Array(try #require(transport.password).utf8)
        var bytes: [UInt8] = []
        let builder = STUNBuilder(.request, TransactionID(high: 7, low: 8), into: &bytes)
        builder.username(name.raw, into: &bytes)
        builder.finish(key: HMACSHA1(key: password.raw), into: &bytes)
        return bytes
    }

    /// From its socket to one worker, past its own choice of paths.
    func send(_ bytes: [UInt8], to port: UInt16) {
        socket.send(bytes.raw, to: Address(ipv4: 0x7f00_0001, port: port))
    }

    /// The connection breaks.
    func cut() { pipe = nil }

    /// Its handshake is also sent there.
    var copiedTo: [UInt16] = []
    /// All of it goes there instead.
    var redirect: UInt16?
    /// It sends no requests of its own: it does not know that anything has changed.
    var holdsChecks = false
    /// Called in each turn of `run`.
    var turn: () -> Void = {}

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
            turn()
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
        try receivePipe()
        flush()
    }

    private func receivePipe() throws {
        guard let route = pipeRoute else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var span = buffer.mutableSpan
        var window = unsafe span.mutableBytes
        guard case .bytes(let count)? = try pipe?.read(into: &window) else { return }
        heard += buffer[..<count]
        while heard.count >= 2 {
            let length = Int(heard[0]) << 8 | Int(heard[1])
            guard heard.count >= 2 + length else { return }
            fake.receive(Array(heard[2..<2 + length]), on: route, at: Clock.now)
            heard.removeFirst(2 + length)
        }
    }

    private func isRequest(_ bytes: [UInt8]) -> Bool {
        Demux(bytes.raw) == .stun && bytes[0] == 0 && bytes[1] == 1
    }

    func flush() {
        for packet in fake.outgoing {
            guard packet.route.isTCP else {
                if holdsChecks, isRequest(packet.bytes) { continue }
                let port = redirect ?? packet.route.remote.port
                socket.send(packet.bytes.raw, to: packet.route.remote.with(port: port))
                guard Demux(packet.bytes.raw) == .dtls else { continue }
                for port in copiedTo { send(packet.bytes, to: port) }
                continue
            }
            let head = Framing.head(packet.bytes.count)
            said.append(([head[0], head[1]] + packet.bytes).raw)
        }
        fake.outgoing.removeAll()
        _ = try? pipe?.write(&said)
    }
}
