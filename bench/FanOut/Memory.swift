import Browser
import CYardstick
import Crypto
import ICE
import Media
import Stream
import Wire

/// Viewers that connect as browsers do, ICE and DTLS included, and then only watch: what each of
/// them holds at our side.
final class ViewerMemory {
    private static let server = Address(ipv4: 0xc000_0201, port: 8000)
    private let certificate: Certificate
    private let context: DTLSContext
    private var engine: CryptoEngine
    private let stream = Stream(
        name: "b", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
    private let fanOut = FanOut(dice: SplitMix64(seed: 1))
    private var sessions: [RTCSession] = []
    private var ids: [ViewerID] = []
    private var out = RTCOutput()
    private var effects = Effects()
    private var orders = Orders()
    private var now = Instant.start

    init() throws {
        certificate = try Certificate.selfSigned(commonName: "b", from: 0, days: 365_000)
        context = try DTLSContext(certificate: certificate, isSimulated: true)
        engine = try CryptoEngine.make()
        _ = try stream.publish(Viewers.publication, at: now, into: &orders)
    }

    func measure(_ count: Int) throws -> String {
        for number in 0..<8 { try connect(number) }
        let before = yardstick_live_heap()
        for number in 8..<8 + count { try connect(number) }
        let each = Int(yardstick_live_heap() - before) / count
        let held = sessions.count
        for (session, id) in zip(sessions, ids) {
            session.close(.done, at: now, engine: &engine, into: &out, effects: &effects)
            _ = fanOut.remove(id, in: stream, at: now, into: &orders)
            out.clear()
            effects.clear()
        }
        sessions.removeAll()
        ids.removeAll()
        let after = Int(yardstick_live_heap()) - Int(before)
        return "memory: \(each) B for each of \(held) connected viewers (heap, keys and record of"
            + " sent packets included); when all have left, \(after / 1024) KiB more than before"
    }

    private func connect(_ number: Int) throws {
        let host = Address(ipv4: 0x0a00_0000 + UInt32(number), port: 40_000)
        let ours = ICECredentials(ufrag: "aaaa", password: "aaaaaaaaaaaaaaaaaaaaaa")
        let theirs = ICECredentials(ufrag: "bbbb", password: "bbbbbbbbbbbbbbbbbbbbbb")
        let secret = [UInt8](repeating: 7, count: 32)
        let agent = ControllingAgent(
            local: theirs, remote: ours, remoteIsLite: true, hosts: [host],
            candidates: [.init(address: Self.server, priority: 100)], secret: secret.raw,
            seed: UInt64(number), at: now)
        let browser = try FakeBrowser(
            agent: agent, role: .client, profiles: [.aes128GCM],
            server: [certificate.fingerprint()], at: now)
        let peer = FakeBrowser.certificate.map { [$0.fingerprint()] } ?? []
        var dice = SplitMix64(seed: UInt64(number))
        let session = RTCSession(
            Viewers.negotiated(number, local: ours, remote: theirs, fingerprints: peer),
            for: Viewers.purpose, context: context, dice: &dice, at: now)
        let route = Route(remote: host, local: Self.server)
        for _ in 0..<40 where session.state == .connecting {
            now = now + .milliseconds(50)
            browser.expire(at: now)
            for _ in 0..<16 where !browser.outgoing.isEmpty { exchange(browser, session, route) }
        }
        guard let setup = ViewerSetup(session, engine: engine) else { throw NotConnected() }
        ids.append(fanOut.add(setup, at: now))
        sessions.append(session)
        // What it says under its keys shows that it has them: the handshake is forgotten.
        browser.send(.delay(1, 1))
        exchange(browser, session, route)
    }

    private struct NotConnected: Error {}

    private func exchange(_ browser: FakeBrowser, _ session: RTCSession, _ route: Route) {
        let packets = browser.outgoing.map(\.bytes)
        browser.outgoing.removeAll()
        for packet in packets {
            var packet = packet
            var span = packet.mutableSpan
            var datagram = unsafe span.mutableBytes
            session.receive(
                &datagram, on: route, at: now, engine: &engine, into: &out, effects: &effects)
            let (entries, bytes, list) = (out.entries, out.bytes, effects.list)
            out.clear()
            effects.clear()
            let back = Route(remote: route.local, local: route.remote)
            for case .send(_, let range) in entries {
                browser.receive(Array(bytes[range]), on: back, at: now)
            }
            for case .ask(_, let id) in list {
                session.answer(
                    .allowed(.configured, until: nil), to: id, at: now, engine: &engine,
                    into: &out, effects: &effects)
            }
        }
    }
}
