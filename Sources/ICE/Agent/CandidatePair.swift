import Wire

/// One pair of a controlling agent: a route, how far its checks are, and its place in the order.
struct CandidatePair: Sendable {
    enum State: Sendable { case waiting, checking, succeeded, failed }

    let route: Route
    /// RFC 8445 §6.1.2.3, for the controlling side.
    let priority: UInt64
    var state = State.waiting
    /// The last checks: an answer to any of them will do.
    var sent: [(transaction: TransactionID, at: Instant, nominates: Bool)] = []
    var tries = 0
    var nextCheck = Instant.start
    /// Its checks carry USE-CANDIDATE now.
    var isNominating = false
    var roundTrip: Interval?

    /// Enough for as long as there is to connect. Browsers check twice a second until something
    /// answers, too: a fifth of the packets lost on both ways must not cost seconds.
    static let tryLimit = 26
    static let firstInterval = Interval.milliseconds(200)
    static let longestInterval = Interval.milliseconds(500)
    static let sentLimit = 4

    init(_ route: Route, local: UInt32, remote: UInt32) {
        self.route = route
        let low = UInt64(min(local, remote))
        let high = UInt64(max(local, remote))
        priority = low << 32 + high << 1 + (local > remote ? 1 : 0)
    }

    mutating func begin(at now: Instant, nominating: Bool) {
        state = .checking
        tries = 0
        nextCheck = now
        isNominating = nominating
    }

    /// A check went out with this id.
    mutating func note(_ id: TransactionID, at now: Instant) {
        if sent.count == Self.sentLimit { sent.removeFirst() }
        sent.append((id, now, isNominating))
        nextCheck = now + min(Self.firstInterval * Int64(1 + tries), Self.longestInterval)
        tries += 1
    }
}
