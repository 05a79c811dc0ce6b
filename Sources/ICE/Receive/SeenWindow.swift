/// Which of the last packets of an encoding have come, original or repaired: a packet and its
/// retransmission have different SSRCs, so that SRTP's own window lets both through.
struct SeenWindow: Sendable {
    /// Two seconds at 1,000 packets a second; a repair that comes later is of no use.
    static let size: Int64 = 2048

    private var bits = [UInt64](repeating: 0, count: Int(size / 64))
    private(set) var highest: Int64?
    /// Numbers before it belong to an SSRC that is gone.
    private var floor: Int64 = 0

    /// From here on another SSRC counts.
    mutating func begin(at index: Int64) { floor = index }

    /// True the first time, unless it is too old to tell.
    mutating func isFirst(_ index: Int64) -> Bool {
        guard index >= floor else { return false }
        guard let highest else {
            self.highest = index
            set(index)
            return true
        }
        if index > highest {
            if index - highest >= Self.size {
                for word in bits.indices { bits[word] = 0 }
            } else {
                for skipped in highest + 1...index { clear(skipped) }
            }
            self.highest = index
        } else if highest - index >= Self.size || isSet(index) {
            return false
        }
        set(index)
        return true
    }

    private static func word(_ index: Int64) -> Int { Int(index & (size - 1)) >> 6 }
    private static func mask(_ index: Int64) -> UInt64 { 1 << UInt64(index & 63) }

    private func isSet(_ index: Int64) -> Bool { bits[Self.word(index)] & Self.mask(index) != 0 }
    private mutating func set(_ index: Int64) { bits[Self.word(index)] |= Self.mask(index) }
    private mutating func clear(_ index: Int64) { bits[Self.word(index)] &= ~Self.mask(index) }
}
