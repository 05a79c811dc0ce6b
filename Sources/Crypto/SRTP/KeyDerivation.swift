import CCryptoShims

/// The session keys that come out of a master key (RFC 3711 §4.3, RFC 7714 §11). We never derive
/// again: the rate is zero, as DTLS-SRTP has it.
struct SRTPSessionKeys {
    enum Use: UInt8 { case rtp = 0, rtcp = 3 }

    let encryption: [UInt8]
    let authentication: [UInt8]
    /// 14 bytes: the two behind the salt of GCM are zero.
    let salt: [UInt8]

    init(_ master: SRTPMaster, profile: SRTPProfile, for use: Use) {
        precondition(
            master.key.count == profile.keyCount && master.salt.count == profile.saltCount,
            "a master key of another profile")
        let masterSalt = master.salt + [UInt8](repeating: 0, count: 14 - master.salt.count)
        func derive(_ label: UInt8, _ count: Int) -> [UInt8] {
            var out = [UInt8](repeating: 0, count: count)
            let done = unsafe crypto_derive(
                master.key, master.key.count, masterSalt, use.rawValue + label, &out, count)
            precondition(done, "OpenSSL cannot do AES")
            return out
        }
        encryption = derive(0, profile.keyCount)
        authentication = profile.isGCM ? [] : derive(1, 20)
        salt = derive(2, profile.saltCount) + [UInt8](repeating: 0, count: 14 - profile.saltCount)
    }

    init(encryption: [UInt8], authentication: [UInt8], salt: [UInt8]) {
        self.encryption = encryption
        self.authentication = authentication
        self.salt = salt + [UInt8](repeating: 0, count: 14 - salt.count)
    }
}
