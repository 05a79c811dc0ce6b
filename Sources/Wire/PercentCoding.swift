/// Percent-encoding (RFC 3986 §2.1). Decoded exactly once, at the edge: `%252e` is the text `%2e`
/// ever after.
public enum PercentCoding {
    /// - Parameter plusIsSpace: True in a query, as forms write it.
    public static func decode(
        _ bytes: RawSpan, _ range: Range<Int>, plusIsSpace: Bool = false
    ) throws(ParseError) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(range.count)
        var offset = range.lowerBound
        while offset < range.upperBound {
            let byte = bytes.byte(at: offset)
            if byte == 0x25 {
                guard range.upperBound - offset > 2,
                    let high = Hex.value(bytes.byte(at: offset + 1)),
                    let low = Hex.value(bytes.byte(at: offset + 2))
                else { throw .invalid("percent-encoding", value: 0x25, at: offset) }
                decoded.append(high << 4 | low)
                offset += 3
            } else {
                decoded.append(plusIsSpace && byte == 0x2b ? ASCII.space : byte)
                offset += 1
            }
        }
        return decoded
    }

    /// `text` as one component: all but the unreserved characters (RFC 3986 §2.3) encoded.
    public static func encode(_ text: some StringProtocol, keeping kept: String = "") -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) || kept.utf8.contains(byte) {
                encoded.append(byte)
            } else {
                append(byte, to: &encoded)
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    /// `%0D`: upper case, as RFC 3986 §2.1 prefers.
    static func append(_ byte: UInt8, to text: inout [UInt8]) {
        text.append(0x25)
        for half in [byte >> 4, byte & 15] {
            text.append(half < 10 ? half + 0x30 : half - 10 + 0x41)
        }
    }

    static func isUnreserved(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte)
            || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x7e
    }
}
