/// The median of the last 64 good steps between stamps, in nanoseconds. Found anew every eight
/// steps: nobody's frame rate changes faster.
struct UsualStep: Sendable {
    private static let count = 64
    private var steps: [64 of Int64] = .init(repeating: 0)
    private var filled = 0
    private var at = 0
    /// 40 ms, until there is something better.
    private(set) var nanoseconds: Int64 = 40_000_000

    mutating func note(_ step: Int64) {
        steps[at] = step
        at = (at + 1) % Self.count
        filled = min(filled + 1, Self.count)
        if filled < 8 || at % 8 == 0 { nanoseconds = median() }
    }

    private func median() -> Int64 {
        var sorted: [64 of Int64] = .init(repeating: 0)
        for index in 0..<filled {
            var place = index
            while place > 0, sorted[place - 1] > steps[index] {
                sorted[place] = sorted[place - 1]
                place -= 1
            }
            sorted[place] = steps[index]
        }
        return sorted[filled / 2]
    }
}
