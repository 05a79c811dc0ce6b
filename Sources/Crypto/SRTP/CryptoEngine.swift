import CCryptoShims
import Wire

#if HAS_IPSEC_MB
    import CIPSecMB
#endif

/// Why packets cannot be protected at all.
package enum CryptoEngineError: Error, Equatable, Sendable, CustomStringConvertible {
    case notAvailable(CryptoEngine.Kind)
    case wrongAnswer(CryptoEngine.Kind, String)

    package var description: String {
        switch self {
        case .notAvailable(let kind): "SRTP engine \(kind.rawValue) is not available here"
        case .wrongAnswer(let kind, let test):
            "SRTP engine \(kind.rawValue) does not compute what the standard says: \(test)"
        }
    }
}

/// Protects and opens the packets of one worker: all keys of its sessions, and the library that
/// does the arithmetic.
///
/// A sender has no roll-over counter: its index has 64 bits, and the counter is its upper part.
/// One packet costs no allocation, no lock and no reference. Not for two threads; each worker makes
/// its own.
@safe package struct CryptoEngine: ~Copyable {
    package enum Kind: String, Sendable, CaseIterable {
        /// The fastest, on x86-64.
        case ipsecMB = "ipsec-mb"
        case openSSL = "openssl"
        /// The reference that everybody knows; ten times slower.
        case libSRTP = "libsrtp2"
    }

    package enum Direction: Sendable { case sending, receiving }

    /// Grows by doubling from here: 64 sessions of two keys each.
    static let initialCapacity = 128

    package let kind: Kind
    private let library: Library
    private var rtp: KeyTable
    private var rtcp: KeyTable
    private var profiles: [SRTPProfile?] = []
    private var free: [Int32] = []
    private var reference: LibSRTPContexts

    /// - Parameter kind: `nil`: the fastest that this machine has.
    ///
    /// It is asked for known answers first: a wrong one would be noticed by nobody but the viewers.
    package static func make(_ kind: Kind? = nil) throws(CryptoEngineError) -> CryptoEngine {
        var engine = try open(kind)
        if let failed = engine.selfTest() { throw .wrongAnswer(engine.kind, failed) }
        return engine
    }

    private init(_ library: consuming Library, _ kind: Kind) {
        self.kind = kind
        self.library = library
        rtp = KeyTable(capacity: Self.initialCapacity)
        rtcp = KeyTable(capacity: Self.initialCapacity)
        reference = LibSRTPContexts()
    }

    private static func open(_ kind: Kind?) throws(CryptoEngineError) -> CryptoEngine {
        if kind == .ipsecMB || kind == nil, let fast = unsafe crypto_srtp_new(true) {
            return unsafe CryptoEngine(Library(owning: fast), .ipsecMB)
        }
        guard kind != .ipsecMB, let plain = unsafe crypto_srtp_new(false) else {
            throw .notAvailable(.ipsecMB)
        }
        return unsafe CryptoEngine(Library(owning: plain), kind ?? .openSSL)
    }

    /// Owns what the C side allocated, so that it is freed whatever fails later.
    ///
    /// Not private: a release build for tests inlines the engine elsewhere, and the linker then
    /// misses a private type (Swift 6.3.1).
    @safe package struct Library: ~Copyable {
        let pointer: OpaquePointer
        init(owning pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }
        deinit { unsafe crypto_srtp_free(pointer) }
    }

    private var engine: OpaquePointer { unsafe library.pointer }
}

/// Keys.
extension CryptoEngine {
    package mutating func add(
        _ master: SRTPMaster, profile: SRTPProfile, for direction: Direction
    ) -> SRTPKey {
        let key = add(
            profile, rtp: SRTPSessionKeys(master, profile: profile, for: .rtp),
            rtcp: SRTPSessionKeys(master, profile: profile, for: .rtcp))
        if kind == .libSRTP {
            reference.add(master, profile: profile, for: direction, at: Int(key.index))
        }
        return key
    }

    package mutating func remove(_ key: SRTPKey) {
        let index = Int(key.index)
        precondition(profiles[index] != nil, "the key was removed before")
        unsafe crypto_key_clear(rtp[index])
        unsafe crypto_key_clear(rtcp[index])
        reference.remove(at: index)
        profiles[index] = nil
        free.append(key.index)
    }

    package func profile(of key: SRTPKey) -> SRTPProfile {
        guard let profile = profiles[Int(key.index)] else { preconditionFailure("no such key") }
        return profile
    }

    mutating func add(
        _ profile: SRTPProfile, rtp keys: SRTPSessionKeys, rtcp rtcpKeys: SRTPSessionKeys
    ) -> SRTPKey {
        let index = free.popLast() ?? Int32(profiles.count)
        if index == profiles.count { profiles.append(nil) }
        if index == rtp.capacity {
            rtp.grow()
            rtcp.grow()
        }
        profiles[Int(index)] = profile
        unsafe set(rtp[Int(index)], profile, keys)
        unsafe set(rtcp[Int(index)], profile, rtcpKeys)
        return SRTPKey(index: index)
    }

    private func set(
        _ memory: UnsafeMutableRawPointer, _ profile: SRTPProfile, _ keys: SRTPSessionKeys
    ) {
        let done = unsafe crypto_key_set(
            engine, memory, profile.rawValue, keys.encryption, keys.authentication, keys.salt)
        precondition(done, "OpenSSL cannot do AES")
    }
}

/// RTP.
extension CryptoEngine {
    /// Encrypts a payload that many share to behind a header of its own.
    ///
    /// - Parameters:
    ///   - window: Begins with the header; the ciphertext and its tag come behind it.
    ///   - index: Never given twice for one SSRC and key (the nonce is made of it), but for the
    ///     very same packet.
    ///   - together: With others where that is faster: SHA-1 takes a third of the time when sixteen
    ///     packets are hashed side by side. They are whole after `finish`; until then payload and
    ///     window stay where they are, which holds for a history and for a batch.
    /// - Returns: The length of the whole packet.
    package func protect(
        _ window: inout MutableRawSpan, headerCount: Int, payload: RawSpan, ssrc: UInt32,
        index: UInt64, key: SRTPKey, together: Bool = false
    ) -> Int {
        unsafe payload.withUnsafeBytes {
            unsafe protect(
                &window, headerCount, $0.baseAddress, $0.count, ssrc, index, key, together)
        }
    }

    /// The same for a payload of so many bytes that is in place already, behind the header.
    package func protect(
        _ window: inout MutableRawSpan, headerCount: Int, count: Int, ssrc: UInt32, index: UInt64,
        key: SRTPKey, together: Bool = false
    ) -> Int {
        let payload = unsafe window.withUnsafeMutableBytes {
            unsafe UnsafeRawPointer($0.baseAddress?.advanced(by: headerCount))
        }
        return unsafe protect(&window, headerCount, payload, count, ssrc, index, key, together)
    }

    private func protect(
        _ window: inout MutableRawSpan, _ headerCount: Int, _ payload: UnsafeRawPointer?,
        _ count: Int, _ ssrc: UInt32, _ index: UInt64, _ key: SRTPKey, _ together: Bool
    ) -> Int {
        precondition(
            headerCount >= 12 && count >= 0 && headerCount + count + 16 <= window.byteCount,
            "window too small")
        if kind == .libSRTP {
            let bytes = unsafe UnsafeRawBufferPointer(start: payload, count: count)
            window.copy(unsafe RawSpan(_unsafeBytes: bytes), at: headerCount)
            return reference.protect(&window, count: headerCount + count, key: key)
        }
        let memory = unsafe rtp[Int(key.index)]
        return unsafe window.withUnsafeMutableBytes {
            unsafe together
                ? crypto_rtp_submit(
                    engine, memory, $0.baseAddress, headerCount, payload, count, ssrc, index)
                : crypto_rtp_protect(
                    engine, memory, $0.baseAddress, headerCount, payload, count, ssrc, index)
        }
    }

    /// Finishes what was protected together.
    package func finish() { unsafe crypto_rtp_flush(engine) }

    /// What is to be protected next is under this key: with a few hundred viewers their keys do not
    /// fit the nearer caches, and each would be waited for.
    package func prefetch(_ key: SRTPKey, isGCM: Bool) {
        unsafe crypto_key_prefetch(rtp[Int(key.index)], isGCM)
    }

    /// - Returns: The length without the tag; `nil` if it is not genuine. Its payload is then
    ///   destroyed.
    func unprotect(
        _ packet: inout MutableRawSpan, headerCount: Int, ssrc: UInt32, index: UInt64, key: SRTPKey
    ) -> Int? {
        if kind == .libSRTP { return reference.unprotect(&packet, key: key) }
        let memory = unsafe rtp[Int(key.index)]
        let count = unsafe packet.withUnsafeMutableBytes {
            unsafe crypto_rtp_unprotect(
                engine, memory, $0.baseAddress, headerCount, $0.count, ssrc, index)
        }
        return count > 0 ? count : nil
    }
}

/// RTCP.
extension CryptoEngine {
    /// The largest index; after it a session would need new keys (RFC 3711 §9.2). At 20 packets a
    /// second that is three years.
    package static let rtcpIndexMaximum: UInt32 = 0x7fff_ffff

    /// - Parameter count: Of the packet, which begins in `window`; there is room for
    ///   `rtcpGrowth` behind it.
    /// - Returns: The length of the whole packet.
    package func protectRTCP(
        _ window: inout MutableRawSpan, count: Int, index: UInt32, key: SRTPKey
    ) -> Int {
        precondition(count >= 8 && count + 20 <= window.byteCount, "window too small")
        precondition(index <= Self.rtcpIndexMaximum, "RTCP index used up")
        if kind == .libSRTP { return reference.protectRTCP(&window, count: count, key: key) }
        let ssrc = window.bytes.number(at: 4)
        let memory = unsafe rtcp[Int(key.index)]
        return unsafe window.withUnsafeMutableBytes {
            unsafe crypto_rtcp_protect(engine, memory, $0.baseAddress, count, ssrc, index)
        }
    }

    func unprotectRTCP(
        _ packet: inout MutableRawSpan, ssrc: UInt32, index: UInt32, key: SRTPKey
    ) -> Int? {
        if kind == .libSRTP { return reference.unprotectRTCP(&packet, key: key) }
        let memory = unsafe rtcp[Int(key.index)]
        let count = unsafe packet.withUnsafeMutableBytes {
            unsafe crypto_rtcp_unprotect(
                engine, memory, $0.baseAddress, $0.count, ssrc, index)
        }
        return count > 0 ? count : nil
    }
}

extension RawSpan {
    /// A 32-bit number in network order.
    func number(at offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
