package import Stream
import Synchronization
import System
package import Wire

/// UTC for the whole process. Whoever looks first in a second compares it with the system's clock;
/// every worker takes the outcome over before it writes a time, so all of them say the same.
///
/// A worker looks at two plain numbers in each turn with viewers, and takes the lock once a second.
package final class WallClock: Sendable {
    private static let samplePause = Interval.seconds(1)

    private let model: Locked<WallClockModel>
    /// How often the model has been changed.
    private let changes = Atomic<Int>(0)
    private let nextSample: Atomic<Int64>
    private let read: @Sendable () -> (monotonic: Instant, utc: Int64)

    /// What a worker writes times by, between two looks.
    package struct Copy: Sendable {
        package fileprivate(set) var model: WallClockModel
        fileprivate var changes: Int
    }

    /// - Parameter read: Both clocks at one moment.
    package init(
        _ read: @escaping @Sendable () -> (monotonic: Instant, utc: Int64) = {
            (Clock.now, Clock.utcNanoseconds)
        }
    ) {
        let (now, utc) = read()
        self.read = read
        model = Locked(WallClockModel(utc: utc, at: now))
        nextSample = Atomic((now + Self.samplePause).nanoseconds)
    }

    package var copy: Copy {
        let seen = changes.load(ordering: .acquiring)
        return Copy(model: model.withLock { $0 }, changes: seen)
    }

    /// - Returns: By how much the system's clock was set, to the one who has found it out.
    package func refresh(_ copy: inout Copy, at now: Instant) -> Interval? {
        let step = sample(at: now)
        if changes.load(ordering: .acquiring) != copy.changes { copy = self.copy }
        return step
    }

    private func sample(at now: Instant) -> Interval? {
        let due = nextSample.load(ordering: .relaxed)
        let next = (now + Self.samplePause).nanoseconds
        guard due <= now.nanoseconds,
            nextSample.compareExchange(expected: due, desired: next, ordering: .relaxed).exchanged
        else { return nil }
        let step = model.withLock { model in
            let (moment, utc) = read()
            return model.sample(utc: utc, at: moment)
        }
        changes.add(1, ordering: .releasing)
        return step
    }
}

extension Worker {
    /// Before a time is written, in a report or in a header.
    func takeTime() {
        if let step = plan.wall.refresh(&wall, at: now) {
            log.warning("the system's clock was set by \(step.milliseconds) ms")
        }
    }
}
