import Wire

/// The newest items of an encoding as chunks, made for the first viewer who queues one and found by
/// the others: all viewers of a turn read the same few items.
///
/// Who reads further back (a newcomer, a slow one) gets a chunk of its own, which costs what the
/// copy would have cost.
struct SharedItems {
    /// A turn brings one or two items; a burst after a stall some more.
    private static let count: Int64 = 16
    /// A smaller item is cheaper copied than counted, referred to and written as a piece.
    static let bytesMinimum = 1024

    private var entries: [(index: Int64, chunk: Chunk)?] = []

    mutating func chunk(_ index: Int64, _ bytes: RawSpan) -> Chunk? {
        guard bytes.byteCount >= Self.bytesMinimum else { return nil }
        if entries.isEmpty { entries = Array(repeating: nil, count: Int(Self.count)) }
        let place = Int(index & (Self.count - 1))
        if let entry = entries[place], entry.index == index { return entry.chunk }
        let chunk = Chunk(copying: bytes)
        entries[place] = (index, chunk)
        return chunk
    }

    /// Nobody shares any more.
    mutating func clear() { entries = [] }
}
