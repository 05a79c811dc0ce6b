/// The characters of user fragments and passwords (RFC 8839 §5.4): letters, digits, `+` and `/`.
package enum ICEText {
    /// The character for the low six bits.
    package static func character(_ six: UInt8) -> UInt8 {
        switch six & 63 {
        case let letter where letter < 26: UInt8(ascii: "A") + letter
        case let letter where letter < 52: UInt8(ascii: "a") + letter - 26
        case let digit where digit < 62: UInt8(ascii: "0") + digit - 52
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }

    package static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }

    /// What a peer may call itself: 4 to 256 characters for a user fragment, 22 to 256 for a
    /// password. Firefox's are hexadecimal and others are known to use `-` and `_`; since we only
    /// echo and compare them, every visible character but the separator of user names will do.
    package static func isValid(_ text: String, sizes: ClosedRange<Int>) -> Bool {
        sizes.contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: ":") }
    }
}
