internal import CLinux
import Synchronization

/// A few threads for calls that block: name lookups, file work. A worker hands a job over and gets
/// the result as a letter; it never waits.
package final class WorkPool: Sendable {
    package typealias Job = @Sendable () -> Void

    /// Jobs that wait. More means that the disk or the name server hangs: then refuse, so that the
    /// caller can say so, rather than promise what will not happen in time.
    package static let jobsMaximum = 1024

    /// What the threads share. They hold it, not the pool: a pool that nobody holds ends them.
    private final class Queue: Sendable {
        let jobs = Locked<[Job]>([])
        let isClosed = Atomic<Bool>(false)
        /// One token for each job: the threads sleep in the read.
        let tokens: Descriptor

        init() throws(SystemError) {
            tokens = try Descriptor(linux_semaphore(), "open a semaphore")
        }

        func run() {
            while linux_take(tokens.number) > 0 {
                let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                guard let job else {
                    if isClosed.load(ordering: .acquiring) { return }
                    continue
                }
                job()
            }
        }
    }

    private let queue: Queue
    private let threads: Int

    package init(_ name: String, threads: Int = 2) throws(SystemError) {
        let queue = try Queue()
        for index in 0..<threads { _ = try Thread("\(name)-\(index)") { queue.run() } }
        self.queue = queue
        self.threads = threads
    }

    /// What was submitted is still done.
    deinit {
        queue.isClosed.store(true, ordering: .releasing)
        for _ in 0..<threads { _ = linux_signal(queue.tokens.number) }
    }

    /// - Parameter isBounded: `false` for a caller that has a bound of its own.
    /// - Returns: Whether there was room. Jobs begin in order, and end in any.
    @discardableResult
    package func submit(isBounded: Bool = true, _ job: @escaping Job) -> Bool {
        let isTaken = queue.jobs.withLock { jobs in
            guard !isBounded || jobs.count < Self.jobsMaximum else { return false }
            jobs.append(job)
            return true
        }
        if isTaken { _ = linux_signal(queue.tokens.number) }
        return isTaken
    }
}
