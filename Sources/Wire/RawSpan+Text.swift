/// Text inside borrowed bytes, compared and read in place: a header costs a copy only when somebody
/// wants to keep it. A range outside of the bytes traps: ranges are ours, never the peer's.
extension RawSpan {
    /// The text of `range`; what is not UTF-8 becomes U+FFFD.
    public func string(_ range: Range<Int>) -> String {
        unsafe extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }

    /// The text of `range`, or `nil` where it is not UTF-8.
    public func validString(_ range: Range<Int>) -> String? {
        unsafe extracting(range).withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }

    /// Whether `range` holds `text`, upper and lower case letters alike (ASCII only).
    public func matches(_ text: String, _ range: Range<Int>) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var offset = range.lowerBound
        for expected in text.utf8 {
            guard ASCII.lower(byte(at: offset)) == ASCII.lower(expected) else { return false }
            offset += 1
        }
        return true
    }

    public func firstIndex(of wanted: UInt8, in range: Range<Int>) -> Int? {
        var offset = range.lowerBound
        while offset < range.upperBound {
            if byte(at: offset) == wanted { return offset }
            offset += 1
        }
        return nil
    }

    /// `range` without the spaces and tabs at its ends.
    public func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isBlank(start) { start += 1 }
        while end > start, isBlank(end - 1) { end -= 1 }
        return start..<end
    }

    private func isBlank(_ offset: Int) -> Bool {
        byte(at: offset) == ASCII.space || byte(at: offset) == ASCII.tab
    }

    /// A decimal number of digits alone: no sign, no space, and nothing that an `Int` cannot hold.
    public func decimal(_ range: Range<Int>) -> Int? {
        // 18 digits always fit; leading zeros count, nobody needs them.
        guard !range.isEmpty, range.count <= 18 else { return nil }
        var value = 0
        for offset in range {
            let digit = byte(at: offset)
            guard ASCII.isDigit(digit) else { return nil }
            value = value * 10 + Int(digit - 0x30)
        }
        return value
    }

    /// The items of a comma-separated list (RFC 9110 §5.6.1), trimmed, one after the other.
    ///
    /// - Parameter rest: What has not been looked at; shortened by each call.
    public func nextListItem(_ rest: inout Range<Int>) -> Range<Int>? {
        while !rest.isEmpty {
            let end = firstIndex(of: 0x2c, in: rest) ?? rest.upperBound
            let item = trimmed(rest.lowerBound..<end)
            rest = min(end + 1, rest.upperBound)..<rest.upperBound
            if !item.isEmpty { return item }
        }
        return nil
    }

    /// Whether a comma-separated list holds `token`, whatever its case.
    public func list(_ range: Range<Int>, contains token: String) -> Bool {
        var rest = range
        while let item = nextListItem(&rest) {
            if matches(token, item) { return true }
        }
        return false
    }
}
