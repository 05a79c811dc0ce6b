import CCryptoShims
import COpenSSL
import Wire

/// Why a certificate cannot be used, in words for the one who configured it.
package enum CertificateError: Error, Equatable, Sendable, CustomStringConvertible {
    case notPEM(String)
    case encryptedKey
    case keyMismatch
    case expired(on: String)
    case notYetValid(from: String)
    case openSSL(String)

    package var description: String {
        switch self {
        case .notPEM(let what): "no \(what) in PEM form found"
        case .encryptedKey: "the key is encrypted with a pass phrase"
        case .keyMismatch: "the key does not belong to the certificate"
        case .expired(let day): "the certificate expired on \(day)"
        case .notYetValid(let day): "the certificate is valid only from \(day)"
        case .openSSL(let reason): "OpenSSL refused: \(reason)"
        }
    }
}

/// A certificate with its chain and its private key: who we are towards TLS and DTLS peers.
///
/// Plain bytes, so that it can be handed to every worker; each makes its own contexts from it. It
/// does not look at the clock: ask `check(at:)`.
package struct Certificate: Sendable {
    /// DER, the leaf first.
    let chain: [[UInt8]]
    /// DER. Never printed: see `description`.
    let key: [UInt8]
    /// Seconds since 1970.
    package let notBefore: Int64
    package let notAfter: Int64
    /// The host names and IPv4 addresses it is good for.
    package let names: [String]

    /// A chain, the leaf first, and the leaf's key, as files from any authority contain them.
    package init(chain pem: RawSpan, key keyPEM: RawSpan) throws(CertificateError) {
        OpenSSLError.clear()
        let certificates = unsafe Self.readCertificates(pem)
        defer { unsafe certificates.forEach { unsafe X509_free($0) } }
        guard let leaf = unsafe certificates.first else { throw .notPEM("certificate") }
        let key = try unsafe Self.readKey(keyPEM)
        defer { unsafe EVP_PKEY_free(key) }
        guard unsafe X509_check_private_key(leaf, key) == 1 else { throw .keyMismatch }
        try unsafe self.init(certificates, key: key)
    }

    /// A certificate that vouches for itself.
    ///
    /// For DTLS the peer trusts its fingerprint in the SDP; for TLS it is what runs until there is
    /// a real one. The key and the serial number come from OpenSSL's dice, the time from outside.
    package static func selfSigned(
        commonName: String, names: [String] = [], from notBefore: Int64, days: Int64
    ) throws(CertificateError) -> Certificate {
        OpenSSLError.clear()
        guard let key = unsafe crypto_new_key() else { throw .openSSL(OpenSSLError.last) }
        defer { unsafe EVP_PKEY_free(key) }
        let list = names.flatMap { Array($0.utf8CString) }
        let made = unsafe list.withUnsafeBufferPointer {
            unsafe crypto_self_signed(
                key, commonName, $0.baseAddress, names.count, notBefore,
                notBefore + days * 86_400)
        }
        guard let certificate = unsafe made else { throw .openSSL(OpenSSLError.last) }
        defer { unsafe X509_free(certificate) }
        return try unsafe Certificate([certificate], key: key)
    }

    private init(_ certificates: [OpaquePointer], key: OpaquePointer) throws(CertificateError) {
        chain = unsafe certificates.map { certificate in
            unsafe Self.encode { unsafe i2d_X509(certificate, $0) }
        }
        self.key = unsafe Self.encode { unsafe i2d_PrivateKey(key, $0) }
        guard let leaf = unsafe certificates.first, !self.key.isEmpty, !chain.contains([]) else {
            throw .openSSL(OpenSSLError.last)
        }
        notBefore = unsafe crypto_time(X509_get0_notBefore(leaf))
        notAfter = unsafe crypto_time(X509_get0_notAfter(leaf))
        names = unsafe Self.names(of: leaf)
    }

    /// The certificate is good at this time: seconds since 1970.
    package func check(at time: Int64) throws(CertificateError) {
        guard time < notAfter else {
            throw .expired(on: CivilTime(seconds: notAfter).date)
        }
        guard time >= notBefore else {
            throw .notYetValid(from: CivilTime(seconds: notBefore).date)
        }
    }

    package func fingerprint(_ hash: Digest = .sha256) -> Fingerprint {
        let leaf = chain[0]
        return Fingerprint(hash: hash, bytes: hash.hash(leaf.raw))
    }
}

extension Certificate: CustomStringConvertible {
    /// What may stand in a log: never the key.
    package var description: String {
        let day = CivilTime(seconds: notAfter).date
        return "certificate for \(names.joined(separator: ", ")) until \(day)"
    }
}

/// Reading and writing PEM.
extension Certificate {
    /// No chain of the real world is longer; a file of a megabyte of certificates is a mistake.
    private static let chainMaximum = 10

    /// The chain as files hold it.
    package var chainPEM: [UInt8] { chain.flatMap { Self.pem("CERTIFICATE", $0) } }
    /// The secret key. For files of mode 0600 only.
    package var keyPEM: [UInt8] { Self.pem("PRIVATE KEY", Self.pkcs8(key)) }

    private static func readCertificates(_ pem: RawSpan) -> [OpaquePointer] {
        var found: [OpaquePointer] = unsafe []
        unsafe forEachCertificate(in: pem) {
            guard unsafe found.count < chainMaximum else { return }
            unsafe X509_up_ref($0)
            unsafe found.append($0)
        }
        return unsafe found
    }

    /// - Returns: How many there are in the bundle.
    @discardableResult
    static func forEachCertificate(in pem: RawSpan, _ body: (OpaquePointer) -> Void) -> Int {
        unsafe withBIO(pem) { bio in
            var count = 0
            while let certificate = unsafe crypto_read_certificate(bio) {
                unsafe body(certificate)
                unsafe X509_free(certificate)
                count += 1
            }
            return count
        }
    }

    private static func readKey(_ pem: RawSpan) throws(CertificateError) -> OpaquePointer {
        if let key = unsafe withBIO(pem, { unsafe crypto_read_key($0) }) { return unsafe key }
        let text = String(decoding: [UInt8](copying: pem), as: UTF8.self)
        throw text.contains("ENCRYPTED") ? .encryptedKey : .notPEM("private key")
    }

    private static func withBIO<T>(_ bytes: RawSpan, _ body: (OpaquePointer?) -> T) -> T {
        unsafe bytes.withUnsafeBytes {
            let bio = unsafe BIO_new_mem_buf($0.baseAddress, CInt(clamping: $0.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }

    /// Calls one of OpenSSL's `i2d` functions: first for the size, then for the bytes.
    static func encode(
        _ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> CInt
    ) -> [UInt8] {
        let count = write(nil)
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            var position = buffer.baseAddress
            filled = Int(unsafe write(&position))
        }
    }

    private static func pkcs8(_ key: [UInt8]) -> [UInt8] {
        unsafe withKey(key) { key in
            let info = unsafe EVP_PKEY2PKCS8(key)
            defer { unsafe PKCS8_PRIV_KEY_INFO_free(info) }
            return unsafe encode { unsafe i2d_PKCS8_PRIV_KEY_INFO(info, $0) }
        }
    }

    private static func withKey<T>(_ der: [UInt8], _ body: (OpaquePointer?) -> T) -> T {
        unsafe der.withUnsafeBufferPointer {
            var position = $0.baseAddress
            let key = unsafe d2i_AutoPrivateKey(nil, &position, $0.count)
            defer { unsafe EVP_PKEY_free(key) }
            return unsafe body(key)
        }
    }

    private static func pem(_ label: String, _ der: [UInt8]) -> [UInt8] {
        let bio = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(bio) }
        _ = unsafe PEM_write_bio(bio, label, "", der, der.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: BIO_ctrl_pending(bio)) {
            let count = unsafe BIO_read(bio, $0.baseAddress, CInt($0.count))
            $1 = max(0, Int(count))
        }
    }

    private static func names(of certificate: OpaquePointer) -> [String] {
        var names: [String] = []
        for index in 0..<100 as Range<CInt> {
            var text = [CChar](repeating: 0, count: 256)  // A DNS name has at most 253.
            let count = unsafe crypto_alternative_name(certificate, index, &text, text.count)
            guard count >= 0 else { break }
            guard count > 0 else { continue }
            let bytes = text.prefix(Int(count)).map { UInt8(bitPattern: $0) }
            names.append(String(decoding: bytes, as: UTF8.self))
        }
        return names
    }
}

/// Putting it to use.
extension Certificate {
    /// Makes it the one that a context shows to its peers.
    func install(in memory: SSLMemory) throws(CertificateError) {
        OpenSSLError.clear()
        let context = unsafe memory.context
        let leaf = chain[0]
        let used =
            unsafe SSL_CTX_use_certificate_ASN1(context, CInt(leaf.count), leaf) == 1
            && Self.withKey(key) { unsafe SSL_CTX_use_PrivateKey(context, $0) } == 1
        guard used else { throw .openSSL(OpenSSLError.last) }
        for issuer in chain.dropFirst() {
            let added = unsafe issuer.withUnsafeBufferPointer {
                var position = $0.baseAddress
                let certificate = unsafe d2i_X509(nil, &position, $0.count)
                defer { unsafe X509_free(certificate) }
                return unsafe crypto_context_add_chain(context, certificate)
            }
            guard added == 1 else { throw .openSSL(OpenSSLError.last) }
        }
    }
}
