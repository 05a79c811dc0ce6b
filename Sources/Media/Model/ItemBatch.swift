import Wire

/// Packets or frames on their way between two stages: their bytes in one block, a meta each.
///
/// A worker owns a few and lends them; once grown to the largest turn they allocate nothing.
package struct ItemBatch: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var items: [Item] = []
    private var open: Int?

    package struct Item: Sendable {
        package var meta: ItemMeta
        package var range: Range<Int>
    }

    package init() {}

    package var isEmpty: Bool { items.isEmpty }
    package var count: Int { items.count }

    @_lifetime(borrow self)
    package func bytes(of index: Int) -> RawSpan { bytes.raw.extracting(items[index].range) }

    package mutating func append(_ span: RawSpan, _ meta: ItemMeta) {
        begin()
        write(span)
        end(meta)
    }

    /// Starts an item whose bytes come in pieces; `end` gives it its meta, `cancel` forgets it.
    package mutating func begin() {
        precondition(open == nil, "an item is already open")
        open = bytes.count
    }

    package mutating func write(_ byte: UInt8) { bytes.append(byte) }
    package mutating func write(_ span: RawSpan) { bytes.append(copying: span) }

    package mutating func write<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
        bytes.append(bigEndian: value)
    }

    /// Bytes of the open item so far.
    package var openCount: Int { open.map { bytes.count - $0 } ?? 0 }

    /// Changes a byte of the open item: a header bit known only at the end.
    package mutating func patch(_ byte: UInt8, at offset: Int) {
        guard let open else { preconditionFailure("no item is open") }
        bytes[open + offset] = byte
    }

    package mutating func end(_ meta: ItemMeta) {
        guard let start = open else { preconditionFailure("no item is open") }
        open = nil
        var meta = meta
        meta.length = UInt32(truncatingIfNeeded: bytes.count - start)
        items.append(Item(meta: meta, range: start..<bytes.count))
    }

    package mutating func cancel() {
        guard let start = open else { return }
        open = nil
        bytes.removeSubrange(start...)
    }

    /// Changes the meta of an item in place: a marker that is known one packet late.
    package mutating func update(_ index: Int, _ change: (inout ItemMeta) -> Void) {
        change(&items[index].meta)
    }

    /// Keeps the memory.
    package mutating func clear() {
        open = nil
        bytes.removeAll(keepingCapacity: true)
        items.removeAll(keepingCapacity: true)
    }
}
