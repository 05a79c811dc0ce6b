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
            table[place].cold.estimator.onPLI()
            guard let slot = slot(of: media, place) else { return false }
            let lane = table[place].slot(slot).hot.lane
            guard lane != Lane.none else { return false }
            heads[Int(lane)].isKeyWished = true
            if now < dueAt { dueAt = now }
        case .estimate(let bits): table[place].cold.estimator.onREMB(bits)
        case .transport(let range):
            guard range.upperBound <= bytes.byteCount else { return false }
            // What cannot be read says nothing.
            let isRead: Void? = try? transportFeedback.read(bytes.extracting(range))
            if isRead != nil { table[place].cold.estimator.onTransport(transportFeedback) }
        }
        return false
    }

    private func slot(of ssrc: UInt32, _ place: Int) -> Int? {
        slot(place) { $0.hot.ssrc == ssrc }
    }

    /// Of those that were negotiated.
    private func slot(_ place: Int, where isMeant: (ViewerSlot) -> Bool) -> Int? {
        let viewer = table[place]
        return (0..<ViewerHot.slotCount).first { number in
            let slot = viewer.slot(number)
            return slot.hot.state != .absent && isMeant(slot)
        }
    }

    private func hear(_ block: RTCPReportBlock, _ place: Int, at now: Instant) -> Bool {
        guard let slot = slot(of: block.ssrc, place) else { return false }
        table[place].slot(slot).hot.flags[.needsMid] = false
        let echoed =
            block.lastReport == 0
            ? nil : table[place].cold.reports.find(block.lastReport)
        var roundTrip: Interval?
        if let echoed {
            let delay = Int64(block.delay) * 1_000_000_000 / 65_536
            let measured = now - echoed.at - Interval(nanoseconds: delay)
            if measured < .seconds(20) { roundTrip = max(.zero, measured) }
        }
        if slot == ViewerHot.video || table[place].slot(0).hot.state == .absent {
            let rate = table[place].slot(slot).cold.media?.codecs.first?.clockRate ?? 90_000
            table[place].cold.estimator.onReport(
                block, clockRate: rate, roundTrip: roundTrip)
            choosePlayout(place, at: now)
        }
        guard let echoed, !table[place].hot.flags[.isValidated] else { return false }
        return echoed.route == table[place].cold.route
    }

    private func choosePlayout(_ place: Int, at now: Instant) {
        guard table[place].slot(ViewerHot.video).hot.playoutID != 0 else { return }
        let isCalm = table[place].cold.estimator.isCalm
        table[place].cold.calmReports = isCalm ? table[place].cold.calmReports + 1 : 0
        let wanted: UInt32
        if !isCalm {
            wanted = PlayoutDelay.rough
        } else if table[place].cold.calmReports >= Self.calmReports {
            wanted = PlayoutDelay.calm
        } else {
            return
        }
        guard wanted != table[place].cold.playoutDelay else { return }
        table[place].cold.playoutDelay = wanted
        table[place].cold.decisions.note(.playoutDelay, Int32(wanted) * 10, at: now)
        table[place].slot(ViewerHot.video).hot.flags[.tellsPlayout] = true
        table[place].slot(ViewerHot.video).cold.playoutUntil = now + Self.playoutRepeated
    }

    private func hear(_ nack: RTCPNack, _ media: UInt32, _ place: Int, at now: Instant) {
        table[place].cold.estimator.onNACK(nack.count)
        guard let slot = slot(of: media, place), table[place].slot(slot).cold.answersNACK else {
            return
        }
        if table[place].slot(slot).hot.state == .join {
            table[place].slot(slot).cold.nacksInJoin += nack.count
        }
        let newest = outNext(slot, place)
        ask(nack.first, slot, place, near: newest)
        for bit: UInt16 in 0..<16 where nack.mask & (1 << bit) != 0 {
            ask(nack.first &+ 1 &+ bit, slot, place, near: newest)
        }
        table[place].hot.flags[.hasRepairs] = true
        if now < dueAt { dueAt = now }
    }

    private func ask(_ sequence: UInt16, _ slot: Int, _ place: Int, near newest: UInt64) {
        let index = Serial.extend(sequence, near: Int64(newest))
        guard index >= 0, index < Int64(newest) else { return }
        table[place].cold.asked.ask(slot: slot, outIndex: UInt64(index))
    }

    /// The number that the next packet of a slot gets.
    func outNext(_ slot: Int, _ place: Int) -> UInt64 {
        guard table[place].slot(slot).cold.runs.isOpen else {
            return table[place].slot(slot).cold.outNext
        }
        let next = table[place].slot(slot).hot.next
        return table[place].slot(slot).cold.runs.current.outIndex(of: next)
    }

    // MARK: Choices

    private func slot(_ name: SlotName, _ place: Int) -> Int? {
        slot(place) { $0.cold.name == name }
    }

    /// Nothing of this slot until `resume`.
    package func pause(_ id: ViewerID, _ name: SlotName, at now: Instant) {
        guard let place = table.place(of: id), let slot = slot(name, place),
            table[place].slot(slot).hot.state != .paused
        else { return }
        endRun(table[place].slot(slot))
        leaveLane(table[place].slot(slot))
        table[place].slot(slot).hot.state = .paused
        table[place].slot(slot).cold.waitUntil = .distantFuture
        table[place].cold.decisions.note(.paused, Int32(slot), at: now)
        isDemandStale = true
        if now < dueAt { dueAt = now }
    }

    /// Goes on with the next key frame; sound at once.
    package func resume(_ id: ViewerID, _ name: SlotName, at now: Instant) {
        guard let place = table.place(of: id), let slot = slot(name, place),
            table[place].slot(slot).hot.state == .paused
        else { return }
        rejoin(table[place].slot(slot), keyAfter: now)
        table[place].cold.decisions.note(.resumed, Int32(slot), at: now)
        isDemandStale = true
        if now < dueAt { dueAt = now }
    }

    /// Which layer of the picture; `.off` is a pause.
    package func select(_ id: ViewerID, layer: LayerChoice, at now: Instant) {
        guard let place = table.place(of: id),
            table[place].slot(ViewerHot.video).hot.state != .absent
        else { return }
        table[place].slot(ViewerHot.video).cold.wanted = layer
        isDemandStale = true
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
        table[place].slot(ViewerHot.video).cold.temporalMaximum = temporal
        table[place].slot(ViewerHot.video).cold.isKeyOnly = keyFramesOnly
        noteChoices(place)
    }

    /// Every frame is looked at where something may be left out or changed.
    func noteChoices(_ place: Int) {
        var isPinned = false
        if case .rid = table[place].slot(ViewerHot.video).cold.wanted { isPinned = true }
        table[place].slot(ViewerHot.video).hot.flags[.isPinned] = isPinned
        table[place].slot(ViewerHot.video).hot.flags[.isSelective] =
            isPinned || table[place].slot(ViewerHot.video).cold.isKeyOnly
            || table[place].slot(ViewerHot.video).cold.temporalMaximum < 7
    }
}
