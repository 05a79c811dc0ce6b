import Media
import RTP
package import Stream
package import Wire

/// What viewers say, and what is chosen for them.
extension FanOut {
    /// Calm for so many reports, before a browser is told to buffer less again.
    private static let calmReports = 5

    /// - Parameter bytes: `RTCOutput.bytes`, in which feedback on arrivals lies.
    /// - Returns: True if it echoes a report that only went to the viewer's route, which is not
    ///   proven yet: the caller tells the session by `echoed`.
    @discardableResult
    package func feedback(
        _ id: ViewerID, _ feedback: ViewerFeedback, bytes: RawSpan, at now: Instant
    ) -> Bool {
        guard let place = table.place(of: id) else { return false }
        switch feedback {
        case .report(let block): return hear(block, place, at: now)
        case .nack(let media, let nack): hear(nack, media, place, at: now)
        case .keyframe(let media):
            table[cold: place].estimator.onPLI()
            guard let slot = slot(of: media, place) else { return false }
            let lane = table[hot: place].slots[slot].lane
            guard lane != Lane.none else { return false }
            heads[Int(lane)].isKeyWished = true
            if now < dueAt { dueAt = now }
        case .estimate(let bits): table[cold: place].estimator.onREMB(bits)
        case .transport(let range):
            guard range.upperBound <= bytes.byteCount else { return false }
            // What cannot be read says nothing.
            let isRead: Void? = try? transportFeedback.read(bytes.extracting(range))
            if isRead != nil { table[cold: place].estimator.onTransport(transportFeedback) }
        }
        return false
    }

    private func slot(of ssrc: UInt32, _ place: Int) -> Int? {
        for slot in 0..<ViewerHot.slotCount
        where table[hot: place].slots[slot].ssrc == ssrc
            && table[hot: place].slots[slot].state != .absent
        {
            return slot
        }
        return nil
    }

    private func hear(_ block: RTCPReportBlock, _ place: Int, at now: Instant) -> Bool {
        guard let slot = slot(of: block.ssrc, place) else { return false }
        table[hot: place].slots[slot].needsMid = false
        let echoed =
            block.lastReport == 0
            ? nil : table[cold: place].reports.find(block.lastReport)
        var roundTrip: Interval?
        if let echoed {
            let delay = Int64(block.delay) * 1_000_000_000 / 65_536
            let measured = now - echoed.at - Interval(nanoseconds: delay)
            if measured < .seconds(20) { roundTrip = max(.zero, measured) }
        }
        if slot == ViewerHot.video || table[hot: place].slots[0].state == .absent {
            let rate = table[cold: place].slots[slot].media?.codecs.first?.clockRate ?? 90_000
            table[cold: place].estimator.onReport(
                block, clockRate: rate, roundTrip: roundTrip)
            choosePlayout(place, at: now)
        }
        guard let echoed, !table[hot: place].isValidated else { return false }
        return echoed.route == table[cold: place].route
    }

    private func choosePlayout(_ place: Int, at now: Instant) {
        guard table[hot: place].slots[ViewerHot.video].playoutID != 0 else { return }
        let isCalm = table[cold: place].estimator.isCalm
        table[cold: place].calmReports = isCalm ? table[cold: place].calmReports + 1 : 0
        let wanted: UInt32
        if !isCalm {
            wanted = PlayoutDelay.rough
        } else if table[cold: place].calmReports >= Self.calmReports {
            wanted = PlayoutDelay.calm
        } else {
            return
        }
        guard wanted != table[cold: place].playoutDelay else { return }
        table[cold: place].playoutDelay = wanted
        table[cold: place].decisions.note(.playoutDelay, Int32(wanted) * 10, at: now)
        table[hot: place].slots[ViewerHot.video].tellsPlayout = true
        table[cold: place].slots[ViewerHot.video].playoutUntil = now + Self.playoutRepeated
    }

    private func hear(_ nack: RTCPNack, _ media: UInt32, _ place: Int, at now: Instant) {
        table[cold: place].estimator.onNACK(nack.count)
        guard let slot = slot(of: media, place), table[cold: place].slots[slot].answersNACK else {
            return
        }
        if table[hot: place].slots[slot].state == .join {
            table[cold: place].slots[slot].nacksInJoin += nack.count
        }
        let newest = outNext(slot, place)
        ask(nack.first, slot, place, near: newest)
        for bit: UInt16 in 0..<16 where nack.mask & (1 << bit) != 0 {
            ask(nack.first &+ 1 &+ bit, slot, place, near: newest)
        }
        table[hot: place].hasRepairs = true
        if now < dueAt { dueAt = now }
    }

    private func ask(_ sequence: UInt16, _ slot: Int, _ place: Int, near newest: UInt64) {
        let index = Serial.extend(sequence, near: Int64(newest))
        guard index >= 0, index < Int64(newest) else { return }
        table[cold: place].asked.ask(slot: slot, outIndex: UInt64(index))
    }

    /// The number that the next packet of a slot gets.
    func outNext(_ slot: Int, _ place: Int) -> UInt64 {
        guard table[cold: place].slots[slot].runs.isOpen else {
            return table[cold: place].slots[slot].outNext
        }
        let next = table[hot: place].slots[slot].next
        return table[cold: place].slots[slot].runs.current.outIndex(of: next)
    }

    // MARK: Choices

    private func slot(_ name: SlotName, _ place: Int) -> Int? {
        for slot in 0..<ViewerHot.slotCount
        where table[cold: place].slots[slot].name == name
            && table[hot: place].slots[slot].state != .absent
        {
            return slot
        }
        return nil
    }

    /// Nothing of this slot until `resume`.
    package func pause(_ id: ViewerID, _ name: SlotName, at now: Instant) {
        guard let place = table.place(of: id), let slot = slot(name, place),
            table[hot: place].slots[slot].state != .paused
        else { return }
        endRun(&table[hot: place], &table[cold: place], slot)
        leaveLane(&table[hot: place], slot)
        table[hot: place].slots[slot].state = .paused
        table[cold: place].slots[slot].waitUntil = .distantFuture
        table[cold: place].decisions.note(.paused, Int32(slot), at: now)
    }

    /// Goes on with the next key frame; sound at once.
    package func resume(_ id: ViewerID, _ name: SlotName, at now: Instant) {
        guard let place = table.place(of: id), let slot = slot(name, place),
            table[hot: place].slots[slot].state == .paused
        else { return }
        rejoin(slot, &table[hot: place], &table[cold: place], keyAfter: now)
        table[cold: place].decisions.note(.resumed, Int32(slot), at: now)
        if now < dueAt { dueAt = now }
    }

    /// Which layer of the picture; `.off` is a pause.
    package func select(_ id: ViewerID, layer: LayerChoice, at now: Instant) {
        guard let place = table.place(of: id),
            table[hot: place].slots[ViewerHot.video].state != .absent
        else { return }
        table[cold: place].slots[ViewerHot.video].wanted = layer
        if layer == .off {
            pause(id, .video, at: now)
        } else {
            noteChoices(place)
            resume(id, .video, at: now)
        }
        if now < dueAt { dueAt = now }
    }

    /// Leaves out frames: those of layers in time above this one, or all but key frames.
    package func limit(
        _ id: ViewerID, temporal: UInt8 = 7, keyFramesOnly: Bool = false, at now: Instant
    ) {
        guard let place = table.place(of: id) else { return }
        table[cold: place].slots[ViewerHot.video].temporalMaximum = temporal
        table[cold: place].slots[ViewerHot.video].isKeyOnly = keyFramesOnly
        noteChoices(place)
    }

    /// Every frame is looked at where something may be left out or changed.
    func noteChoices(_ place: Int) {
        var isPinned = false
        if case .rid = table[cold: place].slots[ViewerHot.video].wanted { isPinned = true }
        table[hot: place].slots[ViewerHot.video].isPinned = isPinned
        table[hot: place].slots[ViewerHot.video].isSelective =
            isPinned || table[cold: place].slots[ViewerHot.video].isKeyOnly
            || table[cold: place].slots[ViewerHot.video].temporalMaximum < 7
    }
}
