import CSRTP

/// libsrtp2 as an engine: slow, and the reference to which the others are compared.
///
/// It keeps its own roll-over counters, from zero, as our indexes begin.
@safe struct LibSRTPContexts: ~Copyable {
    private var contexts: [srtp_t?] = unsafe []

    /// Once for the process; it counts nothing and may stay.
    private static let isReady = srtp_init() == srtp_err_status_ok

    deinit {
        unsafe contexts.forEach { unsafe Self.free($0) }
    }

    mutating func add(
        _ master: SRTPMaster, profile: SRTPProfile, for direction: CryptoEngine.Direction,
        at index: Int
    ) {
        precondition(Self.isReady, "libsrtp2 does not start")
        var policy = unsafe srtp_policy_t()
        let (number, length): (srtp_profile_t, CInt) =
            switch profile {
            case .aes128SHA1: (srtp_profile_aes128_cm_sha1_80, 30)
            case .aes128GCM: (srtp_profile_aead_aes_128_gcm, 28)
            case .aes256GCM: (srtp_profile_aead_aes_256_gcm, 44)
            }
        precondition(Int(length) == master.key.count + master.salt.count, "a key of its profile")
        unsafe srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, number)
        unsafe srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, number)
        unsafe policy.ssrc.type =
            direction == .sending ? ssrc_any_outbound : ssrc_any_inbound
        unsafe policy.window_size = 1024
        unsafe policy.allow_repeat_tx = 1  // A repair may send the same packet again.
        var bytes = master.key + master.salt
        var context: srtp_t?
        let status = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe policy.key = $0.baseAddress
            return unsafe srtp_create(&context, &policy)
        }
        precondition(status == srtp_err_status_ok, "libsrtp2 refuses a key")
        while unsafe contexts.count <= index { unsafe contexts.append(nil) }
        unsafe contexts[index] = unsafe context
    }

    mutating func remove(at index: Int) {
        guard unsafe index < contexts.count else { return }
        unsafe Self.free(contexts[index])
        unsafe contexts[index] = nil
    }

    private static func free(_ context: srtp_t?) {
        if let context = unsafe context { unsafe srtp_dealloc(context) }
    }

    func protect(
        _ window: inout MutableRawSpan, count: Int, key: SRTPKey
    ) -> Int {
        unsafe run(&window, count, key) { unsafe srtp_protect($0, $1, $2) } ?? 0
    }

    func protectRTCP(_ packet: inout MutableRawSpan, count: Int, key: SRTPKey) -> Int {
        unsafe run(&packet, count, key) { unsafe srtp_protect_rtcp($0, $1, $2) } ?? 0
    }

    func unprotect(_ packet: inout MutableRawSpan, key: SRTPKey) -> Int? {
        unsafe run(&packet, packet.byteCount, key) { unsafe srtp_unprotect($0, $1, $2) }
    }

    func unprotectRTCP(_ packet: inout MutableRawSpan, key: SRTPKey) -> Int? {
        unsafe run(&packet, packet.byteCount, key) { unsafe srtp_unprotect_rtcp($0, $1, $2) }
    }

    private func run(
        _ packet: inout MutableRawSpan, _ count: Int, _ key: SRTPKey,
        _ body: (srtp_t?, UnsafeMutableRawPointer?, UnsafeMutablePointer<CInt>?) ->
            srtp_err_status_t
    ) -> Int? {
        var length = CInt(count)
        let context = unsafe contexts[Int(key.index)]
        let status = unsafe packet.withUnsafeMutableBytes {
            unsafe body(context, $0.baseAddress, &length)
        }
        return status == srtp_err_status_ok ? Int(length) : nil
    }
}
