import Wire

/// Requests of ours that wait for an answer (RFC 3261 §17.1), with shorter patience than SIP's own.
struct GBPending: Sendable {
    enum Purpose: Equatable, Sendable {
        case message(device: String)
        case invite(GBChannelID)
        case bye
    }

    static let firstRepeat = Interval.milliseconds(500)
    static let longestRepeat = Interval.seconds(4)
    static let messagePatience = Interval.seconds(8)
    static let invitePatience = Interval.seconds(18)
    static let byePatience = Interval.seconds(4)

    var purpose: Purpose
    var bytes: [UInt8]
    var route: GBRoute
    var wait = GBPending.firstRepeat
    /// TCP repeats nothing.
    var repeatAt: Instant
    var until: Instant
    /// A provisional answer came.
    var isProceeding = false
    /// Nobody wants the answer any more; if it comes, the camera is told.
    var isOver = false

    /// RFC 3261 timer B: later nothing comes.
    static let latePatience = Interval.seconds(14)

    mutating func giveUp(at now: Instant) {
        isOver = true
        repeatAt = .distantFuture
        until = now + Self.latePatience
    }
}

/// Answers that were given, for those who did not hear them: a request that comes again is answered
/// again and not done again.
struct GBAnswered: Sendable {
    /// Timer F of RFC 3261.
    static let life = Interval.seconds(32)
    /// 5,000 devices that each say something twice a minute leave 6,000 of them.
    static let maximum = 16_384
    /// With its key. Honest ones have 600 bytes; a longer one is not worth the memory, and what it
    /// answers is done again.
    static let bytesMaximum = 2048

    private var answers: [String: [UInt8]] = [:]
    private var order: [(key: String, at: Instant)] = []
    private var first = 0

    /// Old cameras have one branch for everything, or none.
    static func key(_ message: SIPMessage, _ peer: Address) -> String {
        let sequence = message.cSeq?.number ?? 0
        return
            "\(message.method) \(sequence) \(message.callID) \(message.via?.branch ?? "") \(peer)"
    }

    func answer(_ key: String) -> [UInt8]? { answers[key] }

    mutating func note(_ key: String, _ bytes: [UInt8], at now: Instant) {
        guard key.utf8.count + bytes.count <= Self.bytesMaximum else { return }
        if answers[key] == nil { order.append((key, now)) }
        answers[key] = bytes
        expire(at: now)
    }

    mutating func expire(at now: Instant) {
        while first < order.count,
            order.count - first > Self.maximum || now - order[first].at >= Self.life
        {
            answers[order[first].key] = nil
            first += 1
        }
        if first > 1024, first * 2 > order.count {
            order.removeSubrange(..<first)
            first = 0
        }
    }

    var isEmpty: Bool { first == order.count }
}
