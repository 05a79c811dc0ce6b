import Synchronization
package import Wire

/// Where the lines of all threads meet: the level, the bounded queue, and the limits on repetition.
///
/// A line is rendered by the thread that writes it and copied into one buffer; `LogWriter` takes
/// the whole buffer away. The lock is held for a copy of a hundred bytes, never for a write.
package final class LogSink: Sendable {
    /// What may wait: some 8,000 lines, a second of the worst storm.
    private static let queueBytes = 1 << 20

    package struct Clock: Sendable {
        package var now: @Sendable () -> Instant
        package var utc: @Sendable () -> Int64

        package init(now: @escaping @Sendable () -> Instant, utc: @escaping @Sendable () -> Int64) {
            self.now = now
            self.utc = utc
        }
    }

    private struct Queue {
        var bytes: [UInt8] = []
        var lines = 0
        var dropped = 0
    }

    /// What a place that repeats itself has written and kept back.
    private struct Quota {
        var ends: Instant
        var window: Interval
        var heldBack = 0
        var line: LogLine?
    }

    package let format: LogFormat
    private let clock: Clock
    private let level: Atomic<Int>
    private let queue = Locked(Queue())
    /// As many as there are places in the program that ask for a limit.
    private let quotas = Locked<[LogSite: Quota]>([:])
    private let delivery: Delivery

    package enum Delivery: Sendable {
        /// A thread calls `take`; this wakes it when the queue was empty and no longer is.
        case queued(wake: @Sendable () -> Void)
        /// Each line at once, by the thread that speaks.
        case direct(@Sendable ([UInt8]) -> Void)
    }

    package init(level: Log.Level, format: LogFormat, clock: Clock, delivery: Delivery) {
        self.level = Atomic(level.rawValue)
        self.format = format
        self.clock = clock
        self.delivery = delivery
    }

    /// Takes effect at once, for all threads.
    package func set(level: Log.Level) { self.level.store(level.rawValue, ordering: .relaxed) }

    func writes(_ level: Log.Level) -> Bool {
        level.rawValue >= self.level.load(ordering: .relaxed)
    }

    // MARK: From the threads

    func accept(_ line: LogLine) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        line.write(format, utc: clock.utc(), into: &bytes)
        switch delivery {
        case .direct(let write): write(bytes)
        case .queued(let wake): if enqueue(bytes) { wake() }
        }
    }

    /// - Returns: Whether the queue was empty.
    private func enqueue(_ bytes: [UInt8]) -> Bool {
        queue.withLock { queue in
            guard queue.bytes.count + bytes.count <= Self.queueBytes else {
                queue.dropped += 1
                return false
            }
            queue.bytes += bytes
            queue.lines += 1
            return queue.lines == 1
        }
    }

    /// Whether this place may write now; if not, the line is counted.
    func admits(_ site: LogSite, _ window: Interval) -> Bool {
        let now = clock.now()
        return quotas.withLock { quotas in
            if let quota = quotas[site], now < quota.ends {
                quotas[site]?.heldBack += 1
                return false
            }
            // The writer has not come by since the window ended: tell what it would have told.
            if let line = quotas[site].flatMap(Self.summary) { accept(line) }
            quotas[site] = Quota(ends: now + window, window: window)
            return true
        }
    }

    func remember(_ line: LogLine, of site: LogSite) {
        quotas.withLock { $0[site]?.line = line }
    }

    private static func summary(_ quota: Quota) -> LogLine? {
        guard quota.heldBack > 0, var line = quota.line else { return nil }
        let seconds = quota.window.milliseconds / 1000
        line.text = "\u{2026}and \(quota.heldBack) more in \(seconds) s: \(line.text)"
        return line
    }

    // MARK: To the writer

    /// Ends the windows that are over, telling how much they held back.
    ///
    /// - Returns: When the next one ends; nil when none runs.
    package func closeWindows() -> Instant? {
        let now = clock.now()
        let ended = quotas.withLock { quotas in
            let over = quotas.filter { $0.value.ends <= now }
            for site in over.keys { quotas[site] = nil }
            return over.values.compactMap(Self.summary)
        }
        for line in ended { accept(line) }
        return quotas.withLock { $0.values.map(\.ends).min() }
    }

    /// All that waits, and how much was lost before it.
    package func take() -> [UInt8] {
        var taken = Queue()
        queue.withLock { swap(&$0, &taken) }
        guard taken.dropped > 0 else { return taken.bytes }
        let text = "\(taken.dropped) lines lost: the log's output is too slow"
        var bytes = taken.bytes
        LogLine(level: .warning, module: "log", text: text)
            .write(format, utc: clock.utc(), into: &bytes)
        return bytes
    }
}
