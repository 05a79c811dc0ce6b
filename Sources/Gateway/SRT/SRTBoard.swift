package import SRTPort
package import Stream
import System

/// What the thread of libsrt says of its connections, for everybody to read: figures of those that
/// are, and the last words of calls that are not any more.
package final class SRTBoard: Sendable {
    /// A worker reads the words as soon as its end of the pair is closed.
    private static let wordsMaximum = 256

    /// Of all connections together, those that ended too.
    package struct Totals: Equatable, Sendable {
        package var connections = 0
        package var accepted: UInt64 = 0
        package var rejected: UInt64 = 0
        package var packetsIn: UInt64 = 0
        package var packetsOut: UInt64 = 0
        package var lost: UInt64 = 0
        package var dropped: UInt64 = 0
        package var repeated: UInt64 = 0
        package var undecrypted: UInt64 = 0

        mutating func add(_ figures: SRTFigures, isIncoming: Bool) {
            if isIncoming { packetsIn &+= figures.packets } else { packetsOut &+= figures.packets }
            lost &+= figures.lost
            dropped &+= figures.dropped
            repeated &+= figures.repeated
            undecrypted &+= figures.undecrypted
        }
    }

    private struct Content {
        var present: [UInt64: (figures: SRTFigures, isIncoming: Bool)] = [:]
        var words: [UInt64: LinkEnding] = [:]
        var spoken: [UInt64] = []
        var past = Totals()
    }

    private let content = Locked(Content())

    package init() {}

    func note(_ figures: SRTFigures, of id: UInt64, isIncoming: Bool) {
        content.withLock { $0.present[id] = (figures, isIncoming) }
    }

    func noteAccepted() { content.withLock { $0.past.accepted &+= 1 } }
    func noteRejected() { content.withLock { $0.past.rejected &+= 1 } }

    func noteEnd(of id: UInt64, _ words: LinkEnding?) {
        content.withLock { content in
            if let last = content.present.removeValue(forKey: id) {
                content.past.add(last.figures, isIncoming: last.isIncoming)
            }
            guard let words else { return }
            content.words[id] = words
            content.spoken.append(id)
            if content.spoken.count > Self.wordsMaximum {
                content.words[content.spoken.removeFirst()] = nil
            }
        }
    }

    package var count: Int { content.withLock { $0.present.count } }

    package func figures(of id: UInt64) -> SRTFigures? {
        content.withLock { $0.present[id]?.figures }
    }

    package func words(of id: UInt64) -> LinkEnding? { content.withLock { $0.words[id] } }

    package var totals: Totals {
        content.withLock { content in
            var totals = content.past
            totals.connections = content.present.count
            for entry in content.present.values {
                totals.add(entry.figures, isIncoming: entry.isIncoming)
            }
            return totals
        }
    }
}
