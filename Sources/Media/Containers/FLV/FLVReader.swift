package import Wire

/// Takes the tags out of an FLV stream that comes in pieces.
///
///     var start = 0
///     while let header = try reader.next(bytes, from: &start) { use(header, reader.body) }
///
/// All bytes are taken in each time; what is incomplete is kept, and grows with what has come, not
/// with what was announced.
package struct FLVReader: Sendable {
    private enum State { case fileHeader, skipping(Int), tagHeader, body(FLVTag.Header) }

    private var state = State.fileHeader
    /// A header, or the body of a tag, so far.
    private var held: [UInt8] = []
    private var isShown = false

    package init() {}

    /// Of the tag that was returned last.
    package var body: RawSpan {
        @_lifetime(borrow self)
        borrowing get { held.raw }
    }

    /// - Parameter start: What has been taken of `bytes`.
    /// - Returns: nil when all bytes are taken in.
    package mutating func next(
        _ bytes: RawSpan, from start: inout Int
    ) throws(ParseError) -> FLVTag.Header? {
        if isShown {
            isShown = false
            // A key frame of some megabytes is not held for ever.
            held.removeAll(keepingCapacity: held.capacity <= 256 * 1024)
            state = .skipping(FLVTag.trailerCount)
        }
        while true {
            switch state {
            case .fileHeader:
                guard take(9, bytes, &start) else { return nil }
                try readFileHeader()
            case .skipping(let count):
                let skipped = min(count, bytes.byteCount - start)
                start += skipped
                state = .skipping(count - skipped)
                guard skipped == count else { return nil }
                state = .tagHeader
            case .tagHeader:
                guard take(FLVTag.headerCount, bytes, &start) else { return nil }
                state = .body(try FLVTag.Header(held.raw))
                held.removeAll(keepingCapacity: true)
            case .body(let header):
                guard take(header.count, bytes, &start) else { return nil }
                isShown = true
                return header
            }
        }
    }

    private mutating func readFileHeader() throws(ParseError) {
        var reader = ByteReader(held.raw)
        let signature = try reader.readUInt24()
        guard signature == 0x46_4c56 else {
            throw .invalid("FLV signature", value: UInt64(signature), at: 0)
        }
        try reader.skip(2)
        let offset = Int(try reader.read(UInt32.self))
        guard offset >= 9, offset <= 1024 else {
            throw .invalid("FLV header length", value: UInt64(offset), at: 5)
        }
        held.removeAll(keepingCapacity: true)
        state = .skipping(offset - 9 + FLVTag.trailerCount)
    }

    /// Moves bytes into `held` until it has `count`.
    private mutating func take(_ count: Int, _ bytes: RawSpan, _ start: inout Int) -> Bool {
        let taken = min(count - held.count, bytes.byteCount - start)
        held.append(copying: bytes.extracting(start..<start + taken))
        start += taken
        return held.count == count
    }
}
