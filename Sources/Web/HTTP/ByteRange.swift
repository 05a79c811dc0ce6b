import Wire

/// What a `Range` header asks for (RFC 9110 §14.2). Only the first range of a list is served: a
/// thousand small ones would be an amplifier, and no player of ours sends two.
package enum ByteRange: Equatable, Sendable {
    /// No range, or one in a unit or form that we do not know: the whole content, status 200.
    case whole
    case part(Range<Int>)
    /// Status 416, with `Content-Range: bytes */length`.
    case unsatisfiable

    /// - Parameter length: The size of the content in bytes.
    package init(_ header: String?, length: Int) {
        guard let header, header.utf8.count <= HTTPTarget.bytesMaximum * 4 else {
            self = .whole
            return
        }
        let bytes = Array(header.utf8)
        self = Self.read(bytes.raw, length: length)
    }

    package static func contentRange(_ range: Range<Int>, of length: Int) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)"
    }

    private static func read(_ bytes: RawSpan, length: Int) -> ByteRange {
        guard bytes.byteCount > 6, bytes.matches("bytes=", 0..<6) else { return .whole }
        var rest = 6..<bytes.byteCount
        guard let item = bytes.nextListItem(&rest),
            let dash = bytes.firstIndex(of: 0x2d, in: item)
        else { return .whole }
        let first = item.lowerBound..<dash
        let last = dash + 1..<item.upperBound
        if first.isEmpty {
            // The last n bytes.
            guard let count = number(bytes, last) else { return .whole }
            return count == 0 || length == 0
                ? .unsatisfiable : .part(max(0, length - count)..<length)
        }
        guard let start = number(bytes, first) else { return .whole }
        if last.isEmpty { return start < length ? .part(start..<length) : .unsatisfiable }
        guard let end = number(bytes, last), end >= start else { return .whole }
        return start < length ? .part(start..<min(length - 1, end) + 1) : .unsatisfiable
    }

    /// A number too long for an `Int` is merely large: 0-18446744073709551615 is the whole content.
    private static func number(_ bytes: RawSpan, _ range: Range<Int>) -> Int? {
        if let number = bytes.decimal(range) { return number }
        guard range.count > 18 else { return nil }
        for offset in range where !ASCII.isDigit(bytes.byte(at: offset)) { return nil }
        return .max
    }
}
