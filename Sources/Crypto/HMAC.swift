import CCryptoShims
import Wire

/// A key for HMAC (RFC 2104) with one hash. Its two blocks are hashed when it is made; a tag costs
/// no allocation.
package protocol HMACKey: Sendable {
    /// As many bytes as the hash has.
    associatedtype Tag

    init(key bytes: RawSpan)

    /// The tag of two pieces, one behind the other: a header with a patched length and the rest.
    func tag(_ first: RawSpan, _ second: RawSpan) -> Tag

    /// Whether `expected` is the tag, compared in constant time. A shorter one is never right.
    func isValid(_ expected: RawSpan, for first: RawSpan, _ second: RawSpan) -> Bool
}

extension HMACKey {
    package func tag(_ message: RawSpan) -> Tag { tag(message, message.extracting(first: 0)) }

    package func isValid(_ expected: RawSpan, for message: RawSpan) -> Bool {
        isValid(expected, for: message, message.extracting(first: 0))
    }
}

/// STUN's MESSAGE-INTEGRITY, old cloud APIs.
package struct HMACSHA1: HMACKey {
    package static let tagCount = 20
    private var key = crypto_hmac_key()

    package init(key bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes {
            unsafe crypto_hmac_sha1_key(&key, $0.baseAddress, $0.count)
        }
    }

    package func tag(_ first: RawSpan, _ second: RawSpan) -> [20 of UInt8] {
        unsafe makeTag(key, first, second, crypto_hmac_sha1)
    }

    package func isValid(_ expected: RawSpan, for first: RawSpan, _ second: RawSpan) -> Bool {
        isSame(tag(first, second), expected)
    }
}

/// Tickets, tokens, signed addresses.
package struct HMACSHA256: HMACKey {
    package static let tagCount = 32
    private var key = crypto_hmac_key()

    package init(key bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes {
            unsafe crypto_hmac_sha256_key(&key, $0.baseAddress, $0.count)
        }
    }

    package func tag(_ first: RawSpan, _ second: RawSpan) -> [32 of UInt8] {
        unsafe makeTag(key, first, second, crypto_hmac_sha256)
    }

    package func isValid(_ expected: RawSpan, for first: RawSpan, _ second: RawSpan) -> Bool {
        isSame(tag(first, second), expected)
    }
}

private func makeTag<let count: Int>(
    _ key: crypto_hmac_key, _ first: RawSpan, _ second: RawSpan,
    _ authenticate: (
        UnsafePointer<crypto_hmac_key>?, UnsafeRawPointer?, Int, UnsafeRawPointer?, Int,
        UnsafeMutablePointer<UInt8>?
    ) -> Void
) -> [count of UInt8] {
    var tag = [count of UInt8](repeating: 0)
    var key = key
    unsafe first.withUnsafeBytes { a in
        unsafe second.withUnsafeBytes { b in
            var span = tag.mutableSpan
            unsafe span.withUnsafeMutableBufferPointer {
                unsafe authenticate(
                    &key, a.baseAddress, a.count, b.baseAddress, b.count, $0.baseAddress)
            }
        }
    }
    return tag
}

private func isSame<let count: Int>(_ own: [count of UInt8], _ expected: RawSpan) -> Bool {
    unsafe ConstantTime.equal(own.span.bytes, expected)
}
