/// Writes big-endian fields into a window it is lent. It allocates nothing and never grows: the
/// owner of the window knows the largest message there can be.
///
/// A write that does not fit traps: the size of what *we* send is our own arithmetic, so running
/// out is a mistake of ours and not something a peer can cause.
public struct ByteWriter: ~Copyable, ~Escapable {
    @usableFromInline var window: MutableRawSpan
    @usableFromInline var position = 0

    @inlinable
    @_lifetime(copy window)
    public init(_ window: consuming MutableRawSpan) { self.window = window }

    @inlinable public var offset: Int { position }
    @inlinable public var remaining: Int { window.byteCount - position }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func write<T>(_ value: T) where T: FixedWidthInteger & BitwiseCopyable {
        precondition(remaining >= MemoryLayout<T>.size, "window too small")
        unsafe window.storeBytes(
            of: value.bigEndian, toUncheckedByteOffset: position, as: T.self)
        position += MemoryLayout<T>.size
    }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func writeUInt24(_ value: UInt32) {
        write(UInt8(truncatingIfNeeded: value >> 16))
        write(UInt16(truncatingIfNeeded: value))
    }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func write(_ span: RawSpan) {
        precondition(remaining >= span.byteCount, "window too small")
        let at = position
        unsafe span.withUnsafeBytes { source in
            unsafe window.withUnsafeMutableBytes { target in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[at...]).copyMemory(
                    from: source)
            }
        }
        position += span.byteCount
    }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func write(zeros count: Int) {
        for _ in 0..<count { write(UInt8(0)) }
    }

    /// Patches a field written before: lengths that are known only at the end.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func patch<T>(_ value: T, at offset: Int)
    where T: FixedWidthInteger & BitwiseCopyable {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= position, "not written yet")
        unsafe window.storeBytes(of: value.bigEndian, toUncheckedByteOffset: offset, as: T.self)
    }
}
