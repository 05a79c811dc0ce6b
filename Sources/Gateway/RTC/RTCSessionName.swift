import Wire

/// The name of a WebRTC session in its URL: who knows it may end the session, so it is 120 random
/// bits, and beside them its place in the directory, so that any worker finds it at once.
///
/// Printed and read here only. A forged name finds nothing: the directory compares all of it.
package struct RTCSessionName: Hashable, Sendable, CustomStringConvertible {
    /// 24 bits.
    package let slot: UInt32
    private let high: UInt64
    /// 56 bits.
    private let low: UInt64

    private static let byteCount = 18

    package init(slot: UInt32, random: (UInt64, UInt64)) {
        precondition(slot < 1 << 24, "a slot has 24 bits")
        self.slot = slot
        high = random.0
        low = random.1 & ((1 << 56) - 1)
    }

    /// - Returns: nil for what no session of ours was ever called.
    package init?(_ text: some StringProtocol) {
        guard let bytes = Base64.decode(text, strictly: .urlSafe), bytes.count == Self.byteCount
        else { return nil }
        slot = bytes[0..<3].reduce(0) { $0 << 8 | UInt32($1) }
        high = bytes[3..<11].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[11...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// 24 characters, all of them good in a path.
    package var description: String {
        var bytes: [UInt8] = []
        for shift in stride(from: 16, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: slot >> UInt32(shift)))
        }
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: high >> UInt64(shift)))
        }
        for shift in stride(from: 48, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: low >> UInt64(shift)))
        }
        return Base64.encode(bytes.raw, .urlSafe)
    }

    /// For logs and the API: enough to tell sessions apart, not enough to end one.
    package var short: String { String(description.prefix(8)) }
}
