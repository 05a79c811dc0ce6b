import CCryptoShims
import COpenSSL
import Wire

/// What all DTLS sessions of one worker share: our certificate and what we agree to.
package final class DTLSContext {
    /// What a browser's own stack uses: it fits every path that carries WebRTC.
    static let mtu = 1200
    /// A browser's certificate has 300 bytes. 64 KiB of them is an attack.
    static let certificatesMaximum = 16_384
    /// Several flights; the largest has two datagrams.
    static let outputLimit = 65_536
    /// A check of a signature by a larger key takes longer than a whole handshake.
    static let keyBitsMaximum: CInt = 8192

    let memory: SSLMemory
    package let fingerprint: Fingerprint

    let isSimulated: Bool
    /// Servers' handshakes that have begun and not ended.
    fileprivate(set) var handshakes = 0
    /// Each holds 44 KiB of OpenSSL's, half of it one buffer: 32 MiB for all. More clients than
    /// that at once repeat their hello until there is room; one that is never finished is over
    /// after ten seconds, and nobody has one who has not passed ICE.
    static let handshakesMaximum = 720

    /// - Parameter isSimulated: Time is not real, so OpenSSL's clock may not decide anything: a run
    ///   is the same each time. The price is one repeat in the client's role, see `tls.c`.
    package init(
        certificate: Certificate, profiles: [SRTPProfile] = SRTPProfile.preferred,
        isSimulated: Bool = false
    ) throws(TLSError) {
        self.isSimulated = isSimulated
        guard
            let memory = unsafe SSLMemory(
                method: DTLS_method(), minimumVersion: DTLS1_2_VERSION, datagrams: true,
                outputLimit: Self.outputLimit)
        else { throw .settings(OpenSSLError.last) }
        self.memory = memory
        fingerprint = certificate.fingerprint()
        do { try certificate.install(in: memory) } catch { throw .certificate(error) }
        let context = unsafe memory.context
        let names = profiles.map(\.name).joined(separator: ":")
        // The function for SRTP returns 0 for success. P-256 stands in the list of groups because
        // DTLS 1.2 also means it for the curve of certificates.
        guard unsafe SSL_CTX_set_tlsext_use_srtp(context, names) == 0,
            unsafe SSL_CTX_set_cipher_list(context, Self.ciphers) == 1,
            unsafe crypto_context_set_groups(context, "X25519:P-256:P-384") == 1
        else { throw .settings(OpenSSLError.last) }
        unsafe crypto_context_no_tickets(context)
        unsafe crypto_context_limit_records(context, Self.mtu)
        unsafe crypto_context_limit_certificates(context, Self.certificatesMaximum)
        unsafe Self.installCallbacks(context)
    }

    /// Elliptic curves and authenticated encryption: what every WebRTC client of today has.
    private static let ciphers = [
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
    ].joined(separator: ":")

    private static func installCallbacks(_ context: OpaquePointer) {
        let both = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
        unsafe SSL_CTX_set_verify(context, both, nil)
        // The peer is whom the SDP says, not whom an authority says: before its signature costs us
        // anything, its certificate must have the fingerprint.
        unsafe SSL_CTX_set_cert_verify_callback(
            context,
            { store, _ in
                guard unsafe DTLSContext.isExpected(store) else {
                    unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED)
                    return 0
                }
                return 1
            }, nil)
        // A hello without use_srtp is not from a WebRTC client, and ends here before it costs a
        // signature.
        unsafe SSL_CTX_set_client_hello_cb(
            context,
            { ssl, alert, _ in
                var value: UnsafePointer<UInt8>?
                var count = 0
                let useSRTP = UInt32(TLSEXT_TYPE_use_srtp)
                guard unsafe SSL_client_hello_get0_ext(ssl, useSRTP, &value, &count) == 1 else {
                    unsafe alert?.pointee = SSL_AD_HANDSHAKE_FAILURE
                    return SSL_CLIENT_HELLO_ERROR
                }
                return SSL_CLIENT_HELLO_SUCCESS
            }, nil)
    }

    private static func isExpected(_ store: OpaquePointer?) -> Bool {
        let index = SSL_get_ex_data_X509_STORE_CTX_idx()
        guard let certificate = unsafe X509_STORE_CTX_get0_cert(store),
            let ssl = unsafe X509_STORE_CTX_get_ex_data(store, index),
            let object = unsafe SSL_get_ex_data(OpaquePointer(ssl), 0),
            let key = unsafe X509_get0_pubkey(certificate),
            unsafe EVP_PKEY_get_bits(key) <= keyBitsMaximum
        else { return false }
        let expected = unsafe Unmanaged<ExpectedPeer>.fromOpaque(object).takeUnretainedValue()
        let bytes = unsafe Certificate.encode { unsafe i2d_X509(certificate, $0) }
        expected.wasRefused = !expected.fingerprints.vouch(for: bytes)
        return !expected.wasRefused
    }
}

/// A place among the handshakes of a worker, as long as it is held.
final class HandshakePlace {
    private let context: DTLSContext

    init?(_ context: DTLSContext) {
        guard context.handshakes < DTLSContext.handshakesMaximum else { return nil }
        self.context = context
        context.handshakes += 1
    }

    deinit { context.handshakes -= 1 }
}

/// Whom a session is for, where OpenSSL's callback finds it.
final class ExpectedPeer {
    let fingerprints: [Fingerprint]
    var wasRefused = false

    init(_ fingerprints: [Fingerprint]) { self.fingerprints = fingerprints }
}
