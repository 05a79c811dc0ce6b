import Media
package import Stream
package import Wire

/// From slots of a stream to small integers: feeds (renditions) and lanes (encodings).
extension FanOut {
    /// As long as a NACK may name what was sent from an encoding that has ended.
    private static let laneMemory = Interval.seconds(2)

    /// Finds the renditions that viewers can play: at first and after each `.changed`.
    package func resolve(
        in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        needsResolve = false
        gatheredAt = nil
        isDemandStale = true
        answersPLI = stream.answersPLI
        for index in feeds.indices where feeds[index].readers > 0 {
            if let present = feeds[index].rendition, present.encodings.isEmpty {
                closeFeed(index, in: stream, at: now, into: &orders)
            }
            if feeds[index].rendition == nil {
                feeds[index].rendition = stream.open(feeds[index].want, at: now, into: &orders)
            }
            refresh(index, at: now)
            tellCodec(index, stream)
        }
        closeFeeds(in: stream, at: now, into: &orders)
        if now < dueAt { dueAt = now }
    }

    func feed(for want: Subscription.Want) -> UInt8 {
        if let known = feeds.firstIndex(where: { $0.want == want }) { return UInt8(known) }
        if let unused = feeds.firstIndex(where: { $0.readers == 0 && $0.rendition == nil }) {
            feeds[unused] = Feed(want: want)
            return UInt8(unused)
        }
        // Two slots, and as many sets of codecs as there are kinds of browsers.
        precondition(feeds.count < Int(Feed.none), "a stream has no 255 sets of codecs")
        feeds.append(Feed(want: want))
        return UInt8(feeds.count - 1)
    }

    func closeFeeds(
        in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        for index in feeds.indices where feeds[index].readers == 0 {
            closeFeed(index, in: stream, at: now, into: &orders)
            feeds[index].lanes = []
            feeds[index].best = Lane.none
        }
    }

    private func tellCodec(_ index: Int, _ stream: any ReadableStream) {
        let slot = feeds[index].want.slot
        let given = stream.codec(in: slot)
        guard feeds[index].rendition == nil, let given,
            feeds[index].want.key(given: given) == nil
        else {
            feeds[index].toldCodec = nil
            return
        }
        guard feeds[index].toldCodec != given else { return }
        feeds[index].toldCodec = given
        for place in 0..<table.end where table.isUsed(place) {
            for number in 0..<ViewerHot.slotCount
            where table[place].slot(number).hot.feed == UInt8(index) {
                events.append(.codecChanged(table.id(at: place), slot, given))
            }
        }
    }

    // MARK: Lanes

    func lane(_ number: UInt8) -> Lane? {
        Int(number) < lanes.count ? lanes[Int(number)] : nil
    }

    /// The number of an encoding, a new one if it has none yet.
    func number(of lane: Lane) -> UInt8 {
        if let known = lanes.firstIndex(where: { $0?.encoding === lane.encoding }) {
            return UInt8(known)
        }
        var place = lanes.firstIndex { $0 == nil }
        if place == nil, lanes.count < Lane.maximum {
            lanes.append(nil)
            heads.append(LaneHead())
            place = lanes.count - 1
        }
        let free = place ?? evictLane()
        lanes[free] = lane
        heads[free] = LaneHead()
        heads[free].from = lane.history.end
        heads[free].end = lane.history.end
        return UInt8(free)
    }

    /// Brings a feed's lanes in line with its rendition's encodings.
    func refresh(_ index: Int, at now: Instant) {
        let encodings = feeds[index].rendition?.encodings ?? []
        var isSame = encodings.count == feeds[index].lanes.count
        for (place, encoding) in encodings.enumerated() where isSame {
            isSame = lane(feeds[index].lanes[place])?.encoding === encoding
        }
        if !isSame, let rendition = feeds[index].rendition {
            for number in feeds[index].lanes { lanes[Int(number)]?.leftAt = now }
            feeds[index].lanes = encodings.map { encoding in
                let number = number(
                    of: Lane(
                        encoding: encoding, history: encoding.history, rendition: rendition,
                        resets: encoding.history.figures.resets))
                lanes[Int(number)]?.leftAt = nil
                return number
            }
        }
        guard let best = feeds[index].rendition?.best(at: now) else {
            feeds[index].best = Lane.none
            return
        }
        for number in feeds[index].lanes {
            let isBest = lane(number)?.encoding === best
            heads[Int(number)].isBest = isBest
            if isBest { feeds[index].best = number }
        }
    }

    func enterLane(_ slot: ViewerSlot, _ number: UInt8) {
        guard slot.hot.lane != number else { return }
        leaveLane(slot)
        slot.hot.lane = number
        heads[Int(number)].readers += 1
    }

    func leaveLane(_ slot: ViewerSlot) {
        let number = slot.hot.lane
        guard number != Lane.none else { return }
        heads[Int(number)].readers -= 1
        slot.hot.lane = Lane.none
    }

    private func retireLanes(at now: Instant) {
        for place in lanes.indices {
            guard let leftAt = lanes[place]?.leftAt, heads[place].readers == 0,
                now - leftAt >= Self.laneMemory
            else { continue }
            retire(place)
        }
    }

    /// A publisher that comes and goes a hundred times in two seconds: the encoding that was left
    /// first makes room, whoever still reads it.
    private func evictLane() -> Int {
        var oldest = 0
        for place in lanes.indices {
            let left = lanes[place]?.leftAt ?? .distantFuture
            if left < lanes[oldest]?.leftAt ?? .distantFuture { oldest = place }
        }
        abandon(oldest)
        retire(oldest)
        return oldest
    }

    /// Its readers begin anew, wherever they can.
    private func abandon(_ number: Int) {
        for place in 0..<table.end where table.isUsed(place) {
            for slot in 0..<ViewerHot.slotCount
            where table[place].slot(slot).hot.lane == UInt8(number) {
                endRun(table[place].slot(slot))
                leaveLane(table[place].slot(slot))
                table[place].slot(slot).cold.keyAfter = .start
                if table[place].slot(slot).hot.state != .paused {
                    table[place].slot(slot).hot.state = .waitKey
                }
            }
        }
    }

    /// Its number will mean something else: no run may name it any more.
    private func retire(_ number: Int) {
        for place in 0..<table.end where table.isUsed(place) {
            for slot in 0..<ViewerHot.slotCount {
                table[place].slot(slot).cold.runs.rename {
                    $0 == UInt8(number) ? Lane.none : $0
                }
            }
        }
        lanes[number] = nil
        heads[number] = LaneHead()
    }

    /// A history that began anew gives old numbers to new packets: for viewers it is another
    /// encoding, and what they were sent of it cannot be repeated.
    private func renew(_ number: Int, at now: Instant) {
        guard let old = lanes[number] else { return }
        abandon(number)
        retire(number)
        let renewed = self.number(
            of: Lane(
                encoding: old.encoding, history: old.history, rendition: old.rendition,
                resets: old.history.figures.resets, leftAt: old.leftAt))
        for index in feeds.indices {
            for place in feeds[index].lanes.indices
            where feeds[index].lanes[place] == UInt8(number) {
                feeds[index].lanes[place] = renewed
            }
            if feeds[index].best == UInt8(number) { feeds[index].best = renewed }
        }
    }

    // MARK: Gathering

    /// More in one turn than this is read from the history by each viewer: a list longer than the
    /// processor's nearer caches gains nothing.
    private static let gatherMaximum = 512

    /// Whether the list still holds: a batch was full, and nothing was stored since.
    func isGathered(at now: Instant) -> Bool {
        guard now == gatheredAt else { return false }
        for number in lanes.indices {
            guard let history = lanes[number]?.history else { continue }
            guard history.start == heads[number].start, history.end == heads[number].end,
                UInt32(truncatingIfNeeded: history.repairCount) == heads[number].repairCount,
                history.figures.resets == lanes[number]?.resets
            else { return false }
        }
        return true
    }

    /// Looks up what is new in each lane that is read.
    func gather(at now: Instant) {
        gatheredAt = now
        for index in feeds.indices where feeds[index].rendition != nil { refresh(index, at: now) }
        for number in lanes.indices {
            guard let resets = lanes[number]?.history.figures.resets else { continue }
            if resets != lanes[number]?.resets { renew(number, at: now) }
        }
        retireLanes(at: now)
        gathered.removeAll(keepingCapacity: true)
        for number in lanes.indices {
            guard let lane = lanes[number] else { continue }
            gather(lane, number, at: now)
        }
        gatheredHeads.removeAll(keepingCapacity: true)
        gatheredHeads.append(contentsOf: heads)
    }

    private func gather(_ lane: Lane, _ number: Int, at now: Instant) {
        let history = lane.history
        heads[number].start = history.start
        heads[number].end = history.end
        heads[number].newestArrival = history.newestArrival
        heads[number].repairCount = UInt32(truncatingIfNeeded: history.repairCount)
        heads[number].bitsPerSecond = Int64(lane.encoding.bitsPerSecond)
        heads[number].averageFrame = Int32(clamping: lane.encoding.bitsPerSecond / 8 / 30)
        heads[number].isAlive = lane.encoding.isAlive(at: now)
        let from = heads[number].from
        let start = gathered.count
        heads[number].itemsFrom = Int32(start)
        heads[number].itemsEnd = Int32(start)
        let isAlone = lane.rendition.encodings.count < 2
        let isOver =
            lane.encoding.isEnded || lane.leftAt != nil
            || !(isAlone || heads[number].isAlive)
        heads[number].isOrdinary = !isOver
        guard from < history.end else { return }
        noteKeys(number, from: from, at: now)
        guard heads[number].readers > 0, history.end - from <= Int64(Self.gatherMaximum),
            from >= history.start
        else {
            heads[number].isOrdinary = false
            return
        }
        var index = history.nextPresent(from: from)
        while let present = index, let item = GatherItem(history, present) {
            gathered.append(item)
            index = history.nextPresent(from: present + 1)
        }
        heads[number].itemsEnd = Int32(gathered.count)
        heads[number].isOrdinary = !isOver && isOrdinary(start..<gathered.count, number)
    }

    /// All of one format, nothing late, and no frame so large that it has to be spread.
    private func isOrdinary(_ range: Range<Int>, _ number: Int) -> Bool {
        guard let first = range.first else { return true }
        let generation = gathered[first].generation
        heads[number].generation = UInt8(truncatingIfNeeded: generation)
        var (keyBytes, room) = (0, 0)
        for place in range {
            room += Self.headerMaximum + Int(gathered[place].length) + 2 * Self.tagMaximum
            if gathered[place].generation != generation { return false }
            if gathered[place].isKey, lanes[number]?.history.beginsAnywhere == false {
                keyBytes += Int(gathered[place].length)
            }
        }
        heads[number].room = Int32(clamping: room)
        let late = heads[number].newestArrival - gathered[first].arrival
        return late <= LagRule.realTime.budget && keyBytes <= Self.keyFrameUnspread
    }

    /// Key frames up to this size leave at once: 32 packets, which every path's queue takes.
    static let keyFrameUnspread = 32 * 1200

    /// When key frames came, to expect the next one.
    private func noteKeys(_ number: Int, from: Int64, at now: Instant) {
        guard let history = lanes[number]?.history, !history.beginsAnywhere,
            let key = history.lastKey, key != lanes[number]?.lastKey?.index,
            let arrival = history.meta(key)?.arrival
        else { return }
        if let before = lanes[number]?.lastKey, arrival > before.arrival {
            lanes[number]?.keyPeriod = arrival - before.arrival
        }
        lanes[number]?.lastKey = (key, arrival)
    }
}
