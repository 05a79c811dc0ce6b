/// Comparison of secrets in a time that does not tell where they part.
public enum ConstantTime {
    /// The length is not kept secret: of a token or a digest everybody knows it.
    @inline(never)
    public static func equal(_ a: RawSpan, _ b: RawSpan) -> Bool {
        guard a.byteCount == b.byteCount else { return false }
        var difference: UInt8 = 0
        for offset in 0..<a.byteCount { difference |= a.byte(at: offset) ^ b.byte(at: offset) }
        return difference == 0
    }

    public static func equal(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        return equal(a.raw, b.raw)
    }
}
