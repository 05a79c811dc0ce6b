package import Wire

/// Walks NAL units that stand behind their lengths: MP4, FLV and RTMP, and our own frames.
///
/// Gives ranges, not copies. An empty unit is skipped; a length past the end throws once and then
/// the walk is over.
package struct LengthPrefixedUnits: ~Escapable {
    private var reader: ByteReader
    private let lengthSize: Int

    /// - Parameter lengthSize: 1, 2 or 4, as `lengthSizeMinusOne` of avcC and hvcC allow; 3 exists
    ///   in no standard but is harmless.
    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan, lengthSize: Int = 4) {
        precondition((1...4).contains(lengthSize), "a length has 1 to 4 bytes")
        reader = ByteReader(bytes)
        self.lengthSize = lengthSize
    }

    @_lifetime(self: copy self)
    package mutating func next() throws(ParseError) -> Range<Int>? {
        while reader.remaining > 0 {
            let count = try readLength()
            let start = reader.offset
            guard count <= reader.remaining else {
                let missing = count - reader.remaining
                try reader.skip(reader.remaining)
                throw .truncated(at: start, needed: missing)
            }
            try reader.skip(count)
            if count > 0 { return start..<start + count }
        }
        return nil
    }

    @_lifetime(self: copy self)
    private mutating func readLength() throws(ParseError) -> Int {
        guard reader.remaining >= lengthSize else {
            let at = reader.offset
            let missing = lengthSize - reader.remaining
            try reader.skip(reader.remaining)
            throw .truncated(at: at, needed: missing)
        }
        var length = 0
        for _ in 0..<lengthSize { length = length << 8 | Int(try reader.read(UInt8.self)) }
        return length
    }
}
