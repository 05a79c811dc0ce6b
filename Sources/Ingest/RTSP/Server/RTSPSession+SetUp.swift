package import Stream
package import Wire

// How the media of a session goes: in its connection, or by UDP ports of its own.
extension RTSPSession {
    static let served = "RTP/AVP/TCP;interleaved is served here, and RTP/AVP;unicast;client_port"

    /// A track that is to be set up waits for ports.
    struct SetUp {
        var index: Int
        var transport: RTSPTransport

        /// Of its media; the reports' is the one behind it.
        var line: LineNumber { LineNumber(truncatingIfNeeded: 2 * index) }
    }

    /// The first of the peer's choices that we can do, with channels that are free.
    func choose(
        _ choices: [RTSPTransport], _ taken: [RTSPTransport.Pair]
    ) -> RTSPTransport? {
        guard let choice = choices.first(where: canServe) else { return nil }
        var transport = RTSPTransport(choice.lower)
        transport.isRecord = choice.isRecord
        switch choice.lower {
        case .udp: transport.clientPort = choice.clientPort
        case .tcp:
            guard let pair = Self.channels(choice.interleaved, taken) else { return nil }
            transport.interleaved = pair
        }
        return transport
    }

    private func canServe(_ choice: RTSPTransport) -> Bool {
        guard !choice.isMulticast, !choice.isSecure else { return false }
        guard choice.lower == .udp else { return true }
        // Media for somebody else than who asks would be an attack on them.
        let isForPeer = choice.destination.map { $0.isEmpty || $0 == peer.ip } ?? true
        // Who encrypts the dialogue does not want its media in the clear.
        guard takesUDP, isForPeer, let ports = choice.clientPort else { return false }
        return ports.first > 0 && ports.second > 0
    }

    private static func channels(
        _ wanted: RTSPTransport.Pair?, _ taken: [RTSPTransport.Pair]
    ) -> RTSPTransport.Pair? {
        let used = taken.flatMap { [$0.first, $0.second] }
        var pair = wanted ?? RTSPTransport.Pair(0, 1)
        if pair.second == pair.first { pair.second &+= 1 }
        while used.contains(pair.first) || used.contains(pair.second) || pair.second > 255 {
            let next = (used.max() ?? 0) + 1
            guard next < 255 else { return nil }
            pair = RTSPTransport.Pair(next, next + 1)
        }
        return pair
    }

    /// A track gets its carrier: at once, or when there are ports for it.
    func setUp(
        _ index: Int, _ transport: RTSPTransport, _ request: RTSPMessage, at now: Instant,
        _ effects: inout Effects, _ out: inout Outbox
    ) {
        let wanted = SetUp(index: index, transport: transport)
        guard transport.lower == .udp, ports[wanted.line] == nil else {
            return settle(wanted, request, &out)
        }
        ask(
            .lines(wanted.line), request, Credential(), for: Self.answerPatience,
            then: .setUp(wanted), at: now, &effects)
    }

    func settle(_ wanted: SetUp, _ request: RTSPMessage, _ out: inout Outbox) {
        var transport = wanted.transport
        var carrier = transport.interleaved.map { RTSPCarrier.channels($0) }
        if transport.lower == .udp, let port = ports[wanted.line] {
            transport.serverPort = RTSPTransport.Pair(port, port + 1)
            carrier = .lines(RTSPRoute(wanted.line, peer: peer, transport.clientPort))
        }
        guard let carrier else { return answer(500, request, &out) }
        switch use {
        case .playing where outlets.indices.contains(wanted.index):
            outlets[wanted.index].carrier = carrier
            transport.ssrc = outlets[wanted.index].outlet.ssrc
        case .recording where inlet?.tracks.indices.contains(wanted.index) == true:
            inlet?.setUp(wanted.index, carrier, channel: channel)
        default: return answer(454, request, &out)
        }
        usesLines = usesLines || carrier.usesLines
        hasSession = true
        answer(200, request, &out) { $0.add("Transport", transport.text) }
    }

    // MARK: - Datagrams

    package func receive(
        datagram: RawSpan, from source: Address, on line: LineNumber, at now: Instant,
        into effects: inout Effects, out: inout Outbox
    ) {
        // The port is open to everybody.
        guard source.isSameHost(as: peer) else {
            strangers += 1
            return
        }
        switch use {
        case .idle: break
        case .recording:
            guard isReceiving else { return }
            inlet?.learn(source, on: line)
            inlet?.receive(datagram, on: .line(line), at: now, &effects)
        case .playing:
            // Its reports, and what it sends to open its NAT: it lives.
            lastRequest = now
            for index in outlets.indices { outlets[index].carrier?.learn(source, on: line) }
        }
    }
}
