/// Writes bits, most significant first: configurations of a few bytes, never media.
struct BitWriter {
    private(set) var bytes: [UInt8] = []
    private var used = 0

    mutating func write(_ value: some FixedWidthInteger, _ count: Int) {
        for bit in (0..<count).reversed() {
            if used & 7 == 0 { bytes.append(0) }
            if value >> bit & 1 == 1 { bytes[used >> 3] |= 0x80 >> UInt8(used & 7) }
            used += 1
        }
    }

    /// By index, or in full behind the escape.
    mutating func write(rate: Int) {
        if let index = SampleRates.index(of: rate) {
            write(index, 4)
        } else {
            write(15, 4)
            write(rate, 24)
        }
    }
}
