internal import CLinux
package import Wire

/// Appends chunks to a file, in order, on the pool's threads: a worker never waits for a disk.
package final class FileWriter: Sendable {
    /// What may wait for the disk: the recorder's budget. Then a gap is marked, not memory filled.
    package static let backlogMaximum = 16 * 1024 * 1024

    private struct State {
        var waiting: [Chunk] = []
        var bytes = 0
        /// A job of ours is with the pool: one at a time keeps the order.
        var isWriting = false
        /// No more is to come.
        var isFinished = false
        /// Complete, or failed.
        var isEnded = false
    }

    private let state = Locked(State())
    private let pool: WorkPool
    private let path: String
    private let file: Descriptor
    private let whenDone: @Sendable (SystemError?) -> Void

    /// Opens the file, which blocks for as long as the directory takes: from a job, on a slow disk.
    ///
    /// - Parameter whenDone: Called once, from a thread of the pool, when the file is complete and
    ///   on the disk, or at the first failure. It must only post a letter.
    package init(
        appendingTo path: String, pool: WorkPool,
        whenDone: @escaping @Sendable (SystemError?) -> Void
    ) throws(SystemError) {
        self.path = path
        self.pool = pool
        self.whenDone = whenDone
        file = try Descriptor(unsafe linux_open_write(path, 0, 0o640), "open \(path)")
    }

    /// - Returns: `false` if the disk is too far behind, or the file has failed.
    package func append(_ chunk: Chunk) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isFinished, !state.isEnded,
                state.bytes + chunk.count <= Self.backlogMaximum
            else { return false }
            state.waiting.append(chunk)
            state.bytes += chunk.count
            return true
        }
        if isTaken { schedule() }
        return isTaken
    }

    /// No more comes: sync, then `whenDone`.
    package func finish() {
        state.withLock { $0.isFinished = true }
        schedule()
    }

    private func schedule() {
        let mustStart = state.withLock { state in
            guard !state.isWriting, !state.isEnded else { return false }
            state.isWriting = true
            return true
        }
        // Each file has one job at most.
        if mustStart { pool.submit(isBounded: false) { self.work() } }
    }

    private func work() {
        while true {
            let (chunks, isLast) = state.withLock { state in
                let chunks = state.waiting
                state.waiting = []
                if chunks.isEmpty { state.isWriting = false }
                return (chunks, chunks.isEmpty && state.isFinished)
            }
            if chunks.isEmpty {
                if isLast { end(sync()) }
                return
            }
            for chunk in chunks {
                guard let failure = write(chunk) else { continue }
                end(failure)
                return
            }
        }
    }

    private func write(_ chunk: Chunk) -> SystemError? {
        let result = unsafe chunk.bytes.withUnsafeBytes {
            unsafe linux_write_all(file.number, $0.baseAddress, $0.count)
        }
        state.withLock { $0.bytes -= chunk.count }
        return result < 0 ? SystemError(doing: "write \(path)", code: CInt(-result)) : nil
    }

    private func sync() -> SystemError? {
        let result = linux_sync(file.number)
        return result < 0 ? SystemError(doing: "sync \(path)", code: -result) : nil
    }

    private func end(_ failure: SystemError?) {
        let isFirst = state.withLock { state in
            let isFirst = !state.isEnded
            state.isEnded = true
            state.waiting = []
            return isFirst
        }
        if isFirst { whenDone(failure) }
    }
}
