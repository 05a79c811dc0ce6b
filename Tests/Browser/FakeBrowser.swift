package import Crypto
package import ICE
package import RTP
package import Wire

/// A publisher as browsers are: it controls ICE, shakes hands in either role, sends VP8, repeats
/// what is asked for on a stream of its own, and makes a key frame when asked.
package final class FakeBrowser {
    package static let certificate = try? Certificate.selfSigned(
        commonName: "browser", from: 0, days: 365_000)
    package static let (ssrc, rtxSSRC): (UInt32, UInt32) = (1111, 2222)

    package var agent: ControllingAgent
    let dtls: DTLSSession
    let role: DTLSSession.Role
    package var engine: CryptoEngine
    var receiver = SRTPReceiver()
    package var keys: (sending: SRTPKey, receiving: SRTPKey)?
    var hasStarted = false
    /// What is to leave, in order.
    package var outgoing: [(bytes: [UInt8], route: Route)] = []
    var ice = ICEOutput()
    var output = DTLSOutput()
    package private(set) var pictureLosses = 0
    package private(set) var arrivalReports = 0
    package private(set) var reports: [RTCPReportBlock] = []
    package private(set) var saidGoodbye = false
    /// Of packets that it plays: what `sendMedia` of another browser had written into them.
    package private(set) var numbers: [Int] = []
    package private(set) var sources: Set<UInt32> = []
    package private(set) var sentAt: [Instant] = []
    private var payloads: [[UInt8]] = []
    private var wantsKey = true
    private var rtxIndex: UInt64 = 100
    private var transport: UInt16 = 0
    private var controlIndex: UInt32 = 0
    /// It wraps soon, so that each run sees the roll-over.
    private static let firstIndex: UInt64 = 65_500

    package init(
        agent: ControllingAgent, role: DTLSSession.Role, profiles: [SRTPProfile],
        server: [Fingerprint], at now: Instant = .start
    ) throws {
        guard let certificate = Self.certificate else { throw NoCertificate() }
        self.agent = agent
        self.role = role
        let context = try DTLSContext(
            certificate: certificate, profiles: profiles, isSimulated: true)
        dtls = DTLSSession(role, context: context, peer: server, at: now)
        engine = try CryptoEngine.make(.openSSL)
    }

    private struct NoCertificate: Error {}

    package var deadline: Instant { min(agent.deadline, dtls.deadline ?? .distantFuture) }

    package func expire(at now: Instant) {
        agent.expire(at: now, into: &ice)
        if let due = dtls.deadline, due <= now { dtls.expire(at: now, into: &output) }
        flush(at: now)
    }

    package func receive(_ bytes: [UInt8], on route: Route, at now: Instant) {
        switch Demux(bytes.raw) {
        case .stun: agent.receive(bytes.raw, on: route, at: now, into: &ice)
        case .dtls: _ = dtls.receive(bytes.raw, at: now, into: &output)
        case .rtcp: receiveControl(bytes)
        case .rtp: receiveMedia(bytes)
        case .unknown: break
        }
        flush(at: now)
    }

    private func flush(at now: Instant) {
        for entry in ice.entries {
            if case .send(let route, let range) = entry {
                outgoing.append((Array(ice.bytes[range]), route))
            }
        }
        ice.clear()
        if let route = agent.selected {
            if !hasStarted, role == .client {
                hasStarted = true
                dtls.start(at: now, into: &output)
            }
            for index in 0..<output.datagrams.count {
                outgoing.append((Array(copying: output.datagrams[index]), route))
            }
            output.datagrams.removeAll()
        }
        if keys == nil, let made = dtls.takeKeys() {
            keys = (
                engine.add(made.local, profile: made.profile, for: .sending),
                engine.add(made.remote, profile: made.profile, for: .receiving)
            )
        }
    }

    /// One packet is one frame. Its number is in its payload.
    package func sendMedia(at now: Instant) {
        guard keys != nil else { return }
        let number = UInt32(payloads.count)
        var payload: [UInt8] = [0x10, wantsKey ? 0 : 1]
        for shift in [24, 16, 8, 0] { payload.append(UInt8(truncatingIfNeeded: number >> shift)) }
        payload += [UInt8](repeating: 7, count: 500)
        wantsKey = false
        payloads.append(payload)
        sentAt.append(now)
        let index = Self.firstIndex + UInt64(number)
        send(payload, type: 96, Self.ssrc, index, timestamp: number &* 900)
    }

    private func send(
        _ payload: [UInt8], type: UInt8, _ ssrc: UInt32, _ index: UInt64, timestamp: UInt32
    ) {
        guard let keys, let route = agent.selected else { return }
        transport &+= 1
        var bytes = [UInt8](repeating: 0, count: 1400)
        let count: Int
        do {
            var span = bytes.mutableSpan
            var out = ByteWriter(unsafe span.mutableBytes)
            var header = RTPHeaderWriter(
                payloadType: type, marker: true, sequence: UInt16(truncatingIfNeeded: index),
                timestamp: timestamp, ssrc: ssrc, into: &out)
            header.write(id: 3, uint16: transport, into: &out)
            count = header.finish(into: &out)
        }
        let total: Int
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            total = engine.protect(
                &window, headerCount: count, payload: payload.raw, ssrc: ssrc, index: index,
                key: keys.sending)
        }
        outgoing.append((Array(bytes[..<total]), route))
    }

    private func receiveMedia(_ bytes: [UInt8]) {
        guard let keys else { return }
        var bytes = bytes
        var span = bytes.mutableSpan
        var window = unsafe span.mutableBytes
        guard let opened = try? receiver.unprotect(&window, key: keys.receiving, with: engine),
            let header = try? RTPHeader(window.bytes.extracting(0..<opened.count)),
            header.payload.count >= 6
        else { return }
        let payload = window.bytes.extracting(header.payload)
        sources.insert(header.ssrc)
        numbers.append((2..<6).reduce(0) { $0 << 8 | Int(payload.byte(at: $1)) })
    }

    private func receiveControl(_ bytes: [UInt8]) {
        guard let keys else { return }
        var bytes = bytes
        var items: [RTCPItem] = []
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            guard
                let count = try? receiver.unprotectRTCP(
                    &window, key: keys.receiving, with: engine),
                var reader = try? RTCPReader(window.bytes.extracting(0..<count))
            else { return }
            while let item = reader.next() { items.append(item) }
        }
        for item in items { act(on: item) }
    }

    private func act(on item: RTCPItem) {
        switch item {
        case .nack(_, let nack):
            var numbers: [UInt16] = []
            numbers.append(nack.first)
            for bit: UInt16 in 0..<16 where nack.mask & (1 << bit) != 0 {
                numbers.append(nack.first &+ 1 &+ bit)
            }
            for sequence in numbers { repeatPacket(sequence) }
        case .pictureLoss, .fullIntra:
            pictureLosses += 1
            wantsKey = true
        case .transportFeedback: arrivalReports += 1
        case .report(_, let block): reports.append(block)
        case .referenceTime(let ssrc, let time): answer(ssrc, time)
        case .bye: saidGoodbye = true
        default: break
        }
    }

    private func repeatPacket(_ sequence: UInt16) {
        let offset = sequence &- UInt16(truncatingIfNeeded: Self.firstIndex)
        guard Int(offset) < payloads.count else { return }
        let original = [UInt8(sequence >> 8), UInt8(sequence & 255)] + payloads[Int(offset)]
        rtxIndex += 1
        send(original, type: 97, Self.rtxSSRC, rtxIndex, timestamp: UInt32(offset) &* 900)
    }

    private func answer(_ ssrc: UInt32, _ time: NTPTime) {
        guard let keys, let route = agent.selected else { return }
        controlIndex += 1
        var bytes = [UInt8](repeating: 0, count: 200)
        let count: Int
        do {
            var span = bytes.mutableSpan
            var out = ByteWriter(unsafe span.mutableBytes)
            RTCPWriter.receiverDelay(
                from: Self.ssrc, about: ssrc, lastReport: time.middle, delay: 0, into: &out)
            count = out.offset
        }
        let total: Int
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            total = engine.protectRTCP(
                &window, count: count, index: controlIndex, key: keys.sending)
        }
        outgoing.append((Array(bytes[..<total]), route))
    }
}
