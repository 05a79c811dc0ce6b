import Synchronization
package import System
import Wire

/// The threads that convert sound, beside the workers, which must not wait for it. A bridge lives
/// on one of them, for its whole life.
///
/// Each bridge has at most one job on its way: what comes meanwhile stays in the stream's history
/// and goes with the next. So nothing piles up here, however busy the machine is.
package final class TranscodePool: Sendable {
    private struct Desk: Sendable {
        let mailbox: Mailbox<TranscodeOrder>
        var bridges = 0
        var isRunning = false
    }

    private let neighbours: Neighbours
    private let desks: Locked<[Desk]>

    /// - Parameter threads: Started when they are first needed.
    package init(threads: Int, for neighbours: Neighbours) throws(SystemError) {
        var desks: [Desk] = []
        for _ in 0..<max(1, threads) { desks.append(Desk(mailbox: try Mailbox())) }
        self.desks = Locked(desks)
        self.neighbours = neighbours
    }

    deinit {
        desks.withLock { desks in for desk in desks { desk.mailbox.post(.end) } }
    }

    /// The thread for a new bridge: the one that has the fewest.
    func open() throws(SystemError) -> Int {
        let (index, mailbox) = desks.withLock { desks in
            let index = desks.indices.min { desks[$0].bridges < desks[$1].bridges } ?? 0
            desks[index].bridges += 1
            defer { desks[index].isRunning = true }
            return (index, desks[index].isRunning ? nil : desks[index].mailbox)
        }
        if let mailbox {
            let neighbours = neighbours
            _ = try Thread("transcode-\(index)") {
                TranscodeThread(mailbox, neighbours).run()
            }
        }
        return index
    }

    /// - Returns: Whether it was taken.
    func post(_ job: TranscodeJob, to thread: Int) -> Bool {
        mailbox(thread).post(.convert(job))
    }

    func close(_ id: TranscodeID, on thread: Int) {
        desks.withLock { $0[thread].bridges -= 1 }
        mailbox(thread).post(.close(id))
    }

    /// How many live on all threads.
    package var bridges: Int { desks.withLock { $0.reduce(0) { $0 + $1.bridges } } }

    private func mailbox(_ thread: Int) -> Mailbox<TranscodeOrder> {
        desks.withLock { $0[thread].mailbox }
    }
}
