import Browser
import Crypto
import ICE
import Media
import RTP
import Stream
import Wire

/// The messages that open data channels: what is read is written the same way again.
func fuzzDCEP(_ bytes: RawSpan) {
    guard let message = try? DCEPMessage(bytes) else { return }
    var written: [UInt8] = []
    message.write(into: &written)
    guard let again = try? DCEPMessage(written.raw) else {
        preconditionFailure("what we write we can read")
    }
    if case .acknowledge = message { precondition(again == message) }
}

/// A connected session and its peer, who knows all keys and means harm: a script of datagrams,
/// authentic RTP and RTCP, notices and pauses. Nothing may trap, and no turn may grow.
func fuzzRTCSession(_ bytes: RawSpan) {
    guard let pair = FuzzPair() else { return }
    var reader = ByteReader(bytes)
    var steps = 0
    while let kind = try? reader.read(UInt8.self), let size = try? reader.read(UInt16.self),
        steps < 64
    {
        steps += 1
        let count = min(Int(size), reader.remaining)
        guard let data = try? reader.read(count: count) else { return }
        pair.step(kind, size, [UInt8](copying: data))
    }
    pair.close()
}

/// One for all runs: to make a key costs more than the rest.
private let certificate = try? Certificate.selfSigned(commonName: "fuzz", from: 0, days: 365_000)

private final class FuzzPair {
    private let browser: FakeBrowser
    private let session: RTCSession
    private var engine: CryptoEngine
    private var now = Instant.start
    private var out = RTCOutput()
    private var effects = Effects()
    private static let server = Address(ipv4: 0xc000_0201, port: 8000)
    private static let host = Address(ipv4: 0x0a00_0005, port: 40_000)
    private let route = Route(remote: host, local: server)

    init?() {
        let ours = ICECredentials(ufrag: "aaaa", password: "aaaaaaaaaaaaaaaaaaaaaa")
        let theirs = ICECredentials(ufrag: "bbbb", password: "bbbbbbbbbbbbbbbbbbbbbb")
        let secret = [UInt8](repeating: 7, count: 32)
        let agent = ControllingAgent(
            local: theirs, remote: ours, remoteIsLite: true, hosts: [Self.host],
            candidates: [.init(address: Self.server, priority: 100)], secret: secret.raw, seed: 1,
            at: .start)
        guard let certificate, let peer = FakeBrowser.certificate,
            let context = try? DTLSContext(certificate: certificate, isSimulated: true),
            let engine = try? CryptoEngine.make(.openSSL),
            let browser = try? FakeBrowser(
                agent: agent, role: .client, profiles: [.aes128GCM],
                server: [certificate.fingerprint()])
        else { return nil }
        self.browser = browser
        self.engine = engine
        var dice = SplitMix64(seed: 1)
        session = RTCSession(
            FuzzOffer.negotiated(ours, theirs, peer.fingerprint()),
            for: .publish(name: "live/x", Credential(), .local), context: context, dice: &dice,
            at: .start)
        connect()
    }

    private func connect() {
        for _ in 0..<40 where session.state == .connecting {
            now = now + .milliseconds(50)
            browser.expire(at: now)
            exchange()
        }
        precondition(session.state == .connected, "nothing was lost on the way")
    }

    /// Lets both talk until neither has anything to say.
    private func exchange() {
        for _ in 0..<16 where !browser.outgoing.isEmpty {
            let packets = browser.outgoing.map(\.bytes)
            browser.outgoing.removeAll()
            for packet in packets { deliver(packet) }
        }
        browser.outgoing.removeAll()
    }

    private func deliver(_ packet: [UInt8]) {
        var packet = packet
        var span = packet.mutableSpan
        var datagram = unsafe span.mutableBytes
        session.receive(
            &datagram, on: route, at: now, engine: &engine, into: &out, effects: &effects)
        run()
    }

    private func run() {
        for _ in 0..<8 where !out.entries.isEmpty || !effects.isEmpty {
            precondition(out.bytes.count < 1 << 17, "a turn's output is bounded")
            let (entries, bytes, list) = (out.entries, out.bytes, effects.list)
            out.clear()
            effects.clear()
            for case .send(let route, let range) in entries {
                let back = Route(remote: route.local, local: route.remote)
                browser.receive(Array(bytes[range]), on: back, at: now)
            }
            for case .ask(_, let id) in list {
                session.answer(
                    .published(1), to: id, at: now, engine: &engine, into: &out,
                    effects: &effects)
            }
        }
    }

    func step(_ kind: UInt8, _ size: UInt16, _ data: [UInt8]) {
        switch kind % 8 {
        case 0: deliver(data)
        case 1, 2: browser.send(rtp: data)
        case 3: if data.count >= 8 { browser.send(.garbage(Array(data.prefix(250)))) }
        case 4: pass(.milliseconds(Int64(size) % 3000))
        case 5: notice(.keyWanted(0, .video, layer: kind >> 3))
        case 6: notice(.demand(0, .video, bits: Int(size), highestLayer: kind >> 3))
        default: message(data, UInt32(size) % 60, on: UInt16(kind >> 3))
        }
        exchange()
    }

    private func pass(_ interval: Interval) {
        now = now + interval
        if browser.deadline <= now { browser.expire(at: now) }
        guard session.deadline <= now else { return }
        session.expire(at: now, engine: &engine, into: &out, effects: &effects)
        run()
    }

    private func notice(_ notice: Notice) {
        session.notice(notice, at: now, engine: &engine, into: &out, effects: &effects)
        run()
    }

    private func message(_ data: [UInt8], _ payload: UInt32, on stream: UInt16) {
        session.received(
            message: data.raw, payload: payload, on: stream, at: now, into: &out,
            effects: &effects)
        run()
    }

    func close() {
        session.close(.done, at: now, engine: &engine, into: &out, effects: &effects)
        run()
        deliver([22, 254, 253])
        precondition(out.entries.isEmpty && effects.isEmpty, "nothing is said after the end")
    }
}

private enum FuzzOffer {
    static func negotiated(
        _ ours: ICECredentials, _ theirs: ICECredentials, _ peer: Fingerprint
    ) -> NegotiatedSession {
        var extensions = HeaderExtensions()
        extensions.mid = FakeBrowser.midID
        extensions.transportCC = FakeBrowser.transportID
        extensions.rid = FakeBrowser.ridID
        extensions.repairedRID = FakeBrowser.repairedID
        let codecs: [(Codec, UInt8)] = [(.vp8, 96), (.h264, 98), (.vp9, 100), (.av1, 102)]
        var video = NegotiatedMedia(
            mid: "0",
            codecs: codecs.map {
                NegotiatedCodec(
                    codec: $0.0, payloadType: $0.1, rtx: $0.1 + 1, clockRate: 90_000,
                    profile: nil, feedback: [.nack, .pli, .fir, .transportCC])
            }, extensions: extensions, isRTCPReducedSize: true)
        video.layers = ["a", "b"]
        let audio = NegotiatedMedia(
            mid: "1",
            codecs: [
                NegotiatedCodec(
                    codec: .opus, payloadType: 111, rtx: nil, clockRate: 48_000, profile: nil,
                    feedback: [.transportCC])
            ], extensions: extensions, isRTCPReducedSize: false)
        return NegotiatedSession(
            role: .publish, local: ours, remote: theirs, dtls: .server, fingerprints: [peer],
            audio: audio, video: video,
            channel: NegotiatedChannel(remotePort: 5000, maxMessageSize: 262_144),
            cname: "gateway", omitsMidOnRTX: false)
    }
}
