import Browser
import Crypto
import Media
import RTP
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// A fake browser that publishes to a session over a network with weather, through a translator.
final class PublishWorld: World {
    struct Packet {
        var bytes: [UInt8]
        var route: Route  // As the receiver sees it.
    }

    static let server = Address(ipv4: 0xc000_0201, port: 8000)
    static let host = Address(ipv4: 0x0a00_0005, port: 40_000)
    static let certificate = try? Certificate.selfSigned(
        commonName: "gateway", from: 0, days: 365_000)

    var now = Instant.start
    let browser: FakeBrowser
    let session: RTCSession
    var engine: CryptoEngine
    var up: Link<Packet>
    var down: Link<Packet>
    var outside: Rebinding
    var out = RTCOutput()
    var effects = Effects()
    let mediaEnd: Instant
    var nextMedia = Instant.start
    /// Number in the payload and the session's own, in the order of arrival.
    private(set) var arrived: [(number: Int, sequence: Int64)] = []
    private(set) var causes: [RTCSession.Cause] = []
    private(set) var questions: [Question] = []
    /// Bytes that somebody else puts on the way with each media packet.
    var forger: SplitMix64?

    init(
        seed: UInt64, loss: UInt64 = 0, delay: ClosedRange<Int64> = 10...15,
        browserRole: DTLSSession.Role = .client,
        profiles: [SRTPProfile] = SRTPProfile.preferred,
        changes: [(at: Instant, address: Address)] = [], seconds: Int64 = 6
    ) throws {
        var dice = SplitMix64(seed: seed)
        var weather = Weather(lossPerMille: loss, delay: delay)
        weather.doubledPerMille = 10
        up = Link(seed: seed, weather: weather)
        down = Link(seed: ~seed, weather: weather)
        outside = Rebinding(Address(ipv4: 0xcb00_7107, port: 50_000), changes)
        mediaEnd = .start + .seconds(seconds)
        let ours = ICEWorld.credentials(&dice)
        let theirs = ICEWorld.credentials(&dice)
        let secret = [UInt8](repeating: UInt8(truncatingIfNeeded: seed), count: 32)
        let candidate = ControllingAgent.Remote(
            address: Self.server, priority: CandidatePriority.udpHost(rank: 0))
        let certificate = try #require(Self.certificate)
        let agent = ControllingAgent(
            local: theirs, remote: ours, remoteIsLite: true, hosts: [Self.host],
            candidates: [candidate], secret: secret.raw, seed: seed, at: .start)
        browser = try FakeBrowser(
            agent: agent, role: browserRole, profiles: profiles,
            server: [certificate.fingerprint()])
        let context = try DTLSContext(certificate: certificate, isSimulated: true)
        engine = try CryptoEngine.make(.openSSL)
        let negotiated = try Self.negotiated(ours, theirs, isServer: browserRole == .client)
        session = RTCSession(
            negotiated, for: .publish(name: "live/x", Credential(), .local), context: context,
            dice: &dice, at: .start)
    }

    static func negotiated(
        _ ours: ICECredentials, _ theirs: ICECredentials, isServer: Bool
    ) throws -> NegotiatedSession {
        var extensions = HeaderExtensions()
        extensions.transportCC = 3
        let video = NegotiatedMedia(
            mid: "0",
            codecs: [
                NegotiatedCodec(
                    codec: .vp8, payloadType: 96, rtx: 97, clockRate: 90_000, profile: nil,
                    feedback: [.nack, .pli, .fir, .transportCC])
            ], extensions: extensions, isRTCPReducedSize: true)
        let peer = try #require(FakeBrowser.certificate)
        return NegotiatedSession(
            role: .publish, local: ours, remote: theirs, dtls: isServer ? .server : .client,
            fingerprints: [peer.fingerprint()], audio: nil, video: video, channel: nil,
            cname: "gateway", omitsMidOnRTX: false)
    }

    var nextEvent: Instant? {
        let media = browser.keys != nil && now < mediaEnd ? nextMedia : nil
        return [up.nextArrival, down.nextArrival, session.deadline, browser.deadline, media]
            .compactMap { $0 }.min().map { max($0, now) }
    }

    func step(at now: Instant) {
        self.now = now
        while let packet = up.receive(at: now) { arrive(packet) }
        while let packet = down.receive(at: now) {
            browser.receive(packet.bytes, on: packet.route, at: now)
        }
        if session.deadline <= now {
            session.expire(at: now, engine: &engine, into: &out, effects: &effects)
            runSession()
        }
        if browser.deadline <= now { browser.expire(at: now) }
        if browser.keys != nil, nextMedia <= now, now < mediaEnd {
            nextMedia = now + .milliseconds(10)
            browser.sendMedia(at: now)
            forge()
        }
        flushBrowser()
    }

    func arrive(_ packet: Packet) {
        var bytes = packet.bytes
        var span = bytes.mutableSpan
        var datagram = unsafe span.mutableBytes
        session.receive(
            &datagram, on: packet.route, at: now, engine: &engine, into: &out,
            effects: &effects)
        runSession()
    }

    /// Does what the session wants, answers included, until it wants nothing more.
    func runSession() {
        while !out.entries.isEmpty || !effects.isEmpty || effects.media.count > 0 {
            let (entries, bytes, list) = (out.entries, out.bytes, effects.list)
            for index in 0..<effects.media.count {
                let payload = Array(copying: effects.media.bytes(of: index))
                let number = payload[2..<6].reduce(0) { $0 << 8 | Int($1) }
                arrived.append((number, effects.sequences[index]))
            }
            out.clear()
            effects.clear()
            for entry in entries {
                switch entry {
                case .send(let route, let range): sendDown(Array(bytes[range]), route)
                case .closed(let cause): causes.append(cause)
                default: break
                }
            }
            for case .ask(let question, let id) in list {
                questions.append(question)
                session.answer(
                    .published(1), to: id, at: now, engine: &engine, into: &out,
                    effects: &effects)
            }
        }
    }

    private func flushBrowser() {
        for (bytes, route) in browser.outgoing {
            let seen = Route(remote: outside.address(at: now), local: route.remote)
            up.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
        }
        browser.outgoing.removeAll()
    }

    /// The translator knows its newest address only.
    private func sendDown(_ bytes: [UInt8], _ route: Route) {
        guard route.remote == outside.address(at: now) else { return }
        let seen = Route(remote: route.local, local: Self.host)
        down.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
    }

    /// Garbage of every kind, from the browser's own address.
    private func forge() {
        guard var dice = forger else { return }
        let firsts: [UInt8] = [0, 1, 20, 22, 23, 128, 129, 144, 191, 255]
        for first in firsts {
            var bytes = (0..<Int(dice.next() % 200)).map { _ in
                UInt8(truncatingIfNeeded: dice.next())
            }
            if !bytes.isEmpty { bytes[0] = first }
            let seen = Route(remote: outside.address(at: now), local: Self.server)
            up.send(Packet(bytes: bytes, route: seen), size: bytes.count, at: now)
        }
        forger = dice
    }

    /// Of the packets from the first that arrived until a second and a half before the end.
    var missing: Int {
        let seen = Set(arrived.map(\.number))
        guard let first = seen.min() else { return .max }
        let last = browser.sentAt.lastIndex { $0 < mediaEnd - .milliseconds(1500) } ?? 0
        guard first <= last else { return .max }
        return (first...last).filter { !seen.contains($0) }.count
    }

    /// Every number once, and all by one and the same distance from the browser's.
    var isConsistent: Bool {
        Set(arrived.map(\.number)).count == arrived.count
            && Set(arrived.map { $0.sequence - Int64($0.number) }).count == 1
    }
}
