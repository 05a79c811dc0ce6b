/// A block of memory that is written round and round. It knows no items: `History` says where.
///
/// Positions count up for ever; the block holds the last `capacity` of them. Nothing lies across
/// the end of the block, so that every item is one span.
@safe struct ByteRing: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    let capacity: Int

    /// - Parameter capacity: A power of two, so that a position becomes an offset by a mask.
    init(capacity: Int) {
        precondition(capacity.nonzeroBitCount == 1, "the capacity is a power of two")
        self.capacity = capacity
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe memory.deallocate() }

    /// Where `count` bytes can lie in one piece, at or behind `position`.
    func place(_ count: Int, from position: Int64) -> Int64 {
        let offset = Int(position & Int64(capacity - 1))
        return offset + count <= capacity ? position : position + Int64(capacity - offset)
    }

    mutating func write(_ span: RawSpan, at position: Int64) {
        let target = unsafe UnsafeMutableRawBufferPointer(
            rebasing: memory[range(position, span.byteCount)])
        unsafe span.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
    }

    /// Valid until the ring is written over there, or freed: whoever turns it into a span says so.
    @unsafe func buffer(_ position: Int64, _ count: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: memory[range(position, count)])
    }

    private func range(_ position: Int64, _ count: Int) -> Range<Int> {
        let start = Int(position & Int64(capacity - 1))
        return start..<start + count
    }
}
