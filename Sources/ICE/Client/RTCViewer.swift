package import Crypto
import RTP
package import Wire

/// A player without a screen: the receiving side of one WebRTC session, as a client of any server.
/// It opens or only counts what comes, and reports and asks again as a browser does.
///
///     connecting ── ICE, then DTLS ──▶ open ── goodbye, silence, fault ──▶ closed(cause)
package final class RTCViewer {
    package enum State: Equatable, Sendable {
        case connecting
        case open
        case closed(Cause)
    }

    package enum Cause: Equatable, Sendable {
        case ice(ICEOutput.Reason)
        case dtls(DTLSSession.End)
        /// We have left.
        case left
    }

    package struct Figures: Equatable, Sendable {
        /// Packets that were not what their tag says.
        package internal(set) var forged = 0
        /// Packets of sources or formats that the answer does not know.
        package internal(set) var strays = 0
        package internal(set) var opened = 0
        /// SRTCP of the server.
        package internal(set) var controls = 0
        /// When ICE had a path.
        package internal(set) var pathAt: Instant?
        package internal(set) var openAt: Instant?
        package internal(set) var firstPacketAt: Instant?
        package internal(set) var bytes = 0
    }

    package private(set) var state = State.connecting
    package internal(set) var figures = Figures()
    package internal(set) var tracks: [ViewedTrack]
    let extensions: ExtensionMap
    let isReducedSize: Bool
    let opensMedia: Bool
    let ownSSRC: UInt32
    private var agent: ControllingAgent
    private let dtls: DTLSSession
    private let host: Address
    private let weBegin: Bool
    private var hasStarted = false
    private var isReleased = false
    var keys: (sending: SRTPKey, receiving: SRTPKey)?
    var receiver = SRTPReceiver()
    var arrivals: TWCCRecorder?
    var controlIndex: UInt32 = 0
    var lastReport = Instant.start
    /// Of the frame whose first packet came last.
    var stampSought: UInt32?
    /// When to call `expire`: lowered by packets, found anew by `expire`.
    package internal(set) var deadline = Instant.start

    /// - Parameters:
    ///   - opensMedia: False: media is counted by its headers, which are not encrypted, and only
    ///     repairs and reports are opened.
    ///   - secret: 16 random bytes or more, of this session alone.
    package init(
        _ answer: ClientAnswer, local: ICECredentials, host: Address, opensMedia: Bool,
        context: DTLSContext, secret: RawSpan, dice: inout SplitMix64, at now: Instant
    ) {
        tracks = answer.tracks.map { ViewedTrack($0) }
        extensions = answer.extensions
        isReducedSize = answer.isReducedSize
        self.opensMedia = opensMedia
        self.host = host
        weBegin = answer.weBegin
        ownSSRC = UInt32(truncatingIfNeeded: dice.next()) | 1
        agent = ControllingAgent(
            local: local, remote: answer.remote, remoteIsLite: answer.isLite, hosts: [host],
            candidates: answer.candidates, secret: secret, seed: dice.next(), at: now)
        dtls = DTLSSession(
            answer.weBegin ? .client : .server, context: context, peer: answer.fingerprints,
            at: now)
        arrivals = answer.extensions[.transportSequence] > 0 ? TWCCRecorder() : nil
    }

    package func receive(
        _ datagram: inout MutableRawSpan, from source: Address, at now: Instant, utc: Int64,
        engine: inout CryptoEngine, into out: inout ClientOutput
    ) {
        switch Demux(datagram.bytes) {
        case .stun:
            let route = Route(remote: source, local: host)
            agent.receive(datagram.bytes, on: route, at: now, into: &out.ice)
            advance(at: now, engine: &engine, into: &out)
        case .dtls:
            guard agent.selected != nil || !weBegin else { return }
            _ = dtls.receive(datagram.bytes, at: now, into: &out.dtls)
            advance(at: now, engine: &engine, into: &out)
        case .rtp: receiveMedia(&datagram, at: now, utc: utc, engine: &engine, into: &out)
        case .rtcp: receiveControl(&datagram, at: now, engine: &engine)
        case .unknown: figures.strays += 1
        }
    }

    package func expire(
        at now: Instant, engine: inout CryptoEngine, into out: inout ClientOutput
    ) {
        if agent.deadline <= now { agent.expire(at: now, into: &out.ice) }
        if let due = dtls.deadline, due <= now, hasStarted || !weBegin {
            dtls.expire(at: now, into: &out.dtls)
        }
        if state == .open { sendReports(at: now, engine: &engine, into: &out) }
        advance(at: now, engine: &engine, into: &out)
    }

    /// Says goodbye, as `pc.close()` does, and gives its keys back.
    package func leave(engine: inout CryptoEngine, into out: inout ClientOutput) {
        if state == .open { dtls.close(into: &out.dtls) }
        flush(into: &out)
        close(.left, engine: &engine)
    }

    /// What ICE and DTLS have brought about.
    private func advance(
        at now: Instant, engine: inout CryptoEngine, into out: inout ClientOutput
    ) {
        for entry in out.ice.entries {
            switch entry {
            case .send(let route, let range):
                let bytes = out.ice.bytes
                out.send(bytes.raw.extracting(range), to: route.remote)
            case .ended(let reason): close(.ice(reason), engine: &engine)
            default: break
            }
        }
        out.ice.clear()
        if agent.selected != nil, figures.pathAt == nil { figures.pathAt = now }
        if agent.selected != nil, !hasStarted, weBegin, state == .connecting {
            hasStarted = true
            dtls.start(at: now, into: &out.dtls)
        }
        flush(into: &out)
        if state == .connecting, let made = dtls.takeKeys() {
            keys = (
                engine.add(made.local, profile: made.profile, for: .sending),
                engine.add(made.remote, profile: made.profile, for: .receiving)
            )
            state = .open
            figures.openAt = now
            lastReport = now
        }
        if case .closed(let end) = dtls.state { close(.dtls(end), engine: &engine) }
        findDeadline()
    }

    private func flush(into out: inout ClientOutput) {
        if let route = agent.selected {
            for index in 0..<out.dtls.datagrams.count {
                let datagrams = out.dtls.datagrams
                out.send(datagrams[index], to: route.remote)
            }
        }
        out.dtls.datagrams.removeAll()
        out.dtls.messages.removeAll()
    }

    private func close(_ cause: Cause, engine: inout CryptoEngine) {
        if case .closed = state { return }
        state = .closed(cause)
        deadline = .distantFuture
        guard let keys else { return }
        engine.remove(keys.sending)
        engine.remove(keys.receiving)
        self.keys = nil
    }

    /// OpenSSL's state is 50 KiB, and nothing needs it once media comes.
    func release() {
        guard !isReleased, state == .open else { return }
        isReleased = true
        dtls.release()
    }

    var destination: Address? { agent.selected?.remote }

    func findDeadline() {
        if case .closed = state { return }
        var next = agent.deadline
        if let due = dtls.deadline, hasStarted || !weBegin { next = min(next, due) }
        if state == .open { next = min(next, reportDeadline) }
        deadline = next
    }
}
