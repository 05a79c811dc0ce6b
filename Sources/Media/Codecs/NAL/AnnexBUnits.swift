import Wire

/// Walks the NAL units of an Annex B byte stream (H.264 and H.265, annex B): start codes of three
/// or four bytes, zeros after a unit.
///
/// Gives ranges, not copies. What lies before the first start code is no unit; an empty unit is
/// skipped. Never fails: any bytes are some stream.
package struct AnnexBUnits: ~Escapable {
    private let bytes: RawSpan
    /// Where the next unit begins: just behind a start code.
    private var start: Int

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) {
        self.bytes = bytes
        start = (Self.startCode(in: bytes, from: 0) ?? bytes.byteCount) + 3
    }

    @_lifetime(self: copy self)
    package mutating func next() -> Range<Int>? {
        while start < bytes.byteCount {
            let begin = start
            let code = Self.startCode(in: bytes, from: begin) ?? bytes.byteCount
            start = code + 3
            // Zeros between units belong to neither: a unit ends with its stop bit. That also
            // takes the first byte of a start code of four.
            var end = code
            while end > begin, bytes.byte(at: end - 1) == 0 { end -= 1 }
            if end > begin { return begin..<end }
        }
        return nil
    }

    /// The offset of the next `00 00 01`.
    package static func startCode(in bytes: RawSpan, from first: Int) -> Int? {
        var at = first
        let last = bytes.byteCount - 3
        while at <= last {
            // Eight bytes without a zero hold no start code and no beginning of one.
            if at + 8 <= bytes.byteCount, !hasZero(bytes, at) {
                at += 8
                continue
            }
            // The third byte says how far to move: 2 or more: none of the three can begin a code.
            let third = bytes.byte(at: at + 2)
            if third > 1 {
                at += 3
            } else if third == 1 && bytes.byte(at: at) == 0 && bytes.byte(at: at + 1) == 0 {
                return at
            } else {
                at += 1
            }
        }
        return nil
    }

    /// Whether one of the eight bytes at `at` is zero, all at once.
    private static func hasZero(_ bytes: RawSpan, _ at: Int) -> Bool {
        precondition(at >= 0 && at + 8 <= bytes.byteCount, "word outside of the span")
        let word = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self)
        return (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080 != 0
    }
}
