/// Base64 (RFC 4648): parameter sets in SDP, WebSocket keys, RTSP tunnels, credentials, tokens.
public enum Base64 {
    public enum Alphabet: Sendable {
        /// `+` and `/`, padded to a multiple of four (§4).
        case standard
        /// `-` and `_`, never padded: tokens (§5 and RFC 7515 §2).
        case urlSafe
    }

    public static func encode(_ bytes: RawSpan, _ alphabet: Alphabet = .standard) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.byteCount + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.byteCount, by: 3) {
            let count = min(3, bytes.byteCount - start)
            var group: UInt32 = 0
            for index in 0..<3 {
                group = group << 8 | (index < count ? UInt32(bytes.byte(at: start + index)) : 0)
            }
            for index in 0...count {
                let digit = UInt8(truncatingIfNeeded: group >> UInt32(18 - 6 * index)) & 63
                text.append(character(digit, alphabet))
            }
            guard alphabet == .standard else { continue }
            for _ in count..<3 { text.append(0x3d) }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Takes what devices write: padding missing or doubled, white space between, the URL alphabet.
    /// Any other character, or a single left-over digit, is no Base64: `nil`.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count / 4 * 3 + 3)
        var group: UInt32 = 0
        var digits = 0
        var padded = false
        for character in text.utf8 {
            switch character {
            case 0x09, 0x0a, 0x0d, 0x20: continue
            case 0x3d: padded = true
            default:
                guard !padded, let digit = value(character) else { return nil }
                group = group << 6 | UInt32(digit)
                digits += 1
                guard digits == 4 else { continue }
                append(group, count: 3, to: &bytes)
                digits = 0
            }
        }
        guard digits != 1 else { return nil }
        if digits > 1 { append(group << UInt32(24 - 6 * digits), count: digits - 1, to: &bytes) }
        return bytes
    }

    /// `nil` for anything that `encode` would not have written: no white space, no other alphabet,
    /// no second spelling of the same bytes. For keys and signatures, which compare as text in too
    /// many places for us to be generous.
    public static func decode(
        _ text: some StringProtocol, strictly alphabet: Alphabet
    ) -> [UInt8]? {
        guard let bytes = decode(text) else { return nil }
        // One spelling exists, so writing it again is the whole check.
        return encode(bytes.raw, alphabet).utf8.elementsEqual(text.utf8) ? bytes : nil
    }

    private static func append(_ group: UInt32, count: Int, to bytes: inout [UInt8]) {
        for index in 0..<count {
            bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * index)))
        }
    }

    private static func character(_ digit: UInt8, _ alphabet: Alphabet) -> UInt8 {
        switch digit {
        case 0..<26: digit + 0x41
        case 26..<52: digit - 26 + 0x61
        case 52..<62: digit - 52 + 0x30
        case 62: alphabet == .standard ? 0x2b : 0x2d
        default: alphabet == .standard ? 0x2f : 0x5f
        }
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case 0x41...0x5a: character - 0x41
        case 0x61...0x7a: character - 0x61 + 26
        case 0x30...0x39: character - 0x30 + 52
        case 0x2b, 0x2d: 62
        case 0x2f, 0x5f: 63
        default: nil
        }
    }
}
