import Wire

/// The viewers of a fan-out: what every turn touches in one block, the rest of each in another.
/// Places are used again; a turn number tells who had them.
@safe final class ViewerTable {
    private var hot: UnsafeMutablePointer<ViewerHot>
    private var cold: UnsafeMutablePointer<ViewerCold>
    private var turns: [UInt32] = []
    private var used: [Bool] = []
    private var free: [Int32] = []
    private var capacity = 8
    private(set) var count = 0

    init() {
        unsafe hot = .allocate(capacity: capacity)
        unsafe cold = .allocate(capacity: capacity)
    }

    deinit {
        for place in used.indices where used[place] {
            unsafe (hot + place).deinitialize(count: 1)
            unsafe (cold + place).deinitialize(count: 1)
        }
        unsafe hot.deallocate()
        unsafe cold.deallocate()
    }

    /// Places from 0 up to here have been used.
    var end: Int { used.count }

    func isUsed(_ place: Int) -> Bool { used[place] }

    func place(of id: ViewerID) -> Int? {
        let place = Int(id.place)
        guard place >= 0, place < used.count, used[place], turns[place] == id.turn else {
            return nil
        }
        return place
    }

    func id(at place: Int) -> ViewerID { ViewerID(place: Int32(place), turn: turns[place]) }

    func add(_ hotPart: ViewerHot, _ coldPart: consuming ViewerCold) -> Int {
        let place = free.popLast().map { Int($0) } ?? used.count
        if place == used.count {
            if place == capacity { grow() }
            used.append(false)
            turns.append(0)
        }
        used[place] = true
        turns[place] &+= 1
        unsafe (hot + place).initialize(to: hotPart)
        unsafe (cold + place).initialize(to: coldPart)
        count += 1
        return place
    }

    func remove(_ place: Int) -> SendState {
        precondition(used[place], "no such viewer")
        used[place] = false
        free.append(Int32(place))
        count -= 1
        return unsafe SendState(hot: (hot + place).move(), cold: (cold + place).move())
    }

    subscript(hot place: Int) -> ViewerHot {
        _read { yield unsafe hot[checked(place)] }
        _modify { yield unsafe &hot[checked(place)] }
    }

    subscript(cold place: Int) -> ViewerCold {
        _read { yield unsafe cold[checked(place)] }
        _modify { yield unsafe &cold[checked(place)] }
    }

    private func checked(_ place: Int) -> Int {
        precondition(used[place], "no such viewer")
        return place
    }

    private func grow() {
        let old = capacity
        capacity *= 2
        let largerHot = UnsafeMutablePointer<ViewerHot>.allocate(capacity: capacity)
        let largerCold = UnsafeMutablePointer<ViewerCold>.allocate(capacity: capacity)
        for place in 0..<old where used[place] {
            unsafe (largerHot + place).moveInitialize(from: hot + place, count: 1)
            unsafe (largerCold + place).moveInitialize(from: cold + place, count: 1)
        }
        unsafe hot.deallocate()
        unsafe cold.deallocate()
        unsafe hot = unsafe largerHot
        unsafe cold = unsafe largerCold
    }
}

/// A viewer between two streams: its numbers, keys and what was sent go along, so that nothing is
/// numbered twice and repairs go on.
package struct SendState: ~Copyable {
    var hot: ViewerHot
    var cold: ViewerCold
    /// The encodings its runs name, by their number there.
    var lanes: [UInt8: Lane] = [:]

    init(hot: ViewerHot, cold: consuming ViewerCold) {
        self.hot = hot
        self.cold = cold
    }
}
