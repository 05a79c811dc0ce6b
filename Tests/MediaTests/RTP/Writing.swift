import Media
import Wire

/// What `body` writes into a window of a datagram's size.
func written(_ body: (inout ByteWriter) -> Void) -> [UInt8] {
    var bytes = [UInt8](repeating: 0xee, count: 2048)
    var span = bytes.mutableSpan
    var writer = ByteWriter(unsafe span.mutableBytes)
    body(&writer)
    let count = writer.offset
    return Array(bytes.prefix(count))
}

extension [UInt8] {
    /// Every byte flipped somewhere, a thousand times: what a network or an attacker makes of it.
    func forEachDamage(seed: UInt64, _ body: ([UInt8]) -> Void) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            var damaged = self
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: damaged.indices, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) {
                damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random))
            }
            body(damaged)
        }
    }

    static func random(_ count: Int, using random: inout SplitMix64) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    }
}

extension ItemBatch {
    func array(of index: Int) -> [UInt8] { [UInt8](copying: bytes(of: index)) }
    var arrays: [[UInt8]] { items.indices.map { array(of: $0) } }
}
