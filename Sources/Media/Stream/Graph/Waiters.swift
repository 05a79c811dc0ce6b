package import Wire

/// Who waits for a publisher: joined into one start and one result, let go a few at a time.
package struct Waiters {
    /// numbers.md "Bounds".
    package static let maximum = 1_000
    package static let patienceMaximum = Interval.seconds(10)
    /// A join costs a handshake or a playlist: 1,000 at once would hold up the media of all.
    package static let releasedPerTurn = 50

    /// The worker's own number for a session and its question.
    package typealias ID = UInt64

    package enum Result: Equatable, Sendable {
        case ready
        case failed(Refusal)
    }

    private struct Entry {
        var id: ID
        var deadline: Instant
    }

    private var waiting: [Entry] = []
    private var released: [ID] = []
    private var releasedCount = 0
    private var result = Result.ready

    package init() {}

    package var count: Int { waiting.count + released.count - releasedCount }
    package var isEmpty: Bool { count == 0 }
    /// Released, and the next turn is for them.
    package var hasReleased: Bool { releasedCount < released.count }

    /// - Returns: False when the bound is reached: the caller refuses with `.tooMany`.
    package mutating func add(_ id: ID, patience: Interval, at now: Instant) -> Bool {
        guard count < Self.maximum else { return false }
        let deadline = now + min(patience, Self.patienceMaximum)
        waiting.append(Entry(id: id, deadline: deadline))
        return true
    }

    /// Its session is gone.
    package mutating func remove(_ id: ID) {
        waiting.removeAll { $0.id == id }
        if let index = released[releasedCount...].firstIndex(of: id) { released.remove(at: index) }
    }

    /// One result for all who wait now.
    package mutating func release(_ result: Result) {
        // Those of an earlier result who still queue hear the newer one: it is what is true now.
        self.result = result
        released.append(contentsOf: waiting.map(\.id))
        waiting.removeAll()
    }

    /// The next few of the released, in the order they came.
    package mutating func takeReleased(_ body: (ID, Result) -> Void) {
        let end = min(released.count, releasedCount + Self.releasedPerTurn)
        for id in released[releasedCount..<end] { body(id, result) }
        releasedCount = end
        if releasedCount == released.count {
            released.removeAll()
            releasedCount = 0
        }
    }

    package var deadline: Instant? { waiting.map(\.deadline).min() }

    /// One whose patience is over; call until nil.
    package mutating func expire(at now: Instant) -> ID? {
        guard let index = waiting.firstIndex(where: { $0.deadline <= now }) else { return nil }
        return waiting.remove(at: index).id
    }
}
