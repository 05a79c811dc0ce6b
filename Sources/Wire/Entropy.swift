/// 128 bits that nobody can guess, drawn by the shell from the kernel's dice: for a nonce, where
/// the dice of protocol code (`SplitMix64`) would give its next numbers away with the last ones.
@frozen public struct Entropy: Equatable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
