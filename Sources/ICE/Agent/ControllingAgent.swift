package import Wire

/// The client's side of ICE: a full agent with host candidates that controls (RFC 8445). It drives
/// our tests, the bench, and pulls from other servers.
///
///     checking ── a pair answers USE-CANDIDATE ──▶ connected ── 30 s without consent ──▶ ended
///        └──────────── 15 s, or every pair failed ────────────────────────────────────────┘
///
/// It asks no STUN server and no TURN server: the other side is reachable, or answers from where
/// our packets arrive.
package struct ControllingAgent: Sendable {
    /// A candidate of the other side.
    package struct Remote: Equatable, Sendable {
        package var address: Address
        package var priority: UInt32
        package var isTCP: Bool

        package init(address: Address, priority: UInt32, isTCP: Bool = false) {
            self.address = address
            self.priority = priority
            self.isTCP = isTCP
        }
    }

    package static let connectLimit = Interval.seconds(15)
    /// Consent (RFC 7675 §5.1): asked for every 5 s, give or take a fifth; gone after 30 s.
    package static let consentLimit = Interval.seconds(30)
    static let consentInterval = Interval.seconds(5)
    static let consentRetry = Interval.milliseconds(500)
    /// Checks of different pairs leave this far apart (§14.2 allows 5 ms).
    static let pacing = Interval.milliseconds(20)
    /// A worse pair that works is not taken while a better one may still answer.
    static let betterPairWait = Interval.milliseconds(300)
    /// TCP is tried when UDP has not answered by then.
    static let tcpDelay = Interval.milliseconds(400)
    static let pairLimit = 64

    var generation: ICEGeneration
    let remoteIsLite: Bool
    var transactions: TransactionSource
    let tieBreaker: UInt64
    private let hosts: [Address]
    private var unconnected: [Remote] = []
    var pairs: [CandidatePair] = []
    var selectedIndex: Int?
    private var random: SplitMix64
    private var begun: Instant
    /// Connections were asked for: one of them may still open.
    private var isOpening = false
    var nextPaced: Instant
    var firstSuccess: Instant?
    var lastConsent: Instant
    var consentRetry = ControllingAgent.consentRetry
    var nextConsent = Instant.distantFuture
    private var hasEnded = false

    /// - Parameters:
    ///   - remoteIsLite: The answer says `a=ice-lite`.
    ///   - hosts: Our addresses, best first.
    ///   - secret: At least 16 random bytes. - Parameter seed: Spreads the consent checks.
    package init(
        local: ICECredentials, remote: ICECredentials, remoteIsLite: Bool, hosts: [Address],
        candidates: [Remote], secret: RawSpan, seed: UInt64, at now: Instant
    ) {
        generation = ICEGeneration(0, local: local, remote: remote)
        self.remoteIsLite = remoteIsLite
        self.hosts = hosts
        transactions = TransactionSource(secret: secret)
        tieBreaker = transactions.next().low
        random = SplitMix64(seed: seed)
        begun = now
        nextPaced = now
        lastConsent = now
        makePairs(candidates)
    }

    /// Where to send; `nil` until connected.
    package var selected: Route? { selectedIndex.map { pairs[$0].route } }
    package var roundTrip: Interval? { selectedIndex.flatMap { pairs[$0].roundTrip } }

    /// New credentials on both sides; the old pair carries media until a new one is nominated.
    package mutating func restart(
        local: ICECredentials, remote: ICECredentials, candidates: [Remote], at now: Instant
    ) {
        generation = ICEGeneration(generation.number + 1, local: local, remote: remote)
        let old = selectedIndex.map { pairs[$0] }
        pairs = []
        selectedIndex = nil
        makePairs(candidates)
        if var old {
            old.state = .succeeded
            old.sent = []
            old.isNominating = false
            pairs.append(old)
            selectedIndex = pairs.count - 1
        }
        begun = now
        nextPaced = now
        firstSuccess = nil
        lastConsent = now
    }

    private mutating func makePairs(_ candidates: [Remote]) {
        unconnected = candidates.filter { $0.isTCP }
        for remote in candidates where !remote.isTCP {
            for (rank, host) in hosts.enumerated()
            where host.isIPv4 == remote.address.isIPv4 && pairs.count < Self.pairLimit {
                let route = Route(remote: remote.address, local: host)
                let local = CandidatePriority.udpHost(rank: rank)
                pairs.append(CandidatePair(route, local: local, remote: remote.priority))
            }
        }
        pairs.sort { $0.priority > $1.priority }
    }

    /// A connection that `.connect` asked for is open.
    package mutating func connected(_ route: Route, at now: Instant) {
        guard pairs.count < Self.pairLimit else { return }
        let priority = CandidatePriority.tcpHost(rank: 0)
        pairs.append(CandidatePair(route, local: priority, remote: priority))
    }

    package mutating func closed(connection: UInt32) {
        for index in pairs.indices where pairs[index].route.connection == connection {
            pairs[index].state = .failed
            if selectedIndex == index { selectedIndex = nil }
        }
    }

    package mutating func receive(
        _ datagram: RawSpan, on route: Route, at now: Instant, into out: inout ICEOutput
    ) {
        guard !hasEnded, let message = try? STUNMessage(datagram),
            message.method == STUNMessage.binding
        else { return }
        switch message.kind {
        case .request: request(message, datagram, on: route, into: &out)
        case .success: success(message, datagram, on: route, at: now, into: &out)
        case .error: error(message, datagram, on: route)
        case .indication: break
        }
    }

    private mutating func request(
        _ message: STUNMessage, _ datagram: RawSpan, on route: Route, into out: inout ICEOutput
    ) {
        guard generation.accepts(message, datagram) else { return }
        guard message.unknownCount == 0 else {
            generation.refuse(420, message, datagram.byteCount, on: route, into: &out)
            return
        }
        // We made the offer, so we control (§6.1.1); who thinks otherwise must change.
        guard message.controlling == nil else {
            generation.refuse(487, message, datagram.byteCount, on: route, into: &out)
            return
        }
        generation.answer(message, datagram.byteCount, on: route, into: &out)
        // A full agent may reach us from where no candidate said it would.
        if !pairs.contains(where: { $0.route == route }), pairs.count < Self.pairLimit {
            let local = CandidatePriority.udpHost(rank: 0)
            pairs.append(CandidatePair(route, local: local, remote: message.priority ?? 0))
        }
    }

    private mutating func success(
        _ message: STUNMessage, _ datagram: RawSpan, on route: Route, at now: Instant,
        into out: inout ICEOutput
    ) {
        guard let index = pairs.firstIndex(where: { $0.route == route }),
            let sent = pairs[index].sent.first(where: { $0.transaction == message.transaction }),
            message.isAuthentic(datagram, key: generation.remoteKey)
        else { return }
        pairs[index].roundTrip = now - sent.at
        pairs[index].sent.removeAll { $0.transaction == message.transaction }
        pairs[index].state = .succeeded
        if firstSuccess == nil { firstSuccess = now }
        if index == selectedIndex { consented(at: now) }
        guard sent.nominates, index != selectedIndex else { return }
        selectedIndex = index
        consented(at: now)
        out.append(.selected(route))
    }

    /// 487 and all the others: this pair does not work with what we sent.
    private mutating func error(_ message: STUNMessage, _ datagram: RawSpan, on route: Route) {
        guard let index = pairs.firstIndex(where: { $0.route == route }), index != selectedIndex,
            pairs[index].sent.contains(where: { $0.transaction == message.transaction }),
            message.isAuthentic(datagram, key: generation.remoteKey)
        else { return }
        pairs[index].state = .failed
    }

    package var deadline: Instant {
        guard !hasEnded else { return .distantFuture }
        var next = selectedIndex == nil ? begun + Self.connectLimit : .distantFuture
        if selectedIndex != nil { next = min(nextConsent, lastConsent + Self.consentLimit) }
        if let check = nextCheck { next = min(next, check) }
        if selectedIndex == nil, !unconnected.isEmpty { next = min(next, begun + Self.tcpDelay) }
        if let nomination = nominationDue { next = min(next, nomination) }
        return next
    }

    package mutating func expire(at now: Instant, into out: inout ICEOutput) {
        guard !hasEnded else { return }
        if selectedIndex != nil, now >= lastConsent + Self.consentLimit {
            end(.silent, into: &out)
        } else if selectedIndex == nil, now >= begun + Self.connectLimit {
            end(.neverConnected, into: &out)
        } else if hasNoHope {
            end(.noPath, into: &out)
        } else {
            nominate(at: now)
            sendChecks(at: now, into: &out)
            askConsent(at: now, into: &out)
            openConnections(at: now, into: &out)
        }
    }

    private mutating func end(_ reason: ICEOutput.Reason, into out: inout ICEOutput) {
        hasEnded = true
        out.append(.ended(reason))
    }

    private var hasNoHope: Bool {
        selectedIndex == nil && unconnected.isEmpty && !isOpening
            && pairs.allSatisfy { $0.state == .failed }
    }

    private mutating func openConnections(at now: Instant, into out: inout ICEOutput) {
        guard selectedIndex == nil, now >= begun + Self.tcpDelay else { return }
        for remote in unconnected { out.append(.connect(remote.address)) }
        isOpening = !unconnected.isEmpty || isOpening
        unconnected = []
    }

    mutating func jittered(_ interval: Interval) -> Interval {
        let percent = Int64(80 + random.next() % 41)
        return interval * percent / 100
    }
}
