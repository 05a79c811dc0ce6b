/// "Did you mean …?" for names of settings, commands and options.
package enum NearestName {
    /// The candidate with the fewest typing errors, if they are few enough for a typing error.
    package static func find(_ name: String, in candidates: [String]) -> String? {
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let distance = distance(Array(name.utf8.prefix(64)), Array(candidate.utf8))
            if distance < best?.distance ?? .max { best = (distance, candidate) }
        }
        guard let best, best.distance <= max(1, best.name.utf8.count / 4) else { return nil }
        return best.name
    }

    /// Insertions, deletions, replacements and swapped neighbours.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    cost = min(cost, beforeLast[j - 1] + 1)
                }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
