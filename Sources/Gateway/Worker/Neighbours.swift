import Synchronization
package import System

/// How the workers of a process reach each other: a mailbox and a bell each.
package final class Neighbours: Sendable {
    private let mailboxes: [Mailbox<Letter>]
    private let pulses: [Pulse]

    /// Whether a worker has yet to answer that it is there.
    private final class Pulse: Sendable {
        let isAsked = Atomic<Bool>(false)
    }

    package init(count: Int) throws(SystemError) {
        var mailboxes: [Mailbox<Letter>] = []
        for _ in 0..<count { mailboxes.append(try Mailbox()) }
        self.mailboxes = mailboxes
        pulses = mailboxes.map { _ in Pulse() }
    }

    package var count: Int { mailboxes.count }

    package func post(_ letter: Letter, to worker: Int) { mailboxes[worker].post(letter) }

    package func postToAll(_ letter: Letter) {
        for mailbox in mailboxes { mailbox.post(letter) }
    }

    /// Whether every worker has read what the last call wrote to it; asks them again.
    package func areReading() -> Bool {
        var silent = 0
        for worker in pulses.indices {
            if pulses[worker].isAsked.exchange(true, ordering: .relaxed) {
                silent += 1
            } else {
                post(.beat, to: worker)
            }
        }
        return silent == 0
    }

    func answerBeat(_ worker: Int) { pulses[worker].isAsked.store(false, ordering: .relaxed) }

    func mailbox(of worker: Int) -> Mailbox<Letter> { mailboxes[worker] }
    func bell(of worker: Int) -> Bell { mailboxes[worker].bell }
}
