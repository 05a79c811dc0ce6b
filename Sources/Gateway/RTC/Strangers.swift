import ICE
import Wire

/// Senders that showed a ticket and have no session at this worker: it is not built yet, or it is
/// at another worker. Bounded in all and per session, and forgotten when they fall silent.
struct Strangers {
    enum Place: Equatable {
        /// Nobody has built the session: its first DTLS record from here does that.
        case waiting
        case at(worker: Int)
    }

    struct Entry {
        let slot: UInt32
        var place: Place
        /// The last request: shown to the session when there is one, so that it knows the path.
        var request: [UInt8]
        var heard: Instant
    }

    /// A browser has a path for each pair of its addresses and ours, mostly two or three.
    static let perSlot = 16
    /// Twice as many as may wait: a full table is an attack by many who have tickets.
    static let maximum = 4096
    /// A session that is not built by then is over.
    static let waitingLimit = LiteAgent.connectLimit
    /// As long as a session lives without a word; a check comes every few seconds.
    static let forwardedLimit = LiteAgent.silenceLimit
    private static let sweepInterval = Interval.seconds(5)

    private(set) var entries: [Route: Entry] = [:]
    private var bySlot: [UInt32: Int] = [:]
    private(set) var nextSweep = Instant.distantFuture

    subscript(route: Route) -> Entry? { entries[route] }

    /// - Returns: False if there is no room: it is not answered either.
    mutating func note(
        _ route: Route, slot: UInt32, _ place: Place, request: RawSpan, at now: Instant
    ) -> Bool {
        if let entry = entries[route], entry.slot != slot { remove(route) }
        if entries[route] == nil {
            guard entries.count < Self.maximum, bySlot[slot, default: 0] < Self.perSlot else {
                return false
            }
            bySlot[slot, default: 0] += 1
        }
        entries[route] = Entry(
            slot: slot, place: place, request: [UInt8](copying: request), heard: now)
        nextSweep = min(nextSweep, now + Self.sweepInterval)
        return true
    }

    mutating func heard(_ route: Route, at now: Instant) { entries[route]?.heard = now }

    mutating func move(_ route: Route, to worker: Int) {
        entries[route]?.place = .at(worker: worker)
    }

    /// Takes the paths of a session that is being built here.
    mutating func takeAll(of slot: UInt32) -> [(route: Route, request: [UInt8])] {
        guard bySlot[slot] != nil else { return [] }
        let own = entries.filter { $0.value.slot == slot }.sorted {
            $0.value.heard < $1.value.heard
        }
        for (route, _) in own { remove(route) }
        return own.map { ($0.key, $0.value.request) }
    }

    mutating func remove(_ route: Route) {
        guard let entry = entries.removeValue(forKey: route) else { return }
        let count = bySlot[entry.slot, default: 0]
        bySlot[entry.slot] = count > 1 ? count - 1 : nil
    }

    mutating func sweep(at now: Instant) {
        guard nextSweep <= now else { return }
        for (route, entry) in entries {
            let limit = entry.place == .waiting ? Self.waitingLimit : Self.forwardedLimit
            if now - entry.heard > limit { remove(route) }
        }
        nextSweep = entries.isEmpty ? .distantFuture : now + Self.sweepInterval
    }
}
