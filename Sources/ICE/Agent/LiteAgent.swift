package import Wire

/// The server's side of ICE for one session (RFC 8445 §2.5, lite): it answers checks, keeps the
/// paths on which the peer has proved itself, and says where media goes.
///
///     waiting ── handshakeFinished ──▶ connected ── 30 s of silence ──▶ ended
///        └──────────── 15 s ──────────────────────────────────────────────┘
///
/// It gathers nothing and opens nothing: the candidates of the peer are ignored, the peer comes.
/// The one check it sends goes to an address that media is about to move to, because an authentic
/// request does not prove where its sender is.
package struct LiteAgent: Sendable {
    /// A peer that has not finished DTLS by then is not coming.
    package static let connectLimit = Interval.seconds(15)
    /// RFC 7675 §5.1. FFmpeg sends no check once it is connected, so any authentic packet counts.
    package static let silenceLimit = Interval.seconds(30)
    /// Long enough for a change of network, short enough for a crashed publisher to return.
    package static let staleAfter = Interval.seconds(10)
    /// Browsers with three interfaces and two addresses of ours make a dozen.
    static let pathLimit = 16
    /// An authentic flood is still a flood. Browsers begin with 20 checks a second and pair.
    static let answersPerSecond = 200

    var generation: ICEGeneration
    /// Waits for its first request after a restart was asked for.
    var nextGeneration: ICEGeneration?
    var transactions: TransactionSource
    let tieBreaker: UInt64
    var paths: [Path] = []
    var selectedIndex: Int?
    var validation: Validation?
    private var replay = ReplayMemory()
    private let begun: Instant
    private var lastHeard: Instant
    var isConnected = false
    private var isStale = false
    private(set) var hasEnded = false
    private var answerWindow = Instant.start
    private var answersInWindow = 0

    /// - Parameters:
    ///   - local: From a ticket, as they stand in our answer.
    ///   - remote: As they stand in the offer.
    ///   - secret: At least 16 random bytes of this session.
    package init(
        local: ICECredentials, remote: ICECredentials, secret: RawSpan, at now: Instant
    ) {
        generation = ICEGeneration(0, local: local, remote: remote)
        transactions = TransactionSource(secret: secret)
        tieBreaker = transactions.next().low
        begun = now
        lastHeard = now
    }

    /// Where media goes; `nil` before the first nomination.
    package var selected: Path? { selectedIndex.map { paths[$0] } }

    /// Whether the peer has proved itself there: DTLS and SRTP from elsewhere are not looked at.
    package func knows(_ route: Route) -> Bool { index(of: route) != nil }

    package func path(_ route: Route) -> Path? { index(of: route).map { paths[$0] } }

    var selectedRoute: Route? { selectedIndex.map { paths[$0].route } }

    /// A STUN message for this session.
    package mutating func receive(
        _ datagram: RawSpan, on route: Route, at now: Instant, into out: inout ICEOutput
    ) {
        guard !hasEnded, let message = try? STUNMessage(datagram),
            message.method == STUNMessage.binding
        else { return }
        switch message.kind {
        case .request: request(message, datagram, on: route, at: now, into: &out)
        case .success: answered(message, datagram, on: route, at: now, into: &out)
        case .error, .indication: break
        }
    }

    /// Part of a handshake came there, which may not be the peer's: it proves nothing, but whoever
    /// sent it has paid for an answer.
    mutating func received(_ count: Int, at index: Int) {
        if !paths[index].isValidated { paths[index].bytesIn += count }
    }

    /// Something else that proved authentic came there: SRTP, SRTCP, DTLS application data.
    ///
    /// - Parameter isNewest: It is ahead of all media before it. One that the network delayed says
    ///   where the peer was, not where it is.
    /// - Returns: False when the route is not one of the session's: drop the packet.
    @discardableResult
    package mutating func heard(
        _ count: Int, on route: Route, isNewest: Bool, at now: Instant, into out: inout ICEOutput
    ) -> Bool {
        guard let index = index(of: route) else { return false }
        heard(count, at: index, isNewest: isNewest, at: now, into: &out)
        return true
    }

    /// The same, for who has looked the route up.
    mutating func heard(
        _ count: Int, at index: Int, isNewest: Bool, at now: Instant, into out: inout ICEOutput
    ) {
        guard !hasEnded else { return }
        let silence = selectedIndex.map { now - paths[$0].lastHeard }
        paths[index].bytesIn += count
        paths[index].lastHeard = now
        alive(at: now, into: &out)
        if isNewest, index != selectedIndex, let silence, silence >= Self.mediaMoveAfter {
            select(index, at: now, into: &out)
        }
    }

    /// DTLS is done: our part of it was sent there only, so the peer is there.
    package mutating func handshakeFinished(
        on route: Route, at now: Instant, into out: inout ICEOutput
    ) {
        guard !hasEnded, let index = index(of: route) else { return }
        isConnected = true
        alive(at: now, into: &out)
        validated(index, at: now, into: &out)
        if selected?.isValidated == true { validation = nil }
        // A peer that never nominates has still chosen.
        if selectedIndex == nil { select(index, at: now, into: &out) }
    }

    /// An RTCP report echoed a sender report that was sent there only.
    package mutating func echoed(
        on route: Route, at now: Instant, into out: inout ICEOutput
    ) {
        guard !hasEnded, let index = index(of: route) else { return }
        validated(index, at: now, into: &out)
    }

    /// Whether `count` bytes may be sent there now; they are counted when they may.
    package mutating func admitSending(_ count: Int, on route: Route) -> Bool {
        guard let index = index(of: route), paths[index].allowance >= count else { return false }
        if !paths[index].isValidated { paths[index].bytesOutUnvalidated += count }
        return true
    }

    /// The peer asked for an ICE restart and gets these credentials. Old paths and old credentials
    /// serve until the first request with the new ones; media and keys never notice.
    package mutating func restart(local: ICECredentials, remote: ICECredentials) {
        nextGeneration = ICEGeneration(generation.number + 1, local: local, remote: remote)
    }

    /// An ICE-TCP connection is gone.
    package mutating func closed(
        connection: UInt32, at now: Instant, into out: inout ICEOutput
    ) {
        guard let index = paths.firstIndex(where: { $0.route.connection == connection }) else {
            return
        }
        remove(index)
        guard selectedIndex == nil, !hasEnded else { return }
        // Another path that the peer still uses takes over; else the session waits for one.
        let best = paths.indices.filter { paths[$0].isNominated }
            .max { paths[$0].lastHeard < paths[$1].lastHeard }
        if let best { select(best, at: now, into: &out) }
    }

    /// When `expire` wants to be called.
    package var deadline: Instant {
        guard !hasEnded else { return .distantFuture }
        var next = isConnected ? lastHeard + Self.silenceLimit : begun + Self.connectLimit
        if isConnected && !isStale { next = min(next, lastHeard + Self.staleAfter) }
        if let validation { next = min(next, validation.nextCheck) }
        return next
    }

    package mutating func expire(at now: Instant, into out: inout ICEOutput) {
        guard !hasEnded else { return }
        if !isConnected, now >= begun + Self.connectLimit {
            end(.neverConnected, into: &out)
        } else if isConnected, now >= lastHeard + Self.silenceLimit {
            end(.silent, into: &out)
        } else {
            if isConnected, !isStale, now >= lastHeard + Self.staleAfter {
                isStale = true
                out.append(.stale)
            }
            continueValidation(at: now, into: &out)
        }
    }

    private mutating func end(_ reason: ICEOutput.Reason, into out: inout ICEOutput) {
        hasEnded = true
        validation = nil
        out.append(.ended(reason))
    }

    private mutating func request(
        _ message: STUNMessage, _ datagram: RawSpan, on route: Route, at now: Instant,
        into out: inout ICEOutput
    ) {
        if let next = nextGeneration, next.accepts(message, datagram) {
            generation = next
            nextGeneration = nil
            out.append(.restarted)
        } else if !generation.accepts(message, datagram) {
            return
        }
        // Behind the proof: a stranger's flood must not use up the answers of the peer.
        guard mayAnswer(at: now) else { return }
        let size = datagram.byteCount
        guard message.unknownCount == 0 else {
            generation.refuse(420, message, size, on: route, into: &out)
            return
        }
        // Both sides cannot be controlled, and a lite agent must be (RFC 8445 §6.1.1).
        guard message.controlled == nil else {
            generation.refuse(487, message, size, on: route, into: &out)
            return
        }
        let before = out.bytes.count
        generation.answer(message, size, on: route, into: &out)
        // One that was seen is a repetition or a replay: it gets its answer and changes nothing.
        guard replay.isFresh(message.transaction) else { return }
        alive(at: now, into: &out)
        let index = learn(route, at: now)
        let silence = selectedIndex.map { now - paths[$0].lastHeard }
        paths[index].note(message, size, generation.number, at: now)
        if !paths[index].isValidated {
            paths[index].bytesOutUnvalidated += out.bytes.count - before
        }
        if message.usesCandidate {
            nominated(index, silence: silence ?? .zero, at: now, into: &out)
        }
    }

    private mutating func mayAnswer(at now: Instant) -> Bool {
        if now - answerWindow >= .seconds(1) {
            answerWindow = now
            answersInWindow = 0
        }
        answersInWindow += 1
        return answersInWindow <= Self.answersPerSecond
    }

    mutating func alive(at now: Instant, into out: inout ICEOutput) {
        lastHeard = now
        guard isStale else { return }
        isStale = false
        out.append(.recovered)
    }
}
