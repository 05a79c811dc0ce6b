import Media

/// One key frame kept on its own, because the history it began no longer fits.
struct Still {
    /// A key frame of 4K video rarely passes 1 MiB; a still is worth no more memory than that.
    private static let byteMaximum = 1 << 20
    private(set) var items = ItemBatch()

    /// - Returns: False when it would be too large; then nothing is kept.
    mutating func append(_ span: RawSpan, _ meta: ItemMeta) -> Bool {
        guard items.bytes.count + span.byteCount <= Self.byteMaximum else {
            clear()
            return false
        }
        items.append(span, meta)
        return true
    }

    /// Gives the memory back: a still is rare.
    mutating func clear() { if !items.isEmpty { items = ItemBatch() } }
}
