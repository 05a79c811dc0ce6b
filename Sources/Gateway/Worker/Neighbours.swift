package import System

/// How the workers of a process reach each other: a mailbox and a bell each.
package final class Neighbours: Sendable {
    private let mailboxes: [Mailbox<Letter>]

    package init(count: Int) throws(SystemError) {
        var mailboxes: [Mailbox<Letter>] = []
        for _ in 0..<count { mailboxes.append(try Mailbox()) }
        self.mailboxes = mailboxes
    }

    package var count: Int { mailboxes.count }

    package func post(_ letter: Letter, to worker: Int) { mailboxes[worker].post(letter) }

    package func postToAll(_ letter: Letter) {
        for mailbox in mailboxes { mailbox.post(letter) }
    }

    /// No mailbox has been left to itself for long: every worker comes round.
    var areReading: Bool { mailboxes.allSatisfy { $0.count < 10_000 } }

    func mailbox(of worker: Int) -> Mailbox<Letter> { mailboxes[worker] }
    func bell(of worker: Int) -> Bell { mailboxes[worker].bell }
}
