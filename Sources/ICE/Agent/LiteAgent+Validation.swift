import Wire

/// The proof that the peer is where its requests claim to come from.
extension LiteAgent {
    /// Our own checks towards the path that media has moved to.
    struct Validation: Sendable {
        let route: Route
        /// The last validated path: media returns there if the new one stays without proof.
        let fallback: Route?
        let begun: Instant
        var nextCheck: Instant
        var interval = Validation.firstInterval
        /// The last checks; an answer to any of them will do.
        var sent: [(transaction: TransactionID, at: Instant)] = []

        static let firstInterval = Interval.milliseconds(100)
        static let lastInterval = Interval.seconds(2)
        static let sentLimit = 4
        /// A path that has not answered by then is given up if there is another.
        static let limit = Interval.seconds(5)

        init(route: Route, fallback: Route?, at now: Instant) {
            self.route = route
            self.fallback = fallback
            begun = now
            nextCheck = now
        }
    }

    /// What is to go there is more than may go there yet: asks the peer to show itself. Browsers
    /// answer; the checks themselves count as well.
    mutating func prove(_ route: Route, at now: Instant, into out: inout ICEOutput) {
        guard !hasEnded, validation == nil, path(route)?.isValidated == false else { return }
        validation = Validation(route: route, fallback: nil, at: now)
        continueValidation(at: now, into: &out)
    }

    mutating func continueValidation(at now: Instant, into out: inout ICEOutput) {
        guard var validation, now >= validation.nextCheck else { return }
        if now - validation.begun >= Validation.limit, let fallback = validation.fallback,
            let index = index(of: fallback), now - paths[index].lastHeard < Validation.limit
        {
            self.validation = nil
            select(index, at: now, into: &out)
            return
        }
        let id = transactions.next()
        if validation.sent.count == Validation.sentLimit { validation.sent.removeFirst() }
        if check(id, on: validation.route, into: &out) { validation.sent.append((id, now)) }
        validation.nextCheck = now + validation.interval
        validation.interval = min(validation.interval * 2, Validation.lastInterval)
        self.validation = validation
    }

    /// False when the path has no allowance left: the peer's next packet will give some.
    private mutating func check(
        _ id: TransactionID, on route: Route, into out: inout ICEOutput
    ) -> Bool {
        let start = out.bytes.count
        let builder = STUNBuilder(.request, id, into: &out.bytes)
        builder.username(generation.outgoingName.raw, into: &out.bytes)
        builder.priority(CandidatePriority.check, into: &out.bytes)
        builder.controlled(tieBreaker, into: &out.bytes)
        builder.finish(key: generation.remoteKey, into: &out.bytes)
        guard admitSending(out.bytes.count - start, on: route) else {
            out.bytes.removeLast(out.bytes.count - start)
            return false
        }
        out.send(route, from: start)
        return true
    }

    /// An answer counts only from where the check went, signed with the peer's password.
    mutating func answered(
        _ message: STUNMessage, _ datagram: RawSpan, on route: Route, at now: Instant,
        into out: inout ICEOutput
    ) {
        guard let validation, validation.route == route, let index = index(of: route),
            let sent = validation.sent.first(where: { $0.transaction == message.transaction }),
            message.isAuthentic(datagram, key: generation.remoteKey)
        else { return }
        paths[index].bytesIn += datagram.byteCount
        paths[index].lastHeard = now
        paths[index].roundTrip = now - sent.at
        validated(index, at: now, into: &out)
    }

    mutating func validated(_ index: Int, at now: Instant, into out: inout ICEOutput) {
        if validation?.route == paths[index].route { validation = nil }
        guard !paths[index].isValidated else { return }
        paths[index].isValidated = true
        out.append(.validated(paths[index].route))
    }
}
