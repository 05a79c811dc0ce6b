/// Datagrams that are to leave together: one arena of bytes and the runs that lie in it.
///
/// A run is a stretch of datagrams of equal size to one destination (the last may be shorter): the
/// kernel takes it in one go. Protocol code fills the batch and knows no socket; the shell empties
/// it. It never grows: `fits` says when it must be emptied first.
@safe public struct SendBatch: ~Copyable {
    /// One stretch of the arena on its way to one destination.
    @frozen public struct Run: BitwiseCopyable, Sendable {
        public var destination: Address
        /// The local address to send from, so that a peer is answered from the address it hit.
        /// Unspecified: the kernel chooses.
        public var source: Address
        /// The size of every datagram but the last.
        public var segmentSize: Int
        public var count: Int
        public var offset: Int
        public var byteCount: Int

        @inlinable init(destination: Address, source: Address, size: Int, offset: Int) {
            self.destination = destination
            self.source = source
            self.segmentSize = size
            self.count = 1
            self.offset = offset
            self.byteCount = size
        }

        /// Where it lies in the batch's bytes.
        @inlinable public var bytes: Range<Int> { offset..<offset + byteCount }
    }

    /// Linux 6.1 cuts a message into at most 64 datagrams.
    public static let segmentsMaximum = 64
    /// What a run may hold in all: the kernel counts it, with headers, in 16 bits.
    public static let runBytesMaximum = 65_000

    @usableFromInline let arena: UnsafeMutableRawBufferPointer
    @usableFromInline let runs: UnsafeMutableBufferPointer<Run>
    @usableFromInline var used = 0
    @usableFromInline var destination = Address.any(port: 0)
    @usableFromInline var source = Address.any(port: 0)
    /// Whether the next datagram may not join the last run, whatever its size.
    @usableFromInline var isRunClosed = true
    @usableFromInline var windowSize = 0
    @usableFromInline var runsUsed = 0

    /// - Parameters:
    ///   - capacity: Bytes of all datagrams together. Small on purpose: what is written here is
    ///     read again by the kernel, and 1 MiB instead of 160 KiB cost a tenth of the packet rate.
    ///   - runs: At worst each datagram is a run of its own. 64 are four system calls.
    public init(capacity: Int = 160 * 1024, runs runsMaximum: Int = 64) {
        precondition(capacity > 0 && runsMaximum > 0, "a batch holds something")
        let table = runsMaximum * MemoryLayout<Run>.stride
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: table + capacity, alignment: 64)
        unsafe runs = UnsafeMutableBufferPointer(
            start: memory.baseAddress?.assumingMemoryBound(to: Run.self), count: runsMaximum)
        unsafe arena = UnsafeMutableRawBufferPointer(rebasing: memory[table...])
    }

    deinit { unsafe runs.baseAddress?.deallocate() }

    @inlinable public var isEmpty: Bool { runsUsed == 0 }
    @inlinable public var runCount: Int { runsUsed }
    @inlinable public var byteCount: Int { used }

    /// Whether datagrams of so many bytes together still fit, even if each is a run of its own.
    /// Ask before `window`.
    @inlinable public func fits(_ byteCount: Int, datagrams: Int = 1) -> Bool {
        unsafe datagrams <= runs.count - runsUsed && byteCount <= arena.count - used
    }

    /// Says where the datagrams that follow go. The same as before: the last run goes on.
    @inlinable public mutating func begin(to destination: Address, from source: Address) {
        if destination != self.destination || source != self.source { isRunClosed = true }
        self.destination = destination
        self.source = source
    }

    /// Begins a new run even if destination and size would let the last one go on.
    @inlinable public mutating func closeRun() { isRunClosed = true }

    /// Where to write the next datagram, of at most `maximum` bytes. `commit` makes it count.
    /// Both are called for each packet to each viewer; a call of each costs a tenth of the rest.
    @inlinable @inline(__always)
    @_lifetime(&self)
    public mutating func window(_ maximum: Int) -> MutableRawSpan {
        precondition(fits(maximum), "empty the batch first")
        windowSize = maximum
        let bytes = unsafe UnsafeMutableRawBufferPointer(rebasing: arena[used..<used + maximum])
        return unsafe _overrideLifetime(MutableRawSpan(_unsafeBytes: bytes), mutating: &self)
    }

    /// The window holds a datagram of `count` bytes: send it.
    @inlinable @inline(__always) public mutating func commit(_ count: Int) {
        precondition(count > 0 && count <= windowSize, "not what was written")
        windowSize = 0
        if !extendRun(by: count) { beginRun(count) }
        used += count
    }

    /// Copies a datagram that exists already, such as an answer of STUN or DTLS.
    @inlinable public mutating func append(_ datagram: RawSpan) {
        let count = datagram.byteCount
        precondition(fits(count), "empty the batch first")
        unsafe datagram.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(rebasing: arena[used...]).copyMemory(from: $0)
        }
        windowSize = count
        commit(count)
    }

    /// All that was written, and the room behind it: for what works on many datagrams at once
    /// before they leave.
    @inlinable
    @_lifetime(&self)
    public mutating func arenaBytes() -> MutableRawSpan {
        unsafe _overrideLifetime(MutableRawSpan(_unsafeBytes: arena), mutating: &self)
    }

    @inlinable public func run(_ index: Int) -> Run {
        precondition(index >= 0 && index < runCount, "no such run")
        return unsafe runs[index]
    }

    /// The bytes of all runs, for `Run.bytes` to cut.
    public var bytes: RawSpan {
        @inlinable @_lifetime(borrow self)
        get {
            let written = unsafe UnsafeRawBufferPointer(rebasing: arena[..<used])
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: written), borrowing: self)
        }
    }

    /// Forgets all runs and keeps the memory.
    @inlinable public mutating func clear() {
        used = 0
        runsUsed = 0
        isRunClosed = true
    }

    @inlinable mutating func extendRun(by count: Int) -> Bool {
        guard !isRunClosed else { return false }
        let last = runsUsed - 1
        let run = unsafe runs[last]
        guard count <= run.segmentSize, run.count < Self.segmentsMaximum,
            run.byteCount + count <= Self.runBytesMaximum
        else { return false }
        unsafe runs[last].count = run.count + 1
        unsafe runs[last].byteCount = run.byteCount + count
        // Only the last datagram of a run may be shorter.
        if count < run.segmentSize { isRunClosed = true }
        return true
    }

    @inlinable mutating func beginRun(_ count: Int) {
        unsafe runs[runsUsed] = Run(
            destination: destination, source: source, size: count, offset: used)
        runsUsed += 1
        isRunClosed = false
    }
}
