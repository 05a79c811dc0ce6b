import Wire

/// Comparing secrets.
package enum ConstantTime {
    /// Whether two byte strings are equal, in a time that tells nothing about where they differ.
    package static func equal(_ a: RawSpan, _ b: RawSpan) -> Bool {
        // How long a tag is, is no secret.
        guard a.byteCount == b.byteCount else { return false }
        var difference: UInt8 = 0
        for offset in 0..<a.byteCount { difference |= a.byte(at: offset) ^ b.byte(at: offset) }
        return difference == 0
    }
}
