/// What all histories of one worker may hold together: its share of `media.memory`.
///
/// A worker owns one and hands it to its streams. A refused growth is no error: the history then
/// forgets earlier than it would like to, and says so in its figures.
package final class MediaMemory {
    /// Who asks. Publishers come before what is derived for viewers (the gate, rule 8): derived
    /// histories may fill seven eighths, the rest stays for what arrives.
    package enum Claimant: Sendable { case given, derived }

    private let bytesMaximum: Int
    private var bytesUsed = 0
    private var refusals: UInt64 = 0

    package init(limit: Int) {
        precondition(limit > 0, "media.memory is positive")
        bytesMaximum = limit
    }

    package var limit: Int { bytesMaximum }
    package var used: Int { bytesUsed }
    /// How often a history was not allowed to grow.
    package var refused: UInt64 { refusals }

    /// Whether a new publisher should be let in, whose histories begin with so many bytes: below
    /// nine tenths with them, so that those who are here can still grow.
    func admits(_ first: Int) -> Bool { bytesUsed + first < bytesMaximum / 10 * 9 }

    func reserve(_ count: Int, for claimant: Claimant) -> Bool {
        let allowed = claimant == .given ? bytesMaximum : bytesMaximum / 8 * 7
        guard count <= allowed - bytesUsed else {
            refusals += 1
            return false
        }
        bytesUsed += count
        return true
    }

    /// The smallest ring of a new history, which is never refused.
    func claimFirst(_ count: Int) { bytesUsed += count }

    func release(_ count: Int) { bytesUsed -= count }
}
