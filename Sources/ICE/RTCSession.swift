package import Crypto
import RTP
package import Stream
package import Wire

/// One WebRTC peer: ICE, DTLS, SRTP and what follows from RTP and RTCP, behind one façade without
/// a socket. It receives for publishers, and hears the feedback of viewers; media towards viewers
/// is the fan-out's, with the keys of this session.
///
///     connecting ── DTLS done ──▶ connected ── goodbye, silence, fault ──▶ closed(cause)
///          └──────────────────────────────────────────────────────────────────┘
package final class RTCSession {
    package enum State: Equatable, Sendable {
        case connecting
        case connected
        case closed(Cause)
    }

    package enum Cause: Equatable, Sendable {
        case ice(ICEOutput.Reason)
        case dtls(DTLSSession.End)
        case refused(Refusal)
        case ended(EndReason)
    }

    /// Counted, never answered: what nobody authenticated changes nothing.
    package struct Figures: Equatable, Sendable {
        package internal(set) var packets = 0
        package internal(set) var controls = 0
        package internal(set) var unknown = 0
        package internal(set) var offPath = 0
        package internal(set) var forged = 0
        package internal(set) var replayed = 0
        package internal(set) var keyRequests = 0
    }

    /// The keys of both directions, in the worker's table.
    struct Keys { var sending: SRTPKey, receiving: SRTPKey }

    let purpose: RTCPurpose
    let negotiated: NegotiatedSession
    package internal(set) var state = State.connecting
    package internal(set) var figures = Figures()
    var agent: LiteAgent
    var dtls: DTLSSession
    var dtlsOutput = DTLSOutput()
    /// Where the peer's last handshake datagram came from: its next flight goes there.
    var dtlsRoute: Route?
    var hasStarted = false
    /// What the handshake took is given back then at the latest; see `release`.
    var releaseAt: Instant?
    /// Part of our last flight was more than its path allowed.
    var isFlightHeld = false
    /// What may be sent before the peer has sent as much, see `flushDTLS`.
    var credit: Int
    var keys: Keys?
    var receiver = SRTPReceiver()
    var incoming: IncomingMedia
    var channels: SessionChannels?
    var hasName = false
    var questions = OpenQuestions()
    var controlIndex: UInt32 = 0
    /// A viewer's clock, to be answered with how long we had it.
    var peerClock: (ssrc: UInt32, middle: UInt32, at: Instant)?
    var lastFullIntra: (media: UInt32, sequence: UInt8)?
    var control = ControlPacket()

    /// The gate's answer to a claim takes no longer, or the session ends.
    static let answerLimit = Interval.seconds(10)
    /// An offer is larger, and came by TCP. FFmpeg lets us begin the handshake, is silent until we
    /// do, and answers no check: three ClientHellos can still get lost.
    package static let offerCredit = 800
    /// A publisher that ends its last source may go on with another: encoders begin anew.
    static let byeGrace = Interval.seconds(2)

    /// - Parameter dice: Secrets of this session: SSRC and ICE transaction ids come from it.
    package init(
        _ negotiated: NegotiatedSession, for purpose: RTCPurpose, context: DTLSContext,
        dice: inout SplitMix64, at now: Instant
    ) {
        self.negotiated = negotiated
        self.purpose = purpose
        var secret: [UInt8] = []
        for _ in 0..<4 {
            let word = dice.next()
            for shift in 0..<8 { secret.append(UInt8(truncatingIfNeeded: word >> (8 * shift))) }
        }
        agent = LiteAgent(
            local: negotiated.local, remote: negotiated.remote, secret: secret.raw, at: now)
        dtls = DTLSSession(
            negotiated.dtls == .server ? .server : .client, context: context,
            peer: negotiated.fingerprints, at: now)
        if negotiated.channel != nil {
            channels = SessionChannels(isDTLSClient: negotiated.dtls == .client)
        }
        credit = negotiated.dtls == .client ? Self.offerCredit : 0
        incoming = IncomingMedia(negotiated, ssrc: UInt32(truncatingIfNeeded: dice.next()) | 1)
    }

    package var selected: Path? { agent.selected }
    package func knows(_ route: Route) -> Bool { agent.knows(route) }
    package var roundTrip: Interval? { incoming.roundTrip ?? agent.selected?.roundTrip }

    /// For the fan-out: what goes to this peer is protected with it.
    package var sendingKey: SRTPKey? { keys?.sending }

    /// Each index of outgoing SRTCP is given once, whoever writes the packet (RFC 3711 §9.1).
    package func takeControlIndex() -> UInt32? {
        guard controlIndex < CryptoEngine.rtcpIndexMaximum else { return nil }
        controlIndex += 1
        return controlIndex
    }

    /// Whether so many bytes may go there now: unvalidated paths get three times what came.
    package func admitSending(_ count: Int, on route: Route) -> Bool {
        agent.admitSending(count, on: route)
    }

    package func restart(local: ICECredentials, remote: ICECredentials) {
        agent.restart(local: local, remote: remote)
    }

    package var deadline: Instant {
        guard !isClosed else { return .distantFuture }
        var next = min(agent.deadline, questions.deadline)
        if let handshake = dtls.deadline { next = min(next, handshake) }
        if let releaseAt { next = min(next, releaseAt) }
        guard hasName else { return next }
        next = min(next, incoming.deadline)
        if let since = incoming.silentSince { next = min(next, since + Self.byeGrace) }
        return next
    }

    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// The deadline has passed.
    package func expire(
        at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        guard !isClosed else { return }
        if agent.deadline <= now {
            agent.expire(at: now, into: &out.ice)
            takeICE(at: now, engine: &engine, into: &out, effects: &effects)
        }
        guard !isClosed else { return }
        if let due = dtls.deadline, due <= now {
            dtls.expire(at: now, into: &dtlsOutput)
            takeDTLS(at: now, engine: &engine, into: &out, effects: &effects)
        }
        if let due = releaseAt, due <= now { release() }
        if questions.expire(at: now) != nil {
            let refusal = Refusal(.timeout, "nobody decided in time whether this is allowed")
            finish(.refused(refusal), at: now, engine: &engine, into: &out, effects: &effects)
        }
        if hasName, let since = incoming.silentSince, since + Self.byeGrace <= now {
            finish(.ended(.done), at: now, engine: &engine, into: &out, effects: &effects)
        }
        sendReports(at: now, engine: &engine, into: &out, effects: &effects)
    }

    /// An answer to a question of this session.
    package func answer(
        _ answer: Answer, to id: QuestionID, at now: Instant, engine: inout CryptoEngine,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed, questions.close(id) else { return }
        switch answer {
        case .published: hasName = true
        case .refused(let refusal):
            finish(.refused(refusal), at: now, engine: &engine, into: &out, effects: &effects)
        case .allowed, .subscribed, .lines: break
        }
    }

    /// Something that it did not ask for.
    package func notice(
        _ notice: Notice, at now: Instant, engine: inout CryptoEngine,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed else { return }
        switch notice {
        case .keyWanted(_, let slot, let layer):
            if let index = incoming.encoding(slot, layer: layer) { incoming.wantKey(index) }
            sendReports(at: now, engine: &engine, into: &out, effects: &effects)
        case .ended(_, let reason):
            close(reason, at: now, engine: &engine, into: &out, effects: &effects)
        case .demand(_, let slot, let bits, let layer):
            incoming.demand(slot, bits: bits, highestLayer: layer)
        case .changed: break
        }
    }

    /// Says goodbye and is over: BYE and close_notify.
    package func close(
        _ reason: EndReason, at now: Instant, engine: inout CryptoEngine,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        guard !isClosed else { return }
        finish(.ended(reason), at: now, engine: &engine, into: &out, effects: &effects)
    }

    /// An RTCP report echoed a sender report that went to this route only.
    package func echoed(
        on route: Route, at now: Instant, engine: inout CryptoEngine, into out: inout RTCOutput,
        effects: inout Effects
    ) {
        agent.echoed(on: route, at: now, into: &out.ice)
        takeICE(at: now, engine: &engine, into: &out, effects: &effects)
    }

    /// An ICE-TCP connection is gone: media goes by another path, if there is one.
    package func closed(
        connection: UInt32, at now: Instant, engine: inout CryptoEngine,
        into out: inout RTCOutput, effects: inout Effects
    ) {
        agent.closed(connection: connection, at: now, into: &out.ice)
        takeICE(at: now, engine: &engine, into: &out, effects: &effects)
    }

    /// Sends an SCTP packet through the tunnel. False: not open, or too large.
    package func send(
        sctp packet: RawSpan, at now: Instant, into out: inout RTCOutput
    ) -> Bool {
        guard negotiated.channel != nil, !isClosed else { return false }
        let isTaken = dtls.send(packet, into: &dtlsOutput)
        flushDTLS(at: now, into: &out)
        return isTaken
    }
}
