import CCryptoShims
import COpenSSL
import Wire

/// Why TLS cannot begin or go on.
package enum TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    case certificate(CertificateError)
    case settings(String)
    case handshake(String)
    /// The server is not who we asked for.
    case untrusted(String)
    case broken(String)
    /// `send` before the handshake is done, or after the end.
    case notOpen

    package var description: String {
        switch self {
        case .certificate(let error): error.description
        case .settings(let reason): "TLS settings refused: \(reason)"
        case .handshake(let reason): "TLS handshake failed: \(reason)"
        case .untrusted(let reason): "TLS server not trusted: \(reason)"
        case .broken(let reason): "TLS connection broken: \(reason)"
        case .notOpen: "TLS connection is not open"
        }
    }
}

/// What all TLS sessions of one worker share: certificates, protocols, whom we trust.
///
/// It never changes: new certificates mean a new context, and the sessions of the old one go on
/// with it until they end.
@safe package final class TLSContext {
    /// Whom a client believes.
    package enum Trust: Sendable {
        /// The authorities of a PEM bundle, and the host's name in the certificate.
        case authorities(pem: [UInt8])
        /// The same from a folder of hashed names, such as /etc/ssl/certs.
        case directory(String)
        /// Only these certificates, whatever their name and authority.
        case pinned([Fingerprint])
        /// Anybody: cameras with certificates of their own. Only when the operator said so.
        case anything
    }

    /// 16 for their name, 32 for HMAC, 32 for AES.
    package static let ticketKeysCount = 80
    /// The most that one call may produce; HTTP sends what its outbox holds, a chunk at a time.
    static let outputLimit = 8 << 20

    let memory: SSLMemory
    let trust: Trust
    let isServer: Bool
    /// Other certificates, chosen by the name that the client asks for.
    private let others: [SSLMemory]
    // What OpenSSL's callbacks read, for as long as the context lives.
    private let names: UnsafeMutableBufferPointer<OpaquePointer?>
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// - Parameters:
    ///   - certificates: The first answers a client that names no host we know.
    ///   - alpn: In our order of preference: "h2", "http/1.1".
    ///   - ticketKeys: Random bytes, `ticketKeysCount` of them, the same for every worker: a
    ///     client that comes back to another worker resumes there too. `nil`: OpenSSL's own.
    package convenience init(
        serverWith certificates: [Certificate], alpn: [String], ticketKeys: [UInt8]? = nil
    ) throws(TLSError) {
        var contexts: [SSLMemory] = []
        for certificate in certificates {
            let memory = try Self.makeMemory(isServer: true)
            do { try certificate.install(in: memory) } catch {
                throw .certificate(error)
            }
            if let ticketKeys {
                let count = ticketKeys.count
                guard unsafe crypto_context_set_ticket_keys(memory.context, ticketKeys, count) == 1
                else { throw .settings("ticket keys of \(count) bytes") }
            }
            contexts.append(memory)
        }
        guard let first = contexts.first else { throw .settings("no certificate") }
        self.init(first, others: Array(contexts.dropFirst()), alpn: alpn, trust: .anything)
    }

    package convenience init(clientTrusting trust: Trust, alpn: [String] = []) throws(TLSError) {
        let memory = try Self.makeMemory(isServer: false)
        try Self.install(trust, in: memory)
        self.init(memory, others: [], alpn: alpn, trust: trust, isServer: false)
    }

    private init(
        _ memory: SSLMemory, others: [SSLMemory], alpn: [String], trust: Trust,
        isServer: Bool = true
    ) {
        self.memory = memory
        self.others = others
        self.trust = trust
        self.isServer = isServer
        let contexts = unsafe isServer ? [memory.context] + others.map { unsafe $0.context } : []
        unsafe names = .allocate(capacity: contexts.count + 1)
        _ = unsafe names.initialize(from: contexts.map(Optional.some) + [nil])
        let list = alpn.flatMap { [UInt8(clamping: $0.utf8.count)] + Array($0.utf8.prefix(255)) }
        unsafe protocols = .allocate(capacity: list.count + 1)
        _ = unsafe protocols.initialize(from: list + [0])
        guard isServer else {
            unsafe SSL_CTX_set_alpn_protos(
                memory.context, protocols.baseAddress, UInt32(list.count))
            return
        }
        unsafe crypto_context_select_name(memory.context, names.baseAddress)
        // OpenSSL asks the callback of the context that the name has selected.
        guard !list.isEmpty else { return }
        unsafe contexts.forEach { unsafe crypto_context_select_alpn($0, protocols.baseAddress) }
    }

    deinit {
        unsafe names.deallocate()
        unsafe protocols.deallocate()
    }

    private static func makeMemory(isServer: Bool) throws(TLSError) -> SSLMemory {
        guard
            let memory = unsafe SSLMemory(
                method: isServer ? TLS_server_method() : TLS_client_method(),
                minimumVersion: TLS1_2_VERSION, datagrams: false,
                outputLimit: outputLimit)
        else { throw .settings(OpenSSLError.last) }
        return memory
    }

    private static func install(_ trust: Trust, in memory: SSLMemory) throws(TLSError) {
        switch trust {
        case .authorities(let pem):
            let store = unsafe SSL_CTX_get_cert_store(memory.context)
            let count = unsafe Certificate.forEachCertificate(in: pem.raw) {
                unsafe X509_STORE_add_cert(store, $0)
            }
            guard count > 0 else { throw .certificate(.notPEM("certificate authority")) }
        case .directory(let path):
            guard unsafe SSL_CTX_load_verify_dir(memory.context, path) == 1 else {
                throw .settings("\(path): \(OpenSSLError.last)")
            }
        case .pinned, .anything:
            unsafe SSL_CTX_set_verify(memory.context, SSL_VERIFY_NONE, nil)
            return
        }
        unsafe SSL_CTX_set_verify(memory.context, SSL_VERIFY_PEER, nil)
    }
}
