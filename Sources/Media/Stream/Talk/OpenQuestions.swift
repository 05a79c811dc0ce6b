package import Wire

/// The questions a session has open: a small table with a bound and a deadline, so that an answer
/// that is late, doubled or never comes finds a session that knows what to do.
package struct OpenQuestions: Sendable {
    /// A session with more questions open than this is being used to ask for somebody else.
    package static let maximum = 8

    private struct Entry {
        var id: QuestionID
        var deadline: Instant
    }

    private var entries: [Entry] = []
    private var nextID: QuestionID = 1

    package init() {}

    package var count: Int { entries.count }

    /// - Returns: The id to ask with; nil when eight are open: the session ends.
    package mutating func open(until deadline: Instant) -> QuestionID? {
        guard entries.count < Self.maximum else { return nil }
        defer { nextID &+= 1 }
        entries.append(Entry(id: nextID, deadline: deadline))
        return nextID
    }

    /// - Returns: False for an answer nobody waits for any more.
    package mutating func close(_ id: QuestionID) -> Bool {
        guard let index = entries.firstIndex(where: { $0.id == id }) else { return false }
        entries.remove(at: index)
        return true
    }

    package var deadline: Instant { entries.map(\.deadline).min() ?? .distantFuture }

    /// One question whose time is over; call until nil.
    package mutating func expire(at now: Instant) -> QuestionID? {
        guard let index = entries.firstIndex(where: { $0.deadline <= now }) else { return nil }
        return entries.remove(at: index).id
    }
}
