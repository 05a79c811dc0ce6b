import CCryptoShims

/// A key in a worker's table. The table hands it out and takes it back; a key that was given back
/// and not forgotten would be another session's, so sessions hold theirs for their whole life.
package struct SRTPKey: Equatable, Sendable {
    let index: Int32
}

/// Key material in one block of memory, as the fan-out walks through it: viewer by viewer.
@safe struct KeyTable: ~Copyable {
    private let stride = crypto_key_size()
    private var memory: UnsafeMutableRawPointer
    private(set) var capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = Self.allocate(stride * capacity)
    }

    deinit {
        for index in 0..<capacity { unsafe crypto_key_clear(self[index]) }
        unsafe memory.deallocate()
    }

    subscript(_ index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index < capacity, "no such key")
        return unsafe memory + index * stride
    }

    /// Twice the room. The old block is wiped: it held keys.
    mutating func grow() {
        let larger = unsafe Self.allocate(stride * capacity * 2)
        unsafe larger.copyMemory(from: memory, byteCount: stride * capacity)
        unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: stride * capacity)
        unsafe memory.deallocate()
        unsafe memory = unsafe larger
        capacity *= 2
    }

    private static func allocate(_ count: Int) -> UnsafeMutableRawPointer {
        // libipsec-mb loads whole 64-byte registers from it.
        let block = UnsafeMutableRawPointer.allocate(byteCount: count, alignment: 64)
        unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: count)
        return unsafe block
    }
}

/// This memory will be written soon: it comes nearer while something else is done.
package func prefetch(_ memory: UnsafeRawPointer) { unsafe crypto_prefetch(memory) }
