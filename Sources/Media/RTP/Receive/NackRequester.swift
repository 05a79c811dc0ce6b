package import Wire

/// Decides which lost packets to ask for again, when, and when to stop asking.
///
/// It counts in unwrapped numbers and knows nothing of codecs. Told what arrived and what time it
/// is, it says what to send; when it gives up, it says which holes stay and asks for a key frame.
package struct NackRequester: Sendable {
    package enum Output: Equatable, Sendable {
        case nack(RTCPNack)
        /// These will not come any more: readers may go on behind them.
        case gaveUp(ClosedRange<Int64>)
        /// Too much is gone to be worth repairing: ask for a fresh start.
        case keyframe
    }

    /// More holes than this are an outage or a restart. Asking for all of it would double the load
    /// on a network that is already failing.
    package static let missingMaximum = 1000
    /// Wi-Fi and multipath reorder by a few milliseconds, or by two packets.
    static let reorderGrace = Interval.milliseconds(5)
    static let reorderWindow: UInt8 = 2
    static let attemptsMaximum: UInt8 = 10
    /// The first packet may have overtaken others: so many before it are asked for at most.
    static let earlyMaximum: Int64 = 64

    private struct Missing {
        var index: Int64
        var noticed: Instant
        var askAt: Instant
        var attempts: UInt8 = 0
        /// How many later packets have come.
        var passed: UInt8 = 1
    }

    /// Ascending by `index`.
    private var missing: [Missing] = []
    /// First and last number heard. `nil` until the first packet.
    private var heard: ClosedRange<Int64>?
    private var lost: ClosedRange<Int64>?
    private var wantsKeyframe = false
    /// No hole is due before it; looked up anew when it has passed, not with each packet.
    private var due = Instant.distantFuture
    private let patience: Interval
    private var interval = Interval.milliseconds(40)

    /// Told by reports; until then a usual one.
    package var roundTrip = Interval.milliseconds(50) {
        didSet { interval = Self.interval(roundTrip) }
    }

    /// - Parameter patience: How long a repair is of use, from the moment the hole is seen.
    package init(patience: Interval = .milliseconds(1000)) {
        self.patience = patience
        missing.reserveCapacity(64)
    }

    package var missingCount: Int { missing.count }

    /// A packet arrived: new, late, or repaired.
    package mutating func receive(_ index: Int64, at now: Instant) {
        guard let heard else {
            self.heard = index...index
            return
        }
        if index > heard.upperBound {
            if !missing.isEmpty { notePassing(at: now) }
            noteGap(heard.upperBound + 1..<index, at: now)
            self.heard = heard.lowerBound...index
        } else if index < heard.lowerBound {
            // They matter: a stream begins with its key frame, and one hole in it is a black
            // screen. What is far before is a stray.
            guard heard.lowerBound - index <= Self.earlyMaximum else { return }
            noteGap(index + 1..<heard.lowerBound, at: now)
            self.heard = index...heard.upperBound
        } else if let position = position(of: index) {
            missing.remove(at: position)
            if missing.isEmpty { due = .distantFuture }
        }
    }

    /// What lies before a key frame that has come is of no use any more.
    package mutating func forget(below index: Int64) {
        missing.removeAll { $0.index < index }
    }

    /// What to send now. Call until it returns `nil`, then wait until `deadline`.
    package mutating func poll(at now: Instant) -> Output? {
        if let range = lost ?? giveUp(at: now) {
            lost = nil
            wantsKeyframe = true
            return .gaveUp(range)
        }
        if wantsKeyframe {
            wantsKeyframe = false
            return .keyframe
        }
        defer { due = missing.reduce(.distantFuture) { min($0, $1.askAt) } }
        guard let first = missing.firstIndex(where: { $0.askAt <= now }) else { return nil }
        return .nack(ask(first, at: now))
    }

    /// It may come early by what has been repaired in the meantime; then `poll` says nothing.
    package var deadline: Instant { wantsKeyframe || lost != nil ? .start : due }

    /// numbers.md: each max(20 ms, min(RTT, 40 ms)) up to a round trip of 100 ms, RTT/2 above.
    private static func interval(_ roundTrip: Interval) -> Interval {
        if roundTrip > .milliseconds(100) { return roundTrip / 2 }
        return max(.milliseconds(20), min(roundTrip, .milliseconds(40)))
    }

    private func position(of index: Int64) -> Int? {
        var (low, high) = (0, missing.count)
        while low < high {
            let middle = (low + high) / 2
            if missing[middle].index < index { low = middle + 1 } else { high = middle }
        }
        return low < missing.count && missing[low].index == index ? low : nil
    }

    /// The newest holes, not yet asked for, have been passed by one packet more.
    private mutating func notePassing(at now: Instant) {
        for position in missing.indices.reversed() {
            guard missing[position].attempts == 0 else { return }
            missing[position].passed = min(missing[position].passed, 200) + 1
            if missing[position].passed == Self.reorderWindow {
                missing[position].askAt = min(missing[position].askAt, now)
                due = min(due, missing[position].askAt)
            }
        }
    }

    private mutating func noteGap(_ gap: Range<Int64>, at now: Instant) {
        guard !gap.isEmpty else { return }
        guard gap.count + missing.count <= Self.missingMaximum else {
            let first = min(missing.first?.index ?? gap.lowerBound, gap.lowerBound)
            lost = min(first, lost?.lowerBound ?? first)...gap.upperBound - 1
            missing.removeAll(keepingCapacity: true)
            due = .distantFuture
            return
        }
        let isNewest = (missing.last?.index ?? .min) < gap.lowerBound
        let askAt = now + Self.reorderGrace
        due = min(due, askAt)
        for (offset, index) in gap.enumerated() {
            let hole = Missing(index: index, noticed: now, askAt: askAt)
            isNewest ? missing.append(hole) : missing.insert(hole, at: offset)
        }
    }

    /// The first run of holes that are due and have no chance left.
    private mutating func giveUp(at now: Instant) -> ClosedRange<Int64>? {
        guard let first = missing.firstIndex(where: { isHopeless($0, at: now) }) else {
            return nil
        }
        var end = first + 1
        while end < missing.count, missing[end].index == missing[end - 1].index + 1,
            isHopeless(missing[end], at: now)
        { end += 1 }
        let range = missing[first].index...missing[end - 1].index
        missing.removeSubrange(first..<end)
        return range
    }

    private func isHopeless(_ hole: Missing, at now: Instant) -> Bool {
        guard hole.askAt <= now else { return false }
        return hole.attempts >= Self.attemptsMaximum || now + roundTrip > hole.noticed + patience
    }

    /// One item names the hole at `first` and those of the next sixteen numbers that are due, too.
    private mutating func ask(_ first: Int, at now: Instant) -> RTCPNack {
        let base = missing[first].index
        var mask: UInt16 = 0
        for position in first..<missing.count {
            let distance = missing[position].index - base
            guard distance <= 16 else { break }
            guard missing[position].askAt <= now else { continue }
            if distance > 0 { mask |= 1 << UInt16(distance - 1) }
            missing[position].attempts += 1
            missing[position].askAt = now + interval
        }
        return RTCPNack(first: UInt16(truncatingIfNeeded: base), mask: mask)
    }
}
