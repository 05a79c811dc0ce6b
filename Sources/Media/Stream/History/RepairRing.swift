/// The holes filled lately, numbered, so that each reader can pick up those it has not seen.
struct RepairRing {
    /// A burst of loss is repaired within a few turns; a reader that sleeps longer than 256
    /// repairs is past caring about them.
    private static let capacity = 256
    private var indexes: [256 of Int64] = .init(repeating: 0)
    private(set) var count: UInt64 = 0

    mutating func append(_ index: Int64) {
        indexes[Int(count % UInt64(Self.capacity))] = index
        count += 1
    }

    subscript(_ number: UInt64) -> Int64? {
        guard number < count, number + UInt64(Self.capacity) >= count else { return nil }
        return indexes[Int(number % UInt64(Self.capacity))]
    }
}
