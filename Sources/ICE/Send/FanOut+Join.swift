import Media
import Stream
import Wire

/// How a viewer's picture starts, and how a viewer that waits goes on.
extension FanOut {
    /// A burst that loses so many packets does not fit the path.
    static let joinLossMaximum = 8
    /// After a change the peer is told for this long how much to buffer.
    static let playoutRepeated = Interval.seconds(1)

    /// Nothing is being read: finds a place to begin. - Returns: True if there is one.
    func begin(
        _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> Bool {
        guard let target = wantedLane(slot, viewer), let lane = lane(target),
            !lane.history.isEmpty || !lane.encoding.isEnded
        else {
            slot.hot.state = .empty
            slot.cold.waitUntil = .distantFuture
            return false
        }
        enterLane(slot, target)
        slot.hot.state = .waitKey
        if lane.history.beginsAnywhere { return beginSound(lane, slot, viewer, now) }
        let plan = makePlan(target, slot, viewer, now)
        return follow(plan, lane, slot, viewer, now)
    }

    /// Sound begins with what is new.
    private func beginSound(
        _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Bool {
        // A republished stream goes on where it begins; a new viewer hears what is said now.
        let index = lane.history.index(arrivedSince: slot.cold.keyAfter)
        guard lane.history.meta(index) != nil else { return false }
        slot.cold.joins += 1
        slot.hot.next = index
        goLive(slot, viewer, now)
        return true
    }

    private func makePlan(
        _ number: UInt8, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> JoinPlan {
        var situation = situation(of: number, now)
        situation.target = viewer.cold.estimator.target
        situation.requestFailed = slot.cold.requestFailed
        let key = lanes[Int(number)]?.history
        let arrival = key?.lastKey.flatMap { key?.meta($0)?.arrival }
        situation.hasKey = arrival.map { $0 >= slot.cold.keyAfter } ?? false
        return JoinPlan.decide(situation)
    }

    /// Does what the plan says; called again for as long as it says to wait.
    private func follow(
        _ plan: JoinPlan, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> Bool {
        let isNew = slot.cold.plan?.way != plan.way
        slot.cold.plan = plan
        switch plan.way {
        case .freshKey:
            if slot.cold.waitUntil == .distantFuture {
                slot.cold.waitUntil = now + JoinPlan.freshKeyPatience
                slot.cold.keyAfter = max(slot.cold.keyAfter, now)
                viewer.cold.decisions.note(.askedForKey, at: now)
            } else if now >= slot.cold.waitUntil {
                // The key frame that is there is better than none; one that comes later is taken
                // all the same.
                slot.cold.requestFailed = true
                slot.cold.waitUntil = .distantFuture
                slot.cold.keyAfter = slot.cold.keyFloor
                return begin(slot, viewer, now)
            }
            heads[Int(slot.hot.lane)].isKeyWished = true
            viewer.hot.dueAt = min(viewer.hot.dueAt, slot.cold.waitUntil)
            return false
        case .waitKey:
            slot.cold.waitUntil = .distantFuture
            heads[Int(slot.hot.lane)].isKeyWished = true
            if isNew { viewer.cold.decisions.note(.askedForKey, at: now) }
            return false
        case .burst(let shift):
            slot.cold.shift = shift
            return beginBurst(plan, until: lane.history.end, lane, slot, viewer, now)
        case .still:
            slot.cold.shift = 0
            let end = frameEnd(lane)
            slot.cold.isStill = true
            return beginBurst(plan, until: end, lane, slot, viewer, now)
        case .fastForward:
            slot.cold.shift = 0
            return beginBurst(plan, until: lane.history.end, lane, slot, viewer, now)
        }
    }

    private func beginBurst(
        _ plan: JoinPlan, until end: Int64, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer,
        _ now: Instant
    ) -> Bool {
        guard let key = lane.history.lastKey else { return false }
        endRun(slot)
        slot.hot.next = key
        slot.hot.state = .join
        slot.cold.joinEnd = end
        slot.cold.nacksInJoin = 0
        slot.cold.joins += 1
        slot.cold.waitUntil = .distantFuture
        slot.hot.flags[.tellsPlayout] = slot.hot.playoutID != 0
        slot.cold.playoutUntil = .distantFuture
        let number = Int(slot.hot.lane)
        viewer.cold.pace.limit(
            to: plan.rate, averageFrame: heads[number].averageFrame, at: now)
        viewer.hot.flags[.isPaced] = true
        viewer.cold.decisions.note(.joined, Int32(clamping: plan.catchUp.milliseconds), at: now)
        return true
    }

    /// The burst is over: what comes next is live. Or was it a still?
    func arrive(
        _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) {
        if slot.cold.isStill {
            slot.cold.isStill = false
            let newest = heads[Int(slot.hot.lane)].newestArrival
            rejoin(slot, keyAfter: newest)
            slot.cold.requestFailed = true
            return
        }
        if slot.cold.shift > 0 { endRun(slot) }
        viewer.cold.decisions.note(.caughtUp, at: now)
        viewer.cold.pace.unlimit()
        viewer.hot.flags[.isPaced] = false
        goLive(slot, viewer, now)
    }

    private func goLive(
        _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) {
        slot.hot.state = .live
        slot.cold.shift = 0
        slot.cold.requestFailed = false
        slot.hot.flags[.tellsPlayout] = slot.hot.playoutID != 0
        slot.cold.playoutUntil = now + Self.playoutRepeated
        // Browsers hold sound against picture by the reports of both: they come at once.
        viewer.cold.reportAt = min(viewer.cold.reportAt, now)
        viewer.hot.flags[.reportsNow] = true
    }

    /// A burst that is too long to catch up jumps to the next key frame when there is one; one
    /// that the path does not carry is given up.
    func jumpAhead(
        _ index: Int64, _ lane: Lane, _ slot: ViewerSlot, _ viewer: Viewer, _ now: Instant
    ) -> Bool {
        if slot.cold.nacksInJoin >= Self.joinLossMaximum {
            rejoin(slot, keyAfter: lane.history.newestArrival)
            viewer.cold.pace.unlimit()
            viewer.hot.flags[.isPaced] = false
            return true
        }
        guard let key = lane.history.lastKey, key > index else { return false }
        endRun(slot)
        slot.hot.next = key
        slot.cold.joinEnd = key
        viewer.cold.decisions.note(.skippedToKey, at: now)
        return true
    }

    // MARK: What there is

    private func frameEnd(_ lane: Lane) -> Int64 {
        let history = lane.history
        var index = (history.lastKey ?? history.end) + 1
        while index < history.end {
            if let meta = history.meta(index), meta.startsFrame { return index }
            index += 1
        }
        return history.end
    }

    /// What lies between the last key frame and now: worked out once for all who join in a turn.
    private func situation(of number: UInt8, _ now: Instant) -> JoinPlan.Situation {
        guard let lane = lanes[Int(number)], let key = lane.history.lastKey else {
            var nothing = JoinPlan.Situation()
            nothing.answersPLI = answersPLI
            return nothing
        }
        let end = lane.history.end
        var value: JoinPlan.Situation
        if let known = lane.situation, known.key == key, known.end == end {
            value = known.value
        } else {
            value = Self.measure(lane, from: key)
            lanes[Int(number)]?.situation = (key, end, value)
        }
        value.streamRate = heads[Int(number)].bitsPerSecond
        value.answersPLI = answersPLI
        if let period = lane.keyPeriod, let last = lane.lastKey {
            value.nextKeyIn = max(.zero, last.arrival + period - now)
        }
        return value
    }

    private static func measure(_ lane: Lane, from key: Int64) -> JoinPlan.Situation {
        var value = JoinPlan.Situation()
        value.hasKey = true
        let history = lane.history
        let first = history.meta(key)?.ticks ?? 0
        var newest = first
        for index in key..<history.end {
            guard let meta = history.meta(index) else { continue }
            newest = max(newest, meta.ticks)
            if meta.flags.contains(.discardable) { continue }
            value.burstBytes += Int(meta.length)
            if meta.startsFrame { value.burstFrames += 1 }
        }
        let rate = lane.encoding.format.clockRate
        value.burstLength = Interval(
            nanoseconds: Timebase.nanoseconds(newest - first, rate: rate))
        return value
    }
}
