import Media
import Wire

/// What a history knows of each index it covers, by index, in one block of memory.
@safe struct RecordRing: ~Copyable {
    struct Record {
        var meta: ItemMeta
        /// Where its bytes are in the `ByteRing`; `hole`: nothing has come for this index.
        var position: Int64
        /// It came after a later one: its bytes lie behind theirs.
        var isRepair: Bool

        static let hole: Int64 = -1
        /// A hole that the publisher will not fill.
        static let lost: Int64 = -2
        var isHole: Bool { position < 0 }
    }

    private let records: UnsafeMutableBufferPointer<Record>
    let capacity: Int

    init(capacity: Int) {
        precondition(capacity.nonzeroBitCount == 1, "the capacity is a power of two")
        self.capacity = capacity
        unsafe records = .allocate(capacity: capacity)
        let nothing = Record(
            meta: ItemMeta(ticks: 0, arrival: .start, length: 0, flags: []),
            position: Record.hole, isRepair: false)
        unsafe records.initialize(repeating: nothing)
    }

    deinit { unsafe records.deallocate() }

    /// Bytes of memory of so many records.
    static func footprint(_ count: Int) -> Int { count * MemoryLayout<Record>.stride }

    /// Masked, so it is always inside; whether the slot still means this index, its owner knows.
    subscript(_ index: Int64) -> Record {
        get { unsafe records[Int(index & Int64(capacity - 1))] }
        nonmutating set { unsafe records[Int(index & Int64(capacity - 1))] = newValue }
    }
}
