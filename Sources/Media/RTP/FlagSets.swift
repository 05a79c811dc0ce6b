import Media

/// Combinations made once: written as a literal in another module than their type, a set of flags
/// costs an array, and the packet path allocates nothing.
extension ItemMeta.Flags {
    static let wholeFrame = frameStart.union(frameEnd)
    static let frameMarks = wholeFrame.union(marker)
    static let closing = frameEnd.union(marker)
    static let soundFrame = wholeFrame.union(key)
    static let unwantedB = bidirectional.union(discardable)
}
