/// Reads big-endian fields from bytes it borrows. It copies nothing and cannot outlive the bytes.
///
/// Each read is checked once, and moves on only when it succeeds.
///
/// `public` and `@inlinable`, as all of Wire: without either one, Swift 6.3 does not specialise the
/// generic `read` in the module that calls it, and one RTP header takes 95 ns to parse, not 5.
public struct ByteReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline var position = 0

    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    @inlinable public var offset: Int { position }
    @inlinable public var remaining: Int { bytes.byteCount - position }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func read<T>(_: T.Type) throws(ParseError) -> T
    where T: FixedWidthInteger & BitwiseCopyable {
        try require(MemoryLayout<T>.size)
        // Safe because checked just above; the checked load would test the bounds a second time.
        let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: position, as: T.self)
        position += MemoryLayout<T>.size
        return T(bigEndian: value)
    }

    @inlinable
    @_lifetime(copy self)
    public mutating func read(count: Int) throws(ParseError) -> RawSpan {
        try require(count)
        defer { position += count }
        return bytes.extracting(position..<position + count)
    }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(ParseError) {
        try require(count)
        position += count
    }

    /// The next byte, not consumed.
    @inlinable public func peek() throws(ParseError) -> UInt8 {
        try require(1)
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self)
    }

    /// A 24-bit number, as RTMP, FLV and RTCP have them.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func readUInt24() throws(ParseError) -> UInt32 {
        let high = try read(UInt8.self)
        return UInt32(high) << 16 | UInt32(try read(UInt16.self))
    }

    /// What has not been read yet.
    @inlinable public var rest: RawSpan {
        @_lifetime(copy self)
        get { bytes.extracting(position..<bytes.byteCount) }
    }

    @inlinable
    func require(_ count: Int) throws(ParseError) {
        // `count` may come from the peer. Comparing it with `remaining` cannot overflow;
        // computing `offset + count` first could.
        guard count >= 0, count <= remaining else { throw .truncated(at: position, needed: count) }
    }
}
