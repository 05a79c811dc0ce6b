import CCryptoShims
import COpenSSL
import Wire

/// One TLS connection without its socket: ciphertext in, plaintext out, and the reverse.
///
///     handshaking ──▶ open ──▶ closed (close_notify came)
///          └────────────┴────▶ failed
///
/// It holds no queue: what it makes of one call's bytes lies in the caller's sinks when the call
/// returns, at most as much plaintext as ciphertext came in, and one record behind. The caller
/// bounds what it reads from the socket and what it lets pile up.
package final class TLSSession {
    package enum State: Equatable, Sendable { case handshaking, open, closed, failed }

    private let context: TLSContext
    private let connection: SSLConnection
    package private(set) var state = State.handshaking

    package init(server context: TLSContext) throws(TLSError) {
        precondition(context.isServer, "a server's session needs a server's context")
        guard let connection = SSLConnection(context.memory, isServer: true) else {
            throw .settings(OpenSSLError.last)
        }
        self.context = context
        self.connection = connection
    }

    /// - Parameters:
    ///   - host: The name or address that the user asked for: what the certificate must say.
    ///   - time: Seconds since 1970: what the certificate's dates are compared with.
    package init(client context: TLSContext, host: String, at time: Int64) throws(TLSError) {
        precondition(!context.isServer, "a client's session needs a client's context")
        guard let connection = SSLConnection(context.memory, isServer: false) else {
            throw .settings(OpenSSLError.last)
        }
        self.context = context
        self.connection = connection
        let ssl = unsafe self.connection.ssl
        let parameters = unsafe SSL_get0_param(ssl)
        unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(time))
        // An address is compared with the certificate's addresses, and is never asked for by name
        // (RFC 6066 §3).
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return }
        guard unsafe SSL_set1_host(ssl, host) == 1, unsafe crypto_set_server_name(ssl, host) == 1
        else { throw .settings("host name \(host)") }
    }

    /// The protocol that both sides agreed on, if any.
    package var alpn: String? { connection.alpn }

    /// The peer's certificate: for a camera that is to be pinned from now on.
    package func peerFingerprint(_ hash: Digest = .sha256) -> Fingerprint? {
        connection.peerCertificate.map { Fingerprint(hash: hash, bytes: hash.hash($0.raw)) }
    }

    /// A client speaks first.
    package func start(output: inout [UInt8]) throws(TLSError) {
        _ = try advance(output: &output)
    }

    /// Bytes came from the peer.
    ///
    /// - Returns: Whether keys were made or signatures checked: about half a millisecond. The
    ///   worker counts these and lets others wait for the next turn.
    /// - Throws: The reason of the end. `output` may hold an alert that is worth sending.
    package func receive(
        _ ciphertext: RawSpan, plaintext: inout [UInt8], output: inout [UInt8]
    ) throws(TLSError) -> Bool {
        guard state == .handshaking || state == .open else { throw .notOpen }
        let result = connection.withInput(ciphertext) { () -> Result<Bool, TLSError> in
            do throws(TLSError) {
                let dear = try advance(output: &output)
                if state == .open { try read(into: &plaintext) }
                return .success(dear)
            } catch {
                return .failure(error)
            }
        }
        connection.memory.drain(into: &output)
        return try result.get()
    }

    /// Encrypts. The sink grows by the same size and about two hundredths more.
    package func send(_ plaintext: RawSpan, output: inout [UInt8]) throws(TLSError) {
        guard state == .open else { throw .notOpen }
        let outcome = connection.write(plaintext)
        connection.memory.drain(into: &output)
        guard outcome == .done else { throw fail(outcome) }
    }

    /// Says close_notify: nothing is sent after it.
    package func close(output: inout [UInt8]) {
        guard state == .open else { return }
        connection.shutdown()
        connection.memory.drain(into: &output)
        state = .closed
    }

    private func advance(output: inout [UInt8]) throws(TLSError) -> Bool {
        guard state == .handshaking else { return false }
        let before = connection.handshakeState
        let outcome = connection.handshake()
        connection.memory.drain(into: &output)
        if case .failed(let reason) = outcome {
            state = .failed
            throw refusal(reason)
        }
        if outcome == .done {
            if case .pinned(let pins) = context.trust,
                !pins.vouch(for: connection.peerCertificate)
            {
                state = .failed
                throw .untrusted("its certificate is not the pinned one")
            }
            state = .open
        }
        return connection.handshakeState != before
    }

    private func read(into plaintext: inout [UInt8]) throws(TLSError) {
        while true {
            switch connection.read(into: &plaintext) {
            case .done: continue
            case .wantsInput: return
            case .closed:
                state = .closed
                return
            case .failed(let reason): throw fail(.failed(reason))
            }
        }
    }

    private func fail(_ outcome: SSLConnection.Outcome) -> TLSError {
        state = .failed
        return if case .failed(let reason) = outcome { .broken(reason) } else { .broken("blocked") }
    }

    private func refusal(_ reason: String) -> TLSError {
        let verdict = unsafe SSL_get_verify_result(connection.ssl)
        guard !context.isServer, verdict != X509_V_OK,
            let text = unsafe X509_verify_cert_error_string(verdict)
        else { return .handshake(reason) }
        return .untrusted(unsafe String(cString: text))
    }
}
