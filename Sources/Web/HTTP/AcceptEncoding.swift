import Wire

/// `Accept-Encoding` (RFC 9110 §12.5.3), as far as it decides whether a file that lies there
/// compressed may be sent so.
package enum AcceptEncoding {
    package static func allowsGzip(_ header: String?) -> Bool {
        guard let header else { return false }
        let bytes = Array(header.utf8)
        var rest = 0..<bytes.count
        var any = false
        while let item = bytes.raw.nextListItem(&rest) {
            let semicolon = bytes.raw.firstIndex(of: 0x3b, in: item) ?? item.upperBound
            let name = bytes.raw.trimmed(item.lowerBound..<semicolon)
            let isWanted = !isZero(bytes.raw, semicolon..<item.upperBound)
            if bytes.raw.matches("gzip", name) || bytes.raw.matches("x-gzip", name) {
                return isWanted
            }
            if bytes.raw.matches("*", name) { any = isWanted }
        }
        return any
    }

    /// `;q=0`, `;q=0.0` and so on: "anything but this".
    private static func isZero(_ bytes: RawSpan, _ parameters: Range<Int>) -> Bool {
        guard let equals = bytes.firstIndex(of: 0x3d, in: parameters) else { return false }
        let value = bytes.trimmed(equals + 1..<parameters.upperBound)
        for offset in value where bytes.byte(at: offset) != 0x30 && bytes.byte(at: offset) != 0x2e {
            return false
        }
        return !value.isEmpty
    }
}
