import Wire

extension BitReader {
    /// An unsigned Exp-Golomb number that the standard bounds: above it the bytes are hostile or
    /// broken, and what would follow from them (a size, a count of loops) is not computed.
    @_lifetime(self: copy self)
    mutating func golomb(_ field: StaticName, atMost limit: UInt64) throws(ParseError) -> Int {
        let at = offset / 8
        let value = try unsignedGolomb()
        guard value <= limit else { throw .invalid(field, value: value, at: at) }
        return Int(value)
    }

    @_lifetime(self: copy self)
    mutating func bits(_ count: Int) throws(ParseError) -> Int {
        Int(truncatingIfNeeded: try read(count))
    }

    @_lifetime(self: copy self)
    mutating func skipGolomb(_ count: Int = 1) throws(ParseError) {
        for _ in 0..<count { _ = try unsignedGolomb() }
    }
}
