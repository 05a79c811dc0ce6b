/// Which of the last packets have come: one bit for each, in a ring of words (RFC 3711 §3.3.2).
struct ReplayWindow<let words: Int> {
    enum Verdict { case new, seen, tooOld }

    private var bits = InlineArray<words, UInt64>(repeating: 0)
    private(set) var highest: UInt64

    /// - Parameter first: The first index that was accepted.
    init(first: UInt64) {
        highest = first
        set(first)
    }

    static var size: UInt64 { UInt64(words) * 64 }

    func check(_ index: UInt64) -> Verdict {
        if index > highest { return .new }
        if highest - index >= Self.size { return .tooOld }
        return bits[word(index)] >> (index & 63) & 1 == 0 ? .new : .seen
    }

    /// Only after the packet has proved to be genuine.
    mutating func accept(_ index: UInt64) {
        if index > highest {
            if index - highest >= Self.size {
                bits = InlineArray(repeating: 0)
            } else {
                for skipped in highest + 1...index {
                    bits[word(skipped)] &= ~(1 << (skipped & 63))
                }
            }
            highest = index
        }
        set(index)
    }

    private mutating func set(_ index: UInt64) { bits[word(index)] |= 1 << (index & 63) }

    private func word(_ index: UInt64) -> Int { Int(truncatingIfNeeded: index >> 6) % words }
}
