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
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        guard let target = wantedLane(slot, hot, cold), let lane = lane(target),
            !lane.history.isEmpty || !lane.encoding.isEnded
        else {
            hot.slots[slot].state = .empty
            cold.slots[slot].waitUntil = .distantFuture
            return false
        }
        enterLane(&hot, slot, target)
        hot.slots[slot].state = .waitKey
        if lane.history.beginsAnywhere { return beginSound(lane, slot, &hot, &cold, now) }
        let plan = makePlan(target, slot, cold, now)
        return follow(plan, lane, slot, &hot, &cold, now)
    }

    /// Sound begins with what is new.
    private func beginSound(
        _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold,
        _ now: Instant
    ) -> Bool {
        // A republished stream goes on where it begins; a new viewer hears what is said now.
        let since = cold.slots[slot].joins == 0 ? now : cold.slots[slot].keyAfter
        let index = lane.history.index(arrivedSince: since)
        guard lane.history.meta(index) != nil else { return false }
        cold.slots[slot].joins += 1
        hot.slots[slot].next = index
        goLive(slot, &hot, &cold, now)
        return true
    }

    private func makePlan(
        _ number: UInt8, _ slot: Int, _ cold: borrowing ViewerCold, _ now: Instant
    ) -> JoinPlan {
        var situation = situation(of: number, now)
        situation.target = cold.estimator.target
        situation.requestFailed = cold.slots[slot].requestFailed
        let key = lanes[Int(number)]?.history
        let arrival = key?.lastKey.flatMap { key?.meta($0)?.arrival }
        situation.hasKey = arrival.map { $0 >= cold.slots[slot].keyAfter } ?? false
        return JoinPlan.decide(situation)
    }

    /// Does what the plan says; called again for as long as it says to wait.
    private func follow(
        _ plan: JoinPlan, _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        let isNew = cold.slots[slot].plan?.way != plan.way
        cold.slots[slot].plan = plan
        switch plan.way {
        case .freshKey:
            if cold.slots[slot].waitUntil == .distantFuture {
                cold.slots[slot].waitUntil = now + JoinPlan.freshKeyPatience
                cold.slots[slot].keyAfter = max(cold.slots[slot].keyAfter, now)
                cold.decisions.note(.askedForKey, at: now)
            } else if now >= cold.slots[slot].waitUntil {
                // The key frame that is there is better than none; one that comes later is taken
                // all the same.
                cold.slots[slot].requestFailed = true
                cold.slots[slot].waitUntil = .distantFuture
                cold.slots[slot].keyAfter = cold.slots[slot].keyFloor
                return begin(slot, &hot, &cold, now)
            }
            heads[Int(hot.slots[slot].lane)].isKeyWished = true
            hot.dueAt = min(hot.dueAt, cold.slots[slot].waitUntil)
            return false
        case .waitKey:
            cold.slots[slot].waitUntil = .distantFuture
            heads[Int(hot.slots[slot].lane)].isKeyWished = true
            if isNew { cold.decisions.note(.askedForKey, at: now) }
            return false
        case .burst(let shift):
            cold.slots[slot].shift = shift
            return beginBurst(plan, until: lane.history.end, lane, slot, &hot, &cold, now)
        case .still:
            cold.slots[slot].shift = 0
            let end = frameEnd(lane)
            cold.slots[slot].isStill = true
            return beginBurst(plan, until: end, lane, slot, &hot, &cold, now)
        case .fastForward:
            cold.slots[slot].shift = 0
            return beginBurst(plan, until: lane.history.end, lane, slot, &hot, &cold, now)
        }
    }

    private func beginBurst(
        _ plan: JoinPlan, until end: Int64, _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        guard let key = lane.history.lastKey else { return false }
        endRun(&hot, &cold, slot)
        hot.slots[slot].next = key
        hot.slots[slot].state = .join
        cold.slots[slot].joinEnd = end
        cold.slots[slot].nacksInJoin = 0
        cold.slots[slot].joins += 1
        cold.slots[slot].waitUntil = .distantFuture
        hot.slots[slot].tellsPlayout = hot.slots[slot].playoutID != 0
        cold.slots[slot].playoutUntil = .distantFuture
        let number = Int(hot.slots[slot].lane)
        cold.pace.limit(
            to: plan.rate, averageFrame: heads[number].averageFrame, at: now)
        hot.isPaced = true
        cold.decisions.note(.joined, Int32(clamping: plan.catchUp.milliseconds), at: now)
        return true
    }

    /// The burst is over: what comes next is live. Or was it a still?
    func arrive(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ now: Instant
    ) {
        if cold.slots[slot].isStill {
            cold.slots[slot].isStill = false
            let newest = heads[Int(hot.slots[slot].lane)].newestArrival
            rejoin(slot, &hot, &cold, keyAfter: newest)
            cold.slots[slot].requestFailed = true
            return
        }
        if cold.slots[slot].shift > 0 { endRun(&hot, &cold, slot) }
        cold.decisions.note(.caughtUp, at: now)
        cold.pace.unlimit()
        hot.isPaced = false
        goLive(slot, &hot, &cold, now)
    }

    private func goLive(
        _ slot: Int, _ hot: inout ViewerHot, _ cold: inout ViewerCold, _ now: Instant
    ) {
        hot.slots[slot].state = .live
        cold.slots[slot].shift = 0
        cold.slots[slot].requestFailed = false
        hot.slots[slot].tellsPlayout = hot.slots[slot].playoutID != 0
        cold.slots[slot].playoutUntil = now + Self.playoutRepeated
        // Browsers hold sound against picture by the reports of both: they come at once.
        cold.reportAt = min(cold.reportAt, now)
    }

    /// A burst that is too long to catch up jumps to the next key frame when there is one; one
    /// that the path does not carry is given up.
    func jumpAhead(
        _ index: Int64, _ lane: Lane, _ slot: Int, _ hot: inout ViewerHot,
        _ cold: inout ViewerCold, _ now: Instant
    ) -> Bool {
        if cold.slots[slot].nacksInJoin >= Self.joinLossMaximum {
            rejoin(slot, &hot, &cold, keyAfter: lane.history.newestArrival)
            cold.pace.unlimit()
            hot.isPaced = false
            return true
        }
        guard let key = lane.history.lastKey, key > index else { return false }
        endRun(&hot, &cold, slot)
        hot.slots[slot].next = key
        cold.slots[slot].joinEnd = key
        cold.decisions.note(.skippedToKey, at: now)
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
