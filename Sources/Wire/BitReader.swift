/// Reads bits, most significant first, from bytes it borrows: parameter sets, AAC configurations,
/// codec descriptors.
public struct BitReader: ~Escapable {
    @usableFromInline let bytes: RawSpan
    @usableFromInline var position = 0

    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) { self.bytes = bytes }

    @inlinable public var offset: Int { position }
    @inlinable public var remaining: Int { bytes.byteCount * 8 - position }

    /// - Parameter count: 0 to 64.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func read(_ count: Int) throws(ParseError) -> UInt64 {
        precondition((0...64).contains(count), "a field has at most 64 bits")
        guard count <= remaining else { throw .truncated(at: position / 8, needed: count) }
        var value: UInt64 = 0
        for _ in 0..<count {
            let byte = bytes.byte(at: position >> 3)
            value = value << 1 | UInt64(byte >> (7 - UInt8(position & 7)) & 1)
            position += 1
        }
        return value
    }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func flag() throws(ParseError) -> Bool { try read(1) == 1 }

    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(ParseError) {
        guard count >= 0, count <= remaining else {
            throw .truncated(at: position / 8, needed: count)
        }
        position += count
    }

    /// Exp-Golomb, unsigned (H.264 §9.1). At most 32 leading zeros: more is not a number we know.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func unsignedGolomb() throws(ParseError) -> UInt64 {
        var zeros = 0
        while try read(1) == 0 {
            zeros += 1
            guard zeros <= 32 else {
                throw .invalid("Exp-Golomb prefix", value: UInt64(zeros), at: position / 8)
            }
        }
        return (1 << UInt64(zeros)) - 1 + (try read(zeros))
    }

    /// Exp-Golomb, signed (H.264 §9.1.1).
    @inlinable
    @_lifetime(self: copy self)
    public mutating func signedGolomb() throws(ParseError) -> Int64 {
        let code = try unsignedGolomb()
        let magnitude = Int64((code + 1) / 2)
        return code & 1 == 1 ? magnitude : -magnitude
    }
}
