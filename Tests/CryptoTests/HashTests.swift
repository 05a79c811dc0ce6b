import Crypto
import Testing
import Wire

struct HashTests {
    @Test(arguments: [
        (Digest.md5, "900150983cd24fb0d6963f7d28e17f72"),
        (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (.sha512t256, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
    ])
    func hashesTheTextThatEveryStandardUses(digest: Digest, hex: String) {
        #expect(digest.hex("abc") == hex)
    }

    @Test(arguments: Digest.allCases)
    func everyHashHasTheLengthItSays(digest: Digest) {
        let hash = digest.hash([UInt8]().raw)
        #expect(hash.count == digest.byteCount)
    }

    /// RFC 2202 §3, cases 1, 2 and 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 20), "Hi There",
            "b617318655057264e28bc0b6fb378c8ef146be00"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        ),
        (
            [UInt8](repeating: 0xaa, count: 80),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        ),
    ])
    func hmacSHA1(key: [UInt8], text: String, hex: String) {
        let message = Array(text.utf8)
        let hmac = HMACSHA1(key: key.raw)
        let tag = hmac.tag(message.raw)
        #expect(Hex.encode(Self.bytes(tag.span).raw) == hex)

        for cut in [0, 1, message.count] {
            let parts = (Array(message.prefix(cut)), Array(message.dropFirst(cut)))
            let again = hmac.tag(parts.0.raw, parts.1.raw)
            #expect(Self.bytes(again.span) == Self.bytes(tag.span), "in two pieces")
        }
    }

    /// RFC 4231 §4.3 and §4.7.
    @Test(arguments: [
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func hmacSHA256(key: [UInt8], text: String, hex: String) {
        let tag = HMACSHA256(key: key.raw).tag(Array(text.utf8).raw)
        #expect(Hex.encode(Self.bytes(tag.span).raw) == hex)
    }

    @Test func aTagIsRightOnlyWhole() throws {
        let hmac = HMACSHA256(key: [1, 2, 3].raw)
        let message = Array("ticket".utf8)
        let tag = Self.bytes(hmac.tag(message.raw).span)
        func accepts(_ tag: [UInt8]) -> Bool { hmac.isValid(tag.raw, for: message.raw) }

        #expect(accepts(tag))
        #expect(!accepts(tag.dropLast()))
        #expect(!accepts([]))
        for index in tag.indices {
            var wrong = tag
            wrong[index] ^= 1
            #expect(!accepts(wrong))
        }
    }

    static func bytes(_ span: Span<UInt8>) -> [UInt8] {
        (0..<span.count).map { span[$0] }
    }
}
