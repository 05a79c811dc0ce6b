package import Crypto
package import ICE
import Media
package import RTP
package import Wire

/// A publisher as browsers are: it controls ICE, shakes hands in either role, sends what its tracks
/// say, repeats what is asked for in the way of each, and makes a key frame when asked.
package final class FakeBrowser {
    package static let certificate = try? Certificate.selfSigned(
        commonName: "browser", from: 0, days: 365_000)
    /// Of the track it has if no others are given: VP8, as often as it is asked to send.
    package static let (ssrc, rtxSSRC): (UInt32, UInt32) = (1111, 6111)
    /// The header extensions of every story, by id.
    package static let (midID, transportID, ridID, repairedID): (UInt8, UInt8, UInt8, UInt8) = (
        1, 3, 4, 5
    )

    package var agent: ControllingAgent
    package let dtls: DTLSSession
    package let role: DTLSSession.Role
    package var tracks: [FakeTrack]
    package var engine: CryptoEngine
    var receiver = SRTPReceiver()
    package var keys: (sending: SRTPKey, receiving: SRTPKey)?
    var hasStarted = false
    /// Chrome and Firefox number all packets of the transport; OBS and FFmpeg do not.
    package var numbersTransport = true
    /// What is to leave, in order.
    package var outgoing: [(bytes: [UInt8], route: Route)] = []
    var ice = ICEOutput()
    var output = DTLSOutput()
    package private(set) var arrivalReports = 0
    package private(set) var nacks = 0
    package private(set) var reports: [RTCPReportBlock] = []
    package private(set) var saidGoodbye = false
    package private(set) var isForged = 0
    /// Of packets that it plays: what `sendMedia` of another browser had written into them.
    package private(set) var numbers: [Int] = []
    package private(set) var sources: Set<UInt32> = []
    /// SCTP packets out of the tunnel.
    package var tunnel: [[UInt8]] = []
    private var transport: UInt16 = 0
    private var controlIndex: UInt32 = 0

    package init(
        agent: ControllingAgent, role: DTLSSession.Role, profiles: [SRTPProfile],
        server: [Fingerprint], tracks: [FakeTrack]? = nil,
        engine kind: CryptoEngine.Kind = .openSSL, at now: Instant = .start
    ) throws {
        guard let certificate = Self.certificate else { throw NoCertificate() }
        self.agent = agent
        self.role = role
        var track = FakeTrack(Self.ssrc, 96, .vp8)
        track.interval = .zero
        self.tracks = tracks ?? [track]
        let context = try DTLSContext(
            certificate: certificate, profiles: profiles, isSimulated: true)
        dtls = DTLSSession(role, context: context, peer: server, at: now)
        engine = try CryptoEngine.make(kind)
    }

    private struct NoCertificate: Error {}

    package var deadline: Instant { min(agent.deadline, dtls.deadline ?? .distantFuture) }
    package var pictureLosses: Int { tracks.reduce(0) { $0 + $1.pictureLosses } }

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

    func flush(at now: Instant) {
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
        for index in 0..<output.messages.count {
            tunnel.append(Array(copying: output.messages[index]))
        }
        output.messages.removeAll()
        if keys == nil, let made = dtls.takeKeys() {
            keys = (
                engine.add(made.local, profile: made.profile, for: .sending),
                engine.add(made.remote, profile: made.profile, for: .receiving)
            )
        }
    }

    package func send(sctp packet: [UInt8], at now: Instant) {
        _ = dtls.send(packet.raw, into: &output)
        flush(at: now)
    }

    /// As `pc.close()` does.
    package func hangUp(at now: Instant) {
        dtls.close(into: &output)
        flush(at: now)
    }
}

/// Media.
extension FakeBrowser {
    package func sendMedia(at now: Instant, before end: Instant = .distantFuture) {
        guard keys != nil, now < end else { return }
        for index in tracks.indices where tracks[index].isDue(at: now) {
            let frame = tracks[index].makeFrame(at: now)
            let packet = protect(
                frame.payload, of: tracks[index], isRepair: false, frame.index, frame.time)
            tracks[index].keep(packet, index: frame.index)
            send(packet)
        }
    }

    private func send(_ packet: [UInt8]) {
        guard let route = agent.selected, !packet.isEmpty else { return }
        outgoing.append((packet, route))
    }

    /// A packet as it would stand before protection: header, extensions, payload.
    package func send(rtp bytes: [UInt8]) {
        guard let keys, let header = try? RTPHeader(bytes.raw) else { return }
        let count = header.extensions.upperBound
        var sealed = Array(bytes[..<count]) + [UInt8](repeating: 0, count: bytes.count + 32)
        let payload = Array(bytes[count...])
        let total: Int
        do {
            var span = sealed.mutableSpan
            var window = unsafe span.mutableBytes
            total = engine.protect(
                &window, headerCount: count, payload: payload.raw, ssrc: header.ssrc,
                index: UInt64(header.sequence), key: keys.sending)
        }
        send(Array(sealed[..<total]))
    }

    private func protect(
        _ payload: [UInt8], of track: FakeTrack, isRepair: Bool, _ index: UInt64, _ time: UInt32
    ) -> [UInt8] {
        guard let keys else { return [] }
        let ssrc = isRepair ? track.rtxSSRC : track.ssrc
        var bytes = [UInt8](repeating: 0, count: payload.count + 200)
        let count: Int
        do {
            var span = bytes.mutableSpan
            var out = ByteWriter(unsafe span.mutableBytes)
            var header = RTPHeaderWriter(
                payloadType: isRepair ? track.rtxType : track.payloadType, marker: true,
                sequence: UInt16(truncatingIfNeeded: index), timestamp: time, ssrc: ssrc,
                into: &out)
            if numbersTransport {
                transport &+= 1
                header.write(id: Self.transportID, uint16: transport, into: &out)
            }
            if let rid = track.rid {
                let id = isRepair ? Self.repairedID : Self.ridID
                header.write(id: id, Array(rid.utf8).raw, into: &out)
            }
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
        return Array(bytes[..<total])
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

    private func repeatPacket(_ sequence: UInt16, of ssrc: UInt32) {
        guard let index = tracks.lastIndex(where: { $0.ssrc == ssrc }) else { return }
        switch tracks[index].repetition(of: sequence) {
        case .packet(let packet): send(packet)
        case .stream(let number, let payload, let time):
            send(protect(payload, of: tracks[index], isRepair: true, number, time))
        case nil: break
        }
    }
}

/// Control.
extension FakeBrowser {
    private func receiveControl(_ bytes: [UInt8]) {
        guard let keys else { return }
        var bytes = bytes
        var items: [RTCPItem] = []
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            let count: Int
            do throws(SRTPRefusal) {
                count = try receiver.unprotectRTCP(&window, key: keys.receiving, with: engine)
            } catch {
                // The network doubles packets; nothing else may happen to them.
                if error != .replayed { isForged += 1 }
                return
            }
            guard var reader = try? RTCPReader(window.bytes.extracting(0..<count)) else { return }
            while let item = reader.next() { items.append(item) }
        }
        for item in items { act(on: item) }
    }

    private func act(on item: RTCPItem) {
        switch item {
        case .nack(let media, let nack):
            nacks += 1
            repeatPacket(nack.first, of: media)
            for bit: UInt16 in 0..<16 where nack.mask & (1 << bit) != 0 {
                repeatPacket(nack.first &+ 1 &+ bit, of: media)
            }
        case .pictureLoss(let media), .fullIntra(let media, _):
            guard let index = tracks.lastIndex(where: { $0.ssrc == media }) else { return }
            tracks[index].pictureLosses += 1
            tracks[index].wantsKey = true
        case .transportFeedback: arrivalReports += 1
        case .report(_, let block): reports.append(block)
        case .referenceTime(let ssrc, let time): send(.delay(ssrc, time.middle))
        case .bye: saidGoodbye = true
        default: break
        }
    }

    package enum Message {
        case bye([UInt32])
        case delay(UInt32, UInt32)
        case garbage([UInt8])
        /// A sender report: the moment in nanoseconds since 1970, and the time stamp for it.
        case clock(UInt32, Int64, UInt32)
    }

    package func send(_ message: Message) {
        guard let keys else { return }
        controlIndex += 1
        var bytes = [UInt8](repeating: 0, count: 300)
        let count: Int
        do {
            var span = bytes.mutableSpan
            var out = ByteWriter(unsafe span.mutableBytes)
            switch message {
            case .bye(let ssrcs): RTCPWriter.bye(ssrcs.span, into: &out)
            case .delay(let ssrc, let middle):
                RTCPWriter.receiverDelay(
                    from: tracks[0].ssrc, about: ssrc, lastReport: middle, delay: 0, into: &out)
            case .garbage(let bytes): out.write(bytes.raw)
            case .clock(let ssrc, let nanoseconds, let timestamp):
                let info = RTCPSenderInfo(
                    ssrc: ssrc, ntp: NTPTime(unixNanoseconds: nanoseconds), timestamp: timestamp,
                    packets: 0, octets: 0)
                RTCPWriter.senderReport(info, Span(), into: &out)
            }
            count = out.offset
        }
        let total: Int
        do {
            var span = bytes.mutableSpan
            var window = unsafe span.mutableBytes
            total = engine.protectRTCP(
                &window, count: count, index: controlIndex, key: keys.sending)
        }
        send(Array(bytes[..<total]))
    }
}
