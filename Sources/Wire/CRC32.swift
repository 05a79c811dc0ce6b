/// The CRC-32 of IEEE 802.3: STUN's FINGERPRINT and others. A checksum, not a proof of anything.
public struct CRC32: Sendable {
    /// 16 entries, four bits a step: twice the steps of the usual table and a sixteenth of its
    /// cache. STUN messages are a hundred bytes.
    @usableFromInline static let table: [16 of UInt32] = [
        0x0000_0000, 0x1db7_1064, 0x3b6e_20c8, 0x26d9_30ac, 0x76dc_4190, 0x6b6b_51f4, 0x4db2_6158,
        0x5005_713c, 0xedb8_8320, 0xf00f_9344, 0xd6d6_a3e8, 0xcb61_b38c, 0x9b64_c2b0, 0x86d3_d2d4,
        0xa00a_e278, 0xbdbd_f21c,
    ]

    @usableFromInline var state: UInt32 = 0xffff_ffff

    @inlinable public init() {}

    @inlinable public mutating func update(_ byte: UInt8) {
        state ^= UInt32(byte)
        state = state >> 4 ^ Self.table[Int(state & 15)]
        state = state >> 4 ^ Self.table[Int(state & 15)]
    }

    @inlinable public mutating func update(_ bytes: RawSpan) {
        for offset in 0..<bytes.byteCount { update(bytes.byte(at: offset)) }
    }

    @inlinable public var value: UInt32 { ~state }
}
