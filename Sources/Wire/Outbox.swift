/// What a connection still has to send, in order: bytes of its own and slices of shared chunks.
///
/// Own bytes are copied in and lie together; a chunk is only held. A write takes up to
/// `slicesMaximum` pieces at once and `advance` forgets what went. It allocates while it grows,
/// and then never again.
public struct Outbox: ~Copyable {
    /// One piece of memory to be written: what `writev` calls an iovec.
    @frozen @safe public struct Slice {
        public var bytes: UnsafeRawPointer?
        public var count: Int
    }

    /// Own bytes, or a part of a chunk.
    private struct Piece {
        var chunk: Chunk?
        var offset: Int
        var count: Int
    }

    /// More pieces gain nothing: 64 of them are far above the cost of the system call.
    public static let slicesMaximum = 64

    /// All bytes it may hold. Beyond that the connection is to be closed: see `isOverflowing`.
    public let limit: Int
    public private(set) var byteCount = 0
    /// Something did not fit and was left out: what follows would make no sense to the peer.
    public private(set) var isOverflowing = false

    private var own: [UInt8] = []
    private var ownStart = 0
    private var pieces: [Piece] = []
    private var pieceStart = 0

    /// - Parameter limit: Chosen by the owner: a media connection stops feeding at its delay
    ///   budget long before; a control connection that lets this much pile up is not read.
    public init(limit: Int = 1024 * 1024) { self.limit = limit }

    public var isEmpty: Bool { byteCount == 0 }
    public var room: Int { limit - byteCount }

    /// Copies bytes in. Small ones that follow each other are sent as one piece.
    public mutating func append(_ bytes: RawSpan) {
        guard admit(bytes.byteCount) else { return }
        own.append(copying: bytes)
        appendOwn(bytes.byteCount)
    }

    public mutating func append(_ bytes: [UInt8]) {
        guard admit(bytes.count) else { return }
        own.append(contentsOf: bytes)
        appendOwn(bytes.count)
    }

    public mutating func append(_ text: String) {
        let count = text.utf8.count
        guard admit(count) else { return }
        own.append(contentsOf: text.utf8)
        appendOwn(count)
    }

    /// Lets a message be written in place: `write` says how many bytes it used of the `maximum`.
    public mutating func append(maximum: Int, _ write: (inout MutableRawSpan) -> Int) {
        guard admit(maximum) else { return }
        byteCount -= maximum
        let start = own.count
        own.append(contentsOf: repeatElement(0, count: maximum))
        var count = 0
        do {
            var all = own.mutableSpan
            var bytes = unsafe all.mutableBytes
            var window = bytes._mutatingExtracting(droppingFirst: start)
            count = write(&window)
        }
        precondition(count >= 0 && count <= maximum, "not what was written")
        own.removeLast(maximum - count)
        byteCount += count
        appendOwn(count)
    }

    /// Queues a part of a chunk, without a copy.
    public mutating func append(_ chunk: Chunk, _ range: Range<Int>) {
        precondition(range.upperBound <= chunk.count && range.lowerBound >= 0, "outside the chunk")
        guard admit(range.count) else { return }
        guard !range.isEmpty else { return }
        pieces.append(Piece(chunk: chunk, offset: range.lowerBound, count: range.count))
    }

    public mutating func append(_ chunk: Chunk) { append(chunk, 0..<chunk.count) }

    /// The first piece, for a layer that must see the bytes (TLS). Empty when nothing waits.
    public var front: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            guard pieceStart < pieces.count else { return RawSpan() }
            let piece = pieces[pieceStart]
            guard let chunk = piece.chunk else {
                return own.raw.extracting(ownStart..<ownStart + piece.count)
            }
            // The chunk stays where it is as long as this outbox is not changed.
            let start = unsafe chunk.base?.advanced(by: piece.offset)
            let bytes = unsafe UnsafeRawBufferPointer(start: start, count: piece.count)
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: bytes), borrowing: self)
        }
    }

    /// Shows the first pieces, at most `slicesMaximum`, for one write. They end with the call.
    ///
    /// Not generic in its result: it would not be specialised in the module that writes.
    public borrowing func withSlices(_ write: (UnsafeBufferPointer<Slice>) -> Int) -> Int {
        unsafe own.withUnsafeBytes { own in
            // On the stack: 64 slices are 1 KiB.
            unsafe withUnsafeTemporaryAllocation(of: Slice.self, capacity: Self.slicesMaximum) {
                slices in
                let count = unsafe fill(slices, own: own)
                return unsafe write(UnsafeBufferPointer(rebasing: slices[..<count]))
            }
        }
    }

    /// Forgets `count` bytes that were written.
    public mutating func advance(_ count: Int) {
        precondition(count >= 0 && count <= byteCount, "more than there was")
        byteCount -= count
        guard byteCount > 0 else {
            tidy()
            return
        }
        var left = count
        while left > 0 {
            let taken = min(left, pieces[pieceStart].count)
            left -= taken
            take(taken)
        }
        tidy()
    }

    /// Forgets everything, for a connection that is no more.
    public mutating func clear() {
        own.removeAll(keepingCapacity: true)
        pieces.removeAll(keepingCapacity: true)
        ownStart = 0
        pieceStart = 0
        byteCount = 0
        isOverflowing = false
    }

    private borrowing func fill(
        _ slices: UnsafeMutableBufferPointer<Slice>, own: UnsafeRawBufferPointer
    ) -> Int {
        var ownOffset = ownStart
        var count = 0
        for index in pieceStart..<min(pieces.count, pieceStart + Self.slicesMaximum) {
            let piece = pieces[index]
            var start: UnsafeRawPointer?
            if let chunk = piece.chunk {
                unsafe start = chunk.base?.advanced(by: piece.offset)
            } else {
                unsafe start = own.baseAddress?.advanced(by: ownOffset)
                ownOffset += piece.count
            }
            unsafe slices.initializeElement(at: count, to: Slice(bytes: start, count: piece.count))
            count += 1
        }
        return count
    }

    private mutating func admit(_ count: Int) -> Bool {
        // Once something is missing, nothing may follow it: half a message is not a message.
        if isOverflowing || count > room { isOverflowing = true }
        guard !isOverflowing else { return false }
        byteCount += count
        return true
    }

    private mutating func appendOwn(_ count: Int) {
        guard count > 0 else { return }
        if let last = pieces.indices.last, last >= pieceStart, pieces[last].chunk == nil {
            pieces[last].count += count
        } else {
            pieces.append(Piece(chunk: nil, offset: 0, count: count))
        }
    }

    /// Takes `count` bytes, at most one piece, from the front.
    private mutating func take(_ count: Int) {
        if pieces[pieceStart].chunk == nil { ownStart += count }
        pieces[pieceStart].offset += count
        pieces[pieceStart].count -= count
        guard pieces[pieceStart].count == 0 else { return }
        pieces[pieceStart].chunk = nil
        pieceStart += 1
    }

    /// Gives back what lies before the start, seldom enough that each byte moves at most once.
    private mutating func tidy() {
        if isEmpty {
            pieces.removeAll(keepingCapacity: true)
            pieceStart = 0
            ownStart = own.count
        } else if pieceStart >= 64, pieceStart > pieces.count / 2 {
            pieces.removeFirst(pieceStart)
            pieceStart = 0
        }
        if ownStart == own.count {
            // A connection that once queued a lot must not hold it for the rest of its life.
            own.removeAll(keepingCapacity: own.capacity <= Self.ownKept)
            ownStart = 0
        } else if ownStart >= 4096, ownStart > own.count / 2 {
            own.removeFirst(ownStart)
            ownStart = 0
        }
    }

    /// Memory for own bytes that an idle connection keeps: a few heads of messages.
    private static let ownKept = 4096
}
