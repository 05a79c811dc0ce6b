package import Wire

/// The last decisions taken for one viewer: what an operator asks when a picture was bad.
///
/// Thirty-two are an evening of an ordinary viewer and the last minute of a troubled one.
package struct Decisions: Sendable {
    package enum What: UInt8, Sendable {
        case joined, caughtUp, skippedToKey, skippedToNewest, switchedEncoding, askedForKey
        case paused, resumed, pathMoved, pathLost, repairRefused, repairMissing, playoutDelay,
            closed
    }

    package struct Entry: Equatable, Sendable {
        package var at: Instant
        package var what: What
        /// A number that goes with it: milliseconds behind, a sequence number, an encoding.
        package var detail: Int32
    }

    package static let capacity = 32

    private var entries: [Entry] = []
    private var next = 0
    /// Of all time, the overwritten ones too.
    package private(set) var total = 0

    package init() { entries.reserveCapacity(Self.capacity) }

    package mutating func note(_ what: What, _ detail: Int32 = 0, at now: Instant) {
        let entry = Entry(at: now, what: what, detail: detail)
        total += 1
        if entries.count < Self.capacity {
            entries.append(entry)
        } else {
            entries[next] = entry
            next = (next + 1) % Self.capacity
        }
    }

    /// Oldest first.
    package var all: [Entry] { Array(entries[next...] + entries[..<next]) }
}
