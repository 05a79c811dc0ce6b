/// What text protocols ask of a byte: letter case, digits, the token alphabet, control bytes.
public enum ASCII {
    public static let tab: UInt8 = 0x09
    public static let lineFeed: UInt8 = 0x0a
    public static let carriageReturn: UInt8 = 0x0d
    public static let space: UInt8 = 0x20

    @inlinable public static func lower(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }

    @inlinable public static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

    @inlinable public static func isLetter(_ byte: UInt8) -> Bool {
        let byte = lower(byte)
        return byte >= 0x61 && byte <= 0x7a
    }

    /// Below space, and DEL. The tab is one of them.
    @inlinable public static func isControl(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x7f }

    /// A character of a header name or method: `tchar` of RFC 9110 §5.6.2, as in SIP and RTSP.
    @inlinable public static func isToken(_ byte: UInt8) -> Bool {
        if isDigit(byte) || isLetter(byte) { return true }
        return switch byte {
        case 0x21, 0x23...0x27, 0x2a, 0x2b, 0x2d, 0x2e, 0x5e...0x60, 0x7c, 0x7e: true
        default: false
        }
    }
}
