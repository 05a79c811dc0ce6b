import COpenSSL
import Wire

/// A cryptographic hash of some bytes: Digest authentication, fingerprints, cache keys.
package enum Digest: String, Sendable, CaseIterable {
    case md5 = "md5"
    case sha1 = "sha-1"
    case sha224 = "sha-224"
    case sha256 = "sha-256"
    case sha384 = "sha-384"
    case sha512 = "sha-512"
    case sha512t256 = "sha-512-256"

    package var byteCount: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256, .sha512t256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    package func hash(_ bytes: RawSpan) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: byteCount)
        let done = unsafe bytes.withUnsafeBytes {
            unsafe EVP_Digest($0.baseAddress, $0.count, &result, nil, function, nil)
        }
        // A provider without a hash of the list above is a broken installation of OpenSSL.
        precondition(done == 1, "OpenSSL cannot compute \(rawValue)")
        return result
    }

    /// Lower-case hexadecimal, as HTTP and RTSP write it.
    package func hex(_ text: String) -> String {
        Hex.encode(hash(Array(text.utf8).raw).raw)
    }

    var function: OpaquePointer? {
        switch self {
        case .md5: unsafe EVP_md5()
        case .sha1: unsafe EVP_sha1()
        case .sha224: unsafe EVP_sha224()
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        case .sha512t256: unsafe EVP_sha512_256()
        }
    }
}
