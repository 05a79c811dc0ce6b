/// Where the key frames of a history begin, in order.
///
/// Bounded: of a stream that has nothing but key frames, the newest 64 are enough to begin with.
struct KeyIndex {
    private static let capacity = 64
    private var indexes: [64 of Int64] = .init(repeating: 0)
    private var start = 0
    private var count = 0

    var last: Int64? { count == 0 ? nil : self[count - 1] }

    /// Mostly at the end; a repaired key frame may come out of order.
    mutating func insert(_ index: Int64) {
        if count == Self.capacity {
            start += 1
            count -= 1
        }
        var place = count
        while place > 0, self[place - 1] > index { place -= 1 }
        if place > 0, self[place - 1] == index { return }
        count += 1
        var moved = count - 1
        while moved > place {
            self[moved] = self[moved - 1]
            moved -= 1
        }
        self[place] = index
    }

    /// Only the oldest can leave.
    mutating func remove(_ index: Int64) {
        guard count > 0, self[0] == index else { return }
        start += 1
        count -= 1
    }

    mutating func removeAll() { count = 0 }

    func first(atOrAfter index: Int64) -> Int64? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < index { low = middle + 1 } else { high = middle }
        }
        return low < count ? self[low] : nil
    }

    private subscript(_ place: Int) -> Int64 {
        get { indexes[(start + place) & (Self.capacity - 1)] }
        set { indexes[(start + place) & (Self.capacity - 1)] = newValue }
    }
}
