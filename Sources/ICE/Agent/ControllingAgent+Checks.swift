import Wire

/// Checks, nomination and consent.
extension ControllingAgent {
    /// The pair that is not the carrier yet and is being nominated.
    private var isNominating: Bool {
        pairs.indices.contains {
            $0 != selectedIndex && pairs[$0].isNominating && pairs[$0].state == .checking
        }
    }

    /// Whether the carrier belongs to the credentials that hold now.
    private var needsNomination: Bool {
        guard let selectedIndex else { return true }
        return !pairs[selectedIndex].isNominating
    }

    /// When the best pair that works is to be nominated; `nil`: nothing to nominate.
    var nominationDue: Instant? {
        guard needsNomination, !isNominating, let firstSuccess,
            let best = candidateForNomination
        else { return nil }
        let hasBetter = pairs.contains {
            $0.priority > pairs[best].priority && ($0.state == .waiting || $0.state == .checking)
        }
        return hasBetter ? firstSuccess + Self.betterPairWait : firstSuccess
    }

    private var candidateForNomination: Int? {
        pairs.indices.filter { pairs[$0].state == .succeeded && $0 != selectedIndex }
            .max { pairs[$0].priority < pairs[$1].priority }
    }

    mutating func nominate(at now: Instant) {
        guard let due = nominationDue, now >= due, let best = candidateForNomination else { return }
        pairs[best].begin(at: now, nominating: true)
    }

    var nextCheck: Instant? {
        var next: Instant?
        for pair in pairs {
            switch pair.state {
            case .waiting: next = min(next ?? nextPaced, nextPaced)
            case .checking: next = min(next ?? pair.nextCheck, pair.nextCheck)
            case .succeeded, .failed: break
            }
        }
        return next
    }

    mutating func sendChecks(at now: Instant, into out: inout ICEOutput) {
        if now >= nextPaced, let first = pairs.firstIndex(where: { $0.state == .waiting }) {
            pairs[first].begin(at: now, nominating: false)
            nextPaced = now + Self.pacing
        }
        for index in pairs.indices
        where pairs[index].state == .checking && now >= pairs[index].nextCheck {
            guard pairs[index].tries < CandidatePair.tryLimit else {
                pairs[index].state = .failed
                continue
            }
            send(index, at: now, into: &out)
        }
    }

    /// An answer to a consent check sets the next one an interval later; until it comes the check
    /// is repeated. While consent is missing for long, the other pairs are tried again: one of
    /// them may lead further.
    mutating func askConsent(at now: Instant, into out: inout ICEOutput) {
        guard let selectedIndex, now >= nextConsent else { return }
        nextConsent = now + consentRetry
        consentRetry = min(consentRetry * 2, Self.consentInterval)
        send(selectedIndex, at: now, into: &out)
        guard now - lastConsent > Self.consentInterval * 2 else { return }
        for index in pairs.indices where index != selectedIndex {
            pairs[index].begin(at: now, nominating: true)
        }
    }

    mutating func consented(at now: Instant) {
        lastConsent = now
        nextConsent = now + jittered(Self.consentInterval)
        consentRetry = Self.consentRetry
    }

    private mutating func send(_ index: Int, at now: Instant, into out: inout ICEOutput) {
        let id = transactions.next()
        let start = out.bytes.count
        let builder = STUNBuilder(.request, id, into: &out.bytes)
        builder.username(generation.outgoingName.raw, into: &out.bytes)
        builder.priority(CandidatePriority.check, into: &out.bytes)
        builder.controlling(tieBreaker, into: &out.bytes)
        if pairs[index].isNominating { builder.useCandidate(into: &out.bytes) }
        builder.finish(key: generation.remoteKey, into: &out.bytes)
        out.send(pairs[index].route, from: start)
        pairs[index].note(id, at: now)
    }
}
