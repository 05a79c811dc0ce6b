extension [UInt8] {
    /// The bytes as a `RawSpan`. `Span.bytes` is marked unsafe because padding inside an element
    /// may be uninitialised; a byte has no padding. Said once here, so that no caller has to.
    public var raw: RawSpan {
        @inlinable @_lifetime(borrow self)
        borrowing get { unsafe span.bytes }
    }

    /// Copies what a span shows. For control messages and tests; the packet path does not copy so.
    @inlinable public init(copying span: RawSpan) {
        self = unsafe span.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    @inlinable public mutating func append(copying span: RawSpan) {
        unsafe span.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// A number in network order, its most significant byte first.
    @inlinable
    public mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
        var shift = T.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }
}

extension RawSpan {
    /// The byte at `offset`, bounds-checked.
    @inlinable public func byte(at offset: Int) -> UInt8 {
        precondition(offset >= 0 && offset < byteCount, "byte outside of the span")
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}

extension MutableRawSpan {
    /// Copies bytes in at `offset`; the window must have room for them.
    @inlinable @_lifetime(self: copy self)
    public mutating func copy(_ source: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset + source.byteCount <= byteCount, "window too small")
        unsafe withUnsafeMutableBytes { target in
            unsafe source.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(
                    from: $0)
            }
        }
    }
}
