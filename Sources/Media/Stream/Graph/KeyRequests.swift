import Wire

/// Joins the wishes of all viewers for a key frame into at most one request per 500 ms.
struct KeyRequests {
    /// A key frame costs several times its picture's share: more often would eat the rate that is
    /// needed to repair what made us ask.
    static let interval = Interval.milliseconds(500)

    private var lastSent: Instant?
    private var isWanted = false

    /// - Returns: True if the request goes out now.
    mutating func want(at now: Instant) -> Bool {
        isWanted = true
        return expire(at: now)
    }

    /// A key frame that began after the wish fulfils it.
    mutating func keyArrived() { isWanted = false }

    var deadline: Instant? {
        guard isWanted else { return nil }
        return lastSent.map { $0 + Self.interval } ?? .start
    }

    /// - Returns: True if a wish that had to wait goes out now. It stays open until a key frame
    ///   comes: a lost request is asked again.
    mutating func expire(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        lastSent = now
        return true
    }
}
