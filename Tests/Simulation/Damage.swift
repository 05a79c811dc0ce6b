package import Wire

/// What every parser is fed besides its good examples: the example cut short at each byte, and with
/// a few bytes changed, dropped, doubled or put in.
package enum Damage {
    package static func truncations(_ bytes: [UInt8]) -> [[UInt8]] {
        bytes.indices.map { Array(bytes.prefix($0)) }
    }

    /// A copy with one to four changes; the same seed makes the same ones.
    package static func damaged(_ bytes: [UInt8], using random: inout SplitMix64) -> [UInt8] {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard let at = damaged.indices.randomElement(using: &random) else { break }
            let byte = UInt8.random(in: 0...255, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: damaged.remove(at: at)
            case 1: damaged.insert(byte, at: at)
            case 2: damaged.insert(contentsOf: damaged[at...].prefix(16), at: at)
            case 3: damaged[at] ^= 1 << (byte & 7)
            default: damaged[at] = byte
            }
        }
        return damaged
    }
}
