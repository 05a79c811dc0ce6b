package import HLS
import System
import Wire

/// Which streams are cut for HLS now, and what there is of them: filled by their homes, looked at
/// by every worker at every request. A lock around plain data; never taken for a packet.
package final class HLSDirectory: Sendable {
    package struct Key: Hashable, Sendable {
        package var name: String
        package var container: HLSRules.Container
    }

    private struct Entry: Sendable {
        var shelf: HLSShelf?
        /// Workers with requests that wait for the next thing: a bit each.
        var waiting: UInt64 = 0
        var askedAt: Instant
    }

    /// A player that has said nothing for so long is gone: the longest pause between two requests
    /// of a playing one is a target duration.
    static let idleTime = Interval.seconds(30)

    private let entries = Locked<[Key: Entry]>([:])

    /// Judges a request by what there is, and notes that this worker waits if that is the verdict:
    /// nothing can come in between.
    func look<T>(
        _ key: Key, by worker: Int, at now: Instant,
        _ judge: (HLSShelf?) -> (T, waits: Bool)
    ) -> T {
        entries.withLock { entries in
            let (judgement, waits) = judge(entries[key]?.shelf)
            if waits || entries[key] != nil {
                entries[key, default: Entry(askedAt: now)].askedAt = now
                if waits { entries[key]?.waiting |= 1 << UInt64(worker) }
            }
            return judgement
        }
    }

    /// - Returns: The workers that waited for it.
    func put(_ shelf: HLSShelf, for key: Key, at now: Instant) -> [Int] {
        entries.withLock { entries in
            let waiting = entries[key]?.waiting ?? 0
            entries[key, default: Entry(askedAt: now)].shelf = shelf
            entries[key]?.waiting = 0
            return (0..<64).filter { waiting & (1 << UInt64($0)) != 0 }
        }
    }

    /// Nobody has asked for it for a while.
    func isIdle(_ key: Key, at now: Instant) -> Bool {
        entries.withLock { entries in
            entries[key].map { now - $0.askedAt > Self.idleTime } ?? true
        }
    }

    func remove(_ key: Key) { entries.withLock { $0[key] = nil } }

    /// What comes is not what was: who waits goes on waiting.
    func restart(_ key: Key, at now: Instant) {
        entries.withLock { $0[key, default: Entry(askedAt: now)].shelf = nil }
    }

    /// What has ended and what nobody came back for: an entry costs a few megabytes.
    func sweep(at now: Instant) {
        entries.withLock { entries in
            entries = entries.filter { now - $0.value.askedAt <= Self.idleTime }
        }
    }
}
