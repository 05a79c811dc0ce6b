import CCryptoShims

/// A key for HMAC-SHA1 (RFC 2104): STUN's MESSAGE-INTEGRITY, old cloud APIs.
///
/// The key's two blocks are hashed when it is made; a tag costs no allocation.
package struct HMACSHA1: Sendable {
    package static let tagCount = 20
    private var key = crypto_hmac_key()

    package init(key bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes {
            unsafe crypto_hmac_sha1_key(&key, $0.baseAddress, $0.count)
        }
    }

    package func tag(_ message: RawSpan) -> [20 of UInt8] {
        tag(message, message.extracting(first: 0))
    }

    /// The tag of two pieces, one behind the other: a header with a patched length and the rest.
    package func tag(_ first: RawSpan, _ second: RawSpan) -> [20 of UInt8] {
        var tag = [20 of UInt8](repeating: 0)
        var key = key
        unsafe first.withUnsafeBytes { a in
            unsafe second.withUnsafeBytes { b in
                var span = tag.mutableSpan
                unsafe span.withUnsafeMutableBufferPointer {
                    unsafe crypto_hmac_sha1(
                        &key, a.baseAddress, a.count, b.baseAddress, b.count, $0.baseAddress)
                }
            }
        }
        return tag
    }

    /// Whether `expected` is the tag, compared in constant time. A shorter one is never right.
    package func isValid(_ expected: RawSpan, for first: RawSpan, _ second: RawSpan) -> Bool {
        let own = tag(first, second)
        return unsafe ConstantTime.equal(own.span.bytes, expected)
    }

    package func isValid(_ expected: RawSpan, for message: RawSpan) -> Bool {
        isValid(expected, for: message, message.extracting(first: 0))
    }
}

/// A key for HMAC-SHA256 (RFC 2104): tickets, tokens, signed addresses.
package struct HMACSHA256: Sendable {
    package static let tagCount = 32
    private var key = crypto_hmac_key()

    package init(key bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes {
            unsafe crypto_hmac_sha256_key(&key, $0.baseAddress, $0.count)
        }
    }

    package func tag(_ message: RawSpan) -> [32 of UInt8] {
        tag(message, message.extracting(first: 0))
    }

    package func tag(_ first: RawSpan, _ second: RawSpan) -> [32 of UInt8] {
        var tag = [32 of UInt8](repeating: 0)
        var key = key
        unsafe first.withUnsafeBytes { a in
            unsafe second.withUnsafeBytes { b in
                var span = tag.mutableSpan
                unsafe span.withUnsafeMutableBufferPointer {
                    unsafe crypto_hmac_sha256(
                        &key, a.baseAddress, a.count, b.baseAddress, b.count, $0.baseAddress)
                }
            }
        }
        return tag
    }

    package func isValid(_ expected: RawSpan, for first: RawSpan, _ second: RawSpan) -> Bool {
        let own = tag(first, second)
        return unsafe ConstantTime.equal(own.span.bytes, expected)
    }

    package func isValid(_ expected: RawSpan, for message: RawSpan) -> Bool {
        isValid(expected, for: message, message.extracting(first: 0))
    }
}
