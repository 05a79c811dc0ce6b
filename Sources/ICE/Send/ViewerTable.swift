import Crypto
import Wire

/// The viewers of a fan-out in blocks of memory: what every turn touches in two of them, viewer by
/// viewer, the rest in two others. Places are used again; a turn number tells who had them.
@safe final class ViewerTable {
    private var blocks: Blocks
    private var turns: [UInt32] = []
    private var free: [Int32] = []
    private var capacity = 8
    private(set) var count = 0

    @safe fileprivate struct Blocks {
        let hot: UnsafeMutablePointer<ViewerHot>
        let cold: UnsafeMutablePointer<ViewerCold>
        let slots: UnsafeMutablePointer<SlotHot>
        let coldSlots: UnsafeMutablePointer<SlotCold>
        let used: UnsafeMutablePointer<Bool>

        init(capacity: Int) {
            unsafe hot = .allocate(capacity: capacity)
            unsafe cold = .allocate(capacity: capacity)
            unsafe slots = .allocate(capacity: capacity * ViewerHot.slotCount)
            unsafe coldSlots = .allocate(capacity: capacity * ViewerHot.slotCount)
            unsafe used = .allocate(capacity: capacity)
            unsafe used.initialize(repeating: false, count: capacity)
        }

        func deallocate() {
            unsafe hot.deallocate()
            unsafe cold.deallocate()
            unsafe slots.deallocate()
            unsafe coldSlots.deallocate()
            unsafe used.deallocate()
        }

        func viewer(_ place: Int) -> Viewer {
            unsafe Viewer(
                hotPart: hot + place, coldPart: cold + place,
                slots: slots + place * ViewerHot.slotCount,
                coldSlots: coldSlots + place * ViewerHot.slotCount)
        }
    }

    init() { blocks = Blocks(capacity: capacity) }

    deinit {
        for place in 0..<end where isUsed(place) { _ = blocks.viewer(place).take() }
        blocks.deallocate()
    }

    /// Places from 0 up to here have been used.
    var end: Int { turns.count }

    /// All of them, until another viewer is added: for a loop that must not ask a class each time.
    var seats: Seats { Seats(blocks, end: end) }

    func isUsed(_ place: Int) -> Bool { seats.isUsed(place) }

    func place(of id: ViewerID) -> Int? {
        let place = Int(id.place)
        guard isUsed(place), turns[place] == id.turn else { return nil }
        return place
    }

    func id(at place: Int) -> ViewerID { ViewerID(place: Int32(place), turn: turns[place]) }

    func add(_ state: consuming SendState) -> Int {
        let place = free.popLast().map { Int($0) } ?? end
        if place == end {
            if place == capacity { grow() }
            turns.append(0)
        }
        unsafe blocks.used[place] = true
        turns[place] &+= 1
        blocks.viewer(place).put(state)
        count += 1
        return place
    }

    func remove(_ place: Int) -> SendState {
        precondition(isUsed(place), "no such viewer")
        unsafe blocks.used[place] = false
        free.append(Int32(place))
        count -= 1
        return blocks.viewer(place).take()
    }

    subscript(place: Int) -> Viewer { seats[place] }

    private func grow() {
        let larger = Blocks(capacity: capacity * 2)
        for place in 0..<end where isUsed(place) {
            unsafe larger.used[place] = true
            larger.viewer(place).put(blocks.viewer(place).take())
        }
        blocks.deallocate()
        blocks = larger
        capacity *= 2
    }
}

/// The places of a table and who has them.
@safe struct Seats {
    private let blocks: ViewerTable.Blocks
    let end: Int

    fileprivate init(_ blocks: ViewerTable.Blocks, end: Int) {
        self.blocks = blocks
        self.end = end
    }

    func isUsed(_ place: Int) -> Bool {
        unsafe place >= 0 && place < end && blocks.used[place]
    }

    subscript(place: Int) -> Viewer {
        precondition(isUsed(place), "no such viewer")
        return blocks.viewer(place)
    }
}

/// Where one viewer lies, until another one is added. Copying it copies nothing of the viewer.
@safe struct Viewer {
    private let hotPart: UnsafeMutablePointer<ViewerHot>
    private let coldPart: UnsafeMutablePointer<ViewerCold>
    private let slots: UnsafeMutablePointer<SlotHot>
    private let coldSlots: UnsafeMutablePointer<SlotCold>

    fileprivate init(
        hotPart: UnsafeMutablePointer<ViewerHot>, coldPart: UnsafeMutablePointer<ViewerCold>,
        slots: UnsafeMutablePointer<SlotHot>, coldSlots: UnsafeMutablePointer<SlotCold>
    ) {
        unsafe self.hotPart = hotPart
        unsafe self.coldPart = coldPart
        unsafe self.slots = slots
        unsafe self.coldSlots = coldSlots
    }

    var hot: ViewerHot {
        unsafeAddress { unsafe UnsafePointer(hotPart) }
        nonmutating unsafeMutableAddress { unsafe hotPart }
    }

    var cold: ViewerCold {
        unsafeAddress { unsafe UnsafePointer(coldPart) }
        nonmutating unsafeMutableAddress { unsafe coldPart }
    }

    /// Where its record lies comes nearer; the hot parts lie side by side, and come by themselves.
    func prefetch() { unsafe Crypto.prefetch(coldPart) }

    func slot(_ number: Int) -> ViewerSlot {
        precondition(number >= 0 && number < ViewerHot.slotCount, "no such slot")
        return unsafe ViewerSlot(number, slots + number, coldSlots + number)
    }

    /// When there is something to do for it that no packet causes, besides what is due now.
    func nextDue(after now: Instant) -> Instant {
        var next = cold.reportAt > now ? cold.reportAt : .distantFuture
        for number in 0..<ViewerHot.slotCount {
            let until = slot(number).cold.waitUntil
            if until > now, until < next { next = until }
        }
        return next
    }

    func countTraffic() {
        let (video, audio) = (slot(ViewerHot.video).hot, slot(ViewerHot.audio).hot)
        cold.traffic.count(
            packets: video.packets &+ audio.packets, octets: video.octets &+ audio.octets)
    }

    fileprivate func put(_ state: consuming SendState) {
        unsafe hotPart.initialize(to: state.hot)
        unsafe slots.initialize(to: state.video.hot)
        unsafe coldSlots.initialize(to: state.video.cold)
        unsafe (slots + 1).initialize(to: state.audio.hot)
        unsafe (coldSlots + 1).initialize(to: state.audio.cold)
        unsafe coldPart.initialize(to: state.takeCold())
    }

    fileprivate func take() -> SendState {
        unsafe SendState(
            hot: hotPart.move(), cold: coldPart.move(),
            video: (slots.move(), coldSlots.move()),
            audio: ((slots + 1).move(), (coldSlots + 1).move()))
    }
}

/// Where one slot of a viewer lies.
@safe struct ViewerSlot {
    let number: Int
    private let hotPart: UnsafeMutablePointer<SlotHot>
    private let coldPart: UnsafeMutablePointer<SlotCold>

    fileprivate init(
        _ number: Int, _ hotPart: UnsafeMutablePointer<SlotHot>,
        _ coldPart: UnsafeMutablePointer<SlotCold>
    ) {
        self.number = number
        unsafe self.hotPart = hotPart
        unsafe self.coldPart = coldPart
    }

    var isVideo: Bool { number == ViewerHot.video }

    var hot: SlotHot {
        unsafeAddress { unsafe UnsafePointer(hotPart) }
        nonmutating unsafeMutableAddress { unsafe hotPart }
    }

    var cold: SlotCold {
        unsafeAddress { unsafe UnsafePointer(coldPart) }
        nonmutating unsafeMutableAddress { unsafe coldPart }
    }
}

/// A viewer between two streams: its numbers, keys and what was sent go along, so that nothing is
/// numbered twice and repairs go on.
package struct SendState: ~Copyable {
    var hot: ViewerHot
    private var cold: ViewerCold
    var video: (hot: SlotHot, cold: SlotCold)
    var audio: (hot: SlotHot, cold: SlotCold)
    /// The encodings its runs name, by their number there.
    var lanes: [UInt8: Lane] = [:]

    init(
        hot: ViewerHot, cold: consuming ViewerCold, video: (SlotHot, SlotCold),
        audio: (SlotHot, SlotCold)
    ) {
        self.hot = hot
        self.cold = cold
        self.video = video
        self.audio = audio
    }

    consuming func takeCold() -> ViewerCold { cold }
}
