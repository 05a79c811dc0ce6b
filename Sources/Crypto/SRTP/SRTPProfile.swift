/// A protection profile of DTLS-SRTP (RFC 5764 §4.1.2, RFC 7714 §14.2); the raw value is its
/// number on the wire.
package enum SRTPProfile: UInt16, Sendable, CaseIterable {
    case aes128SHA1 = 0x0001
    case aes128GCM = 0x0007
    case aes256GCM = 0x0008

    /// What OpenSSL calls it.
    var name: String {
        switch self {
        case .aes128SHA1: "SRTP_AES128_CM_SHA1_80"
        case .aes128GCM: "SRTP_AEAD_AES_128_GCM"
        case .aes256GCM: "SRTP_AEAD_AES_256_GCM"
        }
    }

    package var keyCount: Int { self == .aes256GCM ? 32 : 16 }
    package var saltCount: Int { self == .aes128SHA1 ? 14 : 12 }
    /// What an RTP packet grows by.
    package var tagCount: Int { self == .aes128SHA1 ? 10 : 16 }
    /// What an RTCP packet grows by: the tag and the index.
    package var rtcpGrowth: Int { tagCount + 4 }
    package var isGCM: Bool { self != .aes128SHA1 }

    /// GCM costs half of SHA-1 and less, so it comes first; SHA-1 is the only one of MbedTLS.
    package static let preferred: [SRTPProfile] = [.aes128GCM, .aes256GCM, .aes128SHA1]
}

/// A master key and its salt, for one direction. Never printed.
package struct SRTPMaster: Equatable, Sendable, CustomStringConvertible {
    let key: [UInt8]
    let salt: [UInt8]

    package init(key: [UInt8], salt: [UInt8]) {
        self.key = key
        self.salt = salt
    }

    package var description: String { "SRTP master key" }
}

/// What a DTLS handshake was for: the keys of both directions.
package struct SRTPKeys: Equatable, Sendable {
    package let profile: SRTPProfile
    /// For what we send.
    package let local: SRTPMaster
    /// For what the peer sends.
    package let remote: SRTPMaster

    /// - Parameter material: client key, server key, client salt, server salt (RFC 5764 §4.2).
    init(profile: SRTPProfile, material: [UInt8], isServer: Bool) {
        let (key, salt) = (profile.keyCount, profile.saltCount)
        precondition(material.count == Self.materialCount(profile), "exporter length")
        let client = SRTPMaster(
            key: Array(material[..<key]), salt: Array(material[2 * key..<2 * key + salt]))
        let server = SRTPMaster(
            key: Array(material[key..<2 * key]), salt: Array(material[(2 * key + salt)...]))
        self.profile = profile
        local = isServer ? server : client
        remote = isServer ? client : server
    }

    static func materialCount(_ profile: SRTPProfile) -> Int {
        2 * (profile.keyCount + profile.saltCount)
    }
}
