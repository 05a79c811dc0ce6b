import CCryptoShims
import COpenSSL
import Wire

/// An `SSL_CTX`, and the memory through which its sessions read and write.
///
/// One for each worker: the memory is lent to one call at a time, so ten thousand sessions need it
/// once.
@safe final class SSLMemory {
    let context: OpaquePointer
    let wire: UnsafeMutablePointer<crypto_wire>

    /// - Parameter outputLimit: The most bytes that one call may produce.
    init?(method: OpaquePointer?, minimumVersion: CInt, datagrams: Bool, outputLimit: Int) {
        OpenSSLError.clear()
        guard let context = unsafe SSL_CTX_new(method) else { return nil }
        unsafe self.context = unsafe context
        unsafe wire = unsafe crypto_wire_new(datagrams, outputLimit)
        guard unsafe crypto_context_harden(context, minimumVersion) == 1 else { return nil }
    }

    deinit {
        unsafe SSL_CTX_free(context)
        unsafe crypto_wire_free(wire)
    }

    /// Takes what was written since the last time.
    func drain(into output: inout [UInt8]) {
        let count = unsafe wire.pointee.output_count
        guard count > 0 else { return }
        let written = unsafe UnsafeBufferPointer(start: wire.pointee.output, count: count)
        unsafe output.append(contentsOf: written)
        unsafe wire.pointee.output_count = 0
        // A burst of one session is not kept for the life of the worker.
        if unsafe wire.pointee.output_capacity > 1 << 18 { unsafe crypto_wire_shrink(wire) }
    }

    /// The same for datagrams, each of which is preceded by its length.
    func drain(into datagrams: inout DatagramList) {
        let count = unsafe wire.pointee.output_count
        let bytes = unsafe UnsafeRawBufferPointer(start: wire.pointee.output, count: count)
        var start = 0
        while start < count {
            let size = Int(unsafe bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self))
            let end = start + 2 + size
            let datagram = unsafe UnsafeRawBufferPointer(rebasing: bytes[start + 2..<end])
            unsafe datagrams.append(RawSpan(_unsafeBytes: datagram))
            start = end
        }
        discardOutput()
    }

    func discardOutput() { unsafe wire.pointee.output_count = 0 }
}

/// One session of OpenSSL over memory: what TLS and DTLS share.
@safe final class SSLConnection {
    enum Outcome: Equatable {
        case done
        case wantsInput
        /// The peer said that it sends no more (close_notify).
        case closed
        case failed(String)
    }

    let memory: SSLMemory
    let ssl: OpaquePointer

    init?(_ memory: SSLMemory, isServer: Bool) {
        OpenSSLError.clear()
        guard let ssl = unsafe SSL_new(memory.context) else { return nil }
        guard let bio = unsafe crypto_wire_bio(memory.wire) else {
            unsafe SSL_free(ssl)
            return nil
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        self.memory = memory
        unsafe self.ssl = unsafe ssl
        if isServer {
            unsafe SSL_set_accept_state(ssl)
        } else {
            unsafe SSL_set_connect_state(ssl)
        }
    }

    deinit { unsafe SSL_free(ssl) }

    /// Of datagrams nothing is left between two calls, so the 18 KiB to read and write them in are
    /// there for the length of a call only: a thousand half-open handshakes share one.
    func withBuffers<Result>(_ body: () -> Result) -> Result {
        unsafe SSL_alloc_buffers(ssl)
        defer { if unsafe SSL_has_pending(ssl) == 0 { unsafe SSL_free_buffers(ssl) } }
        return body()
    }

    /// Lends bytes from the peer to the calls made inside.
    func withInput<Result>(_ bytes: RawSpan, _ body: () -> Result) -> Result {
        unsafe bytes.withUnsafeBytes {
            let start = unsafe $0.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe memory.wire.pointee.input = unsafe UnsafePointer(start)
            unsafe memory.wire.pointee.input_count = $0.count
            defer {
                unsafe memory.wire.pointee.input = nil
                unsafe memory.wire.pointee.input_count = 0
            }
            return body()
        }
    }

    var isHandshaking: Bool { unsafe SSL_is_init_finished(ssl) == 0 }

    /// The number of OpenSSL's handshake state. It moves on when a message was worked on, which is
    /// where keys are made, signatures made and checked: when it moved, the call was a dear one.
    var handshakeState: UInt32 { unsafe SSL_get_state(ssl).rawValue }

    func handshake() -> Outcome {
        OpenSSLError.clear()
        return outcome(unsafe SSL_do_handshake(ssl))
    }

    /// Appends the next record, whole.
    func read(into plaintext: inout [UInt8]) -> Outcome {
        OpenSSLError.clear()
        var first: UInt8 = 0
        // Looking at one byte decrypts the record and tells its size: no guess, no large buffer.
        let peeked = unsafe SSL_peek(ssl, &first, 1)
        guard peeked == 1 else { return outcome(peeked) }
        let count = Int(unsafe SSL_pending(ssl))
        let start = plaintext.count
        plaintext.append(contentsOf: repeatElement(0, count: count))
        let got = unsafe plaintext.withUnsafeMutableBytes {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: $0[start...])
            return unsafe SSL_read(ssl, room.baseAddress, CInt(room.count))
        }
        plaintext.removeLast(count - max(0, Int(got)))
        return outcome(got)
    }

    func write(_ plaintext: RawSpan) -> Outcome {
        guard plaintext.byteCount > 0 else { return .done }
        OpenSSLError.clear()
        return unsafe plaintext.withUnsafeBytes {
            outcome(unsafe SSL_write(ssl, $0.baseAddress, CInt(clamping: $0.count)))
        }
    }

    /// Says close_notify.
    func shutdown() {
        OpenSSLError.clear()
        unsafe SSL_shutdown(ssl)
    }

    private func outcome(_ result: CInt) -> Outcome {
        guard result <= 0 else { return .done }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .wantsInput
        case SSL_ERROR_ZERO_RETURN: return .closed
        default: return .failed(OpenSSLError.last)
        }
    }
}

/// What is known when the handshake is done.
extension SSLConnection {
    var alpn: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &count)
        guard count > 0 else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: name, count: Int(count))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The peer's certificate, DER.
    var peerCertificate: [UInt8]? {
        guard let certificate = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
        defer { unsafe X509_free(certificate) }
        let count = unsafe i2d_X509(certificate, nil)
        guard count > 0 else { return nil }
        return unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            var position = buffer.baseAddress
            filled = Int(unsafe i2d_X509(certificate, &position))
        }
    }
}

extension SSLConnection {
    /// The keys for SRTP (RFC 5764 §4.2); `nil` if no profile was agreed on.
    func exportKeys(isServer: Bool) -> SRTPKeys? {
        guard let selected = unsafe SSL_get_selected_srtp_profile(ssl),
            let profile = SRTPProfile(rawValue: UInt16(clamping: unsafe selected.pointee.id))
        else { return nil }
        let label = "EXTRACTOR-dtls_srtp"
        var material = [UInt8](repeating: 0, count: SRTPKeys.materialCount(profile))
        let done = unsafe SSL_export_keying_material(
            ssl, &material, material.count, label, label.utf8.count, nil, 0, 0)
        guard done == 1 else { return nil }
        return SRTPKeys(profile: profile, material: material, isServer: isServer)
    }
}

extension [Fingerprint] {
    /// Whether one of them is the hash of this certificate.
    func vouch(for certificate: [UInt8]?) -> Bool {
        guard let certificate else { return false }
        return contains { $0.hash.hash(certificate.raw) == $0.bytes }
    }
}
