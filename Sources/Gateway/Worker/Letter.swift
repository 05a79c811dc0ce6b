import System
package import Wire

/// What one thread tells a worker. Packets do not come by letter, they come by ring.
package enum Letter: Sendable {
    /// Stop accepting, end what is there, and leave when nothing is left or the time is over.
    case stop(after: Interval)
    /// Say what you have done: the answer goes to the worker that asks.
    case report(to: Int, Gather.ID)
    case reported(Gather.ID, WorkerReport)
}

/// What one worker says of itself.
package struct WorkerReport: Sendable {
    package var worker: Int
    package var counters: WorkerCounters
    package var connections: [String: Int]
}

/// A question to all workers, and the answers that have come: complete, or as much as came in time.
package struct Gather: Sendable {
    package typealias ID = UInt32

    /// A worker that says nothing for this long is missing from the answer, not holding it up.
    package static let patience = Interval.seconds(1)

    package var deadline: Instant
    package private(set) var missing: Set<Int>
    package private(set) var reports: [WorkerReport] = []

    package init(workers: Int, at now: Instant) {
        missing = Set(0..<workers)
        deadline = now + Self.patience
    }

    package mutating func note(_ report: WorkerReport) {
        guard missing.remove(report.worker) != nil else { return }
        reports.append(report)
    }

    package var isComplete: Bool { missing.isEmpty }
}
