import Synchronization

/// Records of bytes from one thread to another: one writer, one reader, no lock, nothing lost.
///
/// A full ring makes `tryWrite` answer `false`; the writer keeps its cursor and comes back. It
/// never blocks and never drops. Records are copied in, padded to 8 bytes, in one piece: where the
/// end of the memory is too near, a mark sends the reader back to the beginning.
///
/// The only type of ours that shares raw memory, so the only one that says `@unchecked Sendable`.
/// What makes it right: the bytes from `head` to `tail` belong to the reader, the others to the
/// writer; each index is changed by one side only, released after the bytes were used and acquired
/// before; and each side exists once, because it cannot be copied.
@safe package final class PacketRing: @unchecked Sendable {
    /// Enough for 5 ms of 1.6 Gbit/s.
    package static let defaultCapacity = 1024 * 1024

    /// How many bytes were ever read, and written. On cache lines of their own, or each side would
    /// take the other's line with every record.
    private let head = Atomic<Int>(0)
    private let headPadding: [15 of Int] = .init(repeating: 0)
    private let tail = Atomic<Int>(0)
    private let tailPadding: [15 of Int] = .init(repeating: 0)
    private let memory: UnsafeMutableRawBufferPointer
    private let bell: Bell
    private let ends = Atomic<Int>(0)

    /// - Parameters:
    ///   - capacity: A power of two. A record has at most half of it, less its head.
    ///   - bell: The reader's, shared by all that it reads.
    package init(capacity: Int = defaultCapacity, bell: Bell) {
        precondition(capacity >= 64 && capacity & (capacity - 1) == 0, "a power of two")
        unsafe memory = .allocate(byteCount: capacity, alignment: 64)
        self.bell = bell
    }

    deinit { unsafe memory.deallocate() }

    /// Length and kind before each record.
    private static let headSize = 8
    /// A length no record has: go back to the beginning.
    private static let wrapMark = UInt32.max

    package var recordMaximum: Int { unsafe memory.count / 2 - Self.headSize }

    /// The writing end, to be had once.
    package func makeWriter() -> Writer {
        claim(1)
        return Writer(ring: self)
    }

    /// The reading end, to be had once.
    package func makeReader() -> Reader {
        claim(2)
        return Reader(ring: self)
    }

    private func claim(_ end: Int) {
        let before = ends.bitwiseOr(end, ordering: .relaxed).oldValue
        precondition(before & end == 0, "this end of the ring has an owner")
    }

    /// The end that writes. It belongs to one thread.
    package struct Writer: ~Copyable, Sendable {
        fileprivate let ring: PacketRing
        private var tail = 0
        /// What we last saw of the reader: looked at again only when the ring seems full.
        private var head = 0

        fileprivate init(ring: PacketRing) { self.ring = ring }

        /// Copies a record in: `first` and `second` one after the other, so that a header of ours
        /// needs not be joined with its payload before.
        ///
        /// - Returns: `false`, and nothing is written, if there is no room now.
        package mutating func tryWrite(
            kind: UInt32, _ first: RawSpan, _ second: RawSpan = RawSpan()
        ) -> Bool {
            let length = first.byteCount + second.byteCount
            precondition(length <= ring.recordMaximum, "larger than any record may be")
            let size = PacketRing.size(of: length)
            let capacity = unsafe ring.memory.count
            let toEnd = capacity - tail & (capacity - 1)
            let needed = size <= toEnd ? size : size + toEnd
            guard hasRoom(needed, capacity) else { return false }
            if size > toEnd {
                ring.storeHead(at: tail, length: PacketRing.wrapMark, kind: 0)
                tail += toEnd
            }
            ring.storeHead(at: tail, length: UInt32(length), kind: kind)
            ring.copy(first, to: tail + PacketRing.headSize)
            ring.copy(second, to: tail + PacketRing.headSize + first.byteCount)
            tail += size
            ring.tail.store(tail, ordering: .releasing)
            return true
        }

        /// Wakes the reader if it sleeps. Once per batch.
        package borrowing func flush() { ring.bell.ringIfSleeping() }

        private mutating func hasRoom(_ needed: Int, _ capacity: Int) -> Bool {
            if capacity - (tail - head) >= needed { return true }
            head = ring.head.load(ordering: .acquiring)
            return capacity - (tail - head) >= needed
        }
    }

    /// The end that reads. It belongs to one thread.
    package struct Reader: ~Copyable, Sendable {
        fileprivate let ring: PacketRing
        private var head = 0
        private var tail = 0
        /// The record at hand, still in the ring.
        private var record = 0..<0
        package private(set) var kind: UInt32 = 0

        fileprivate init(ring: PacketRing) { self.ring = ring }

        /// Gives the record at hand back and goes to the next; `false` if there is none yet.
        package mutating func next() -> Bool {
            release()
            if head == tail {
                tail = ring.tail.load(ordering: .acquiring)
                guard head != tail else { return false }
            }
            var (length, kind) = ring.loadHead(at: head)
            if length == PacketRing.wrapMark {
                let capacity = unsafe ring.memory.count
                head += capacity - head & (capacity - 1)
                // The mark and the record behind it were published together.
                (length, kind) = ring.loadHead(at: head)
            }
            self.kind = kind
            record = head + PacketRing.headSize..<head + PacketRing.headSize + Int(length)
            return true
        }

        /// The record at hand, until the next `next`.
        package var bytes: RawSpan {
            @_lifetime(borrow self)
            borrowing get {
                let bytes = unsafe ring.bytes(record)
                return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
            }
        }

        /// Whether there is something to read: to be asked after `Bell.fallAsleep`.
        package borrowing func isEmpty() -> Bool {
            head == ring.tail.load(ordering: .acquiring)
        }

        private mutating func release() {
            guard record.lowerBound > 0 else { return }
            head += PacketRing.size(of: record.count)
            record = 0..<0
            ring.head.store(head, ordering: .releasing)
        }
    }
}

extension PacketRing {
    fileprivate static func size(of length: Int) -> Int { (headSize + length + 7) & ~7 }

    private func offset(_ position: Int) -> Int { unsafe position & (memory.count - 1) }

    fileprivate func storeHead(at position: Int, length: UInt32, kind: UInt32) {
        let offset = offset(position)
        unsafe memory.storeBytes(of: length, toByteOffset: offset, as: UInt32.self)
        unsafe memory.storeBytes(of: kind, toByteOffset: offset + 4, as: UInt32.self)
    }

    fileprivate func loadHead(at position: Int) -> (length: UInt32, kind: UInt32) {
        let offset = offset(position)
        return unsafe (
            memory.load(fromByteOffset: offset, as: UInt32.self),
            memory.load(fromByteOffset: offset + 4, as: UInt32.self)
        )
    }

    fileprivate func copy(_ span: RawSpan, to position: Int) {
        guard span.byteCount > 0 else { return }
        let start = offset(position)
        unsafe span.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + $0.count])
                .copyMemory(from: $0)
        }
    }

    fileprivate func bytes(_ record: Range<Int>) -> UnsafeRawBufferPointer {
        let start = offset(record.lowerBound)
        return unsafe UnsafeRawBufferPointer(rebasing: memory[start..<start + record.count])
    }
}
