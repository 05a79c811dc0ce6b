import Crypto
import Wire

/// The client's half of the signed handshake, for the test.
enum Signing {
    static let clientKey = Array("Genuine Adobe Flash Player 001".utf8)
    static let serverKey = Array("Genuine Adobe Flash Media Server 001".utf8)
    static let serverKeyWithTail =
        serverKey
        + (Hex.decode("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae") ?? [])

    static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        let tag = HMACSHA256(key: key.raw).tag(bytes.raw)
        return (0..<32).map { tag[$0] }
    }

    private static func place(_ bytes: [UInt8], base: Int) -> Int {
        bytes[base..<base + 4].reduce(0) { $0 + Int($1) } % 728 + base + 4
    }

    private static func digest(_ bytes: [UInt8], base: Int, key: [UInt8]) -> [UInt8] {
        let at = place(bytes, base: base)
        return hmac(Array(bytes[..<at] + bytes[(at + 32)...]), key: key)
    }

    static func sign(_ bytes: inout [UInt8], base: Int, key: [UInt8]) -> [UInt8] {
        let made = digest(bytes, base: base, key: key)
        let at = place(bytes, base: base)
        bytes.replaceSubrange(at..<at + 32, with: made)
        return made
    }

    static func isSigned(_ bytes: [UInt8], base: Int, key: [UInt8]) -> Bool {
        let at = place(bytes, base: base)
        return Array(bytes[at..<at + 32]) == digest(bytes, base: base, key: key)
    }
}
