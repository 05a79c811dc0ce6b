import Crypto
package import Media
import RTP
package import Stream
package import Wire

/// All WebRTC viewers of one stream on one worker: what takes packets from the stream's histories
/// to the wire. Viewers read, they are not pushed to: each has a place in a history, and what is
/// numbered, protected and written for it in a turn follows from that.
///
///     resolve   which renditions there are         at first and after each `.changed`
///     flush     everything new, to everybody       once per turn; again after `.batchFull`
///     feedback  what a viewer says                  repairs and wishes leave with the next flush
///
/// The hot part of all viewers lies in one block, and what is new in an encoding is looked up once
/// for all of them. Belongs to one worker.
package final class FanOut {
    package enum Flushed: Equatable, Sendable {
        case done
        /// Send the batch, and call again: nothing may be stored in between.
        case batchFull
    }

    /// What a viewer has to be told, or the worker has to do about it.
    package enum Event: Equatable, Sendable {
        /// The publisher gives a codec now that was not negotiated: it must connect anew.
        case codecChanged(ViewerID, SlotName, Codec)
        /// An ICE-TCP connection that is too far behind to catch up: close it.
        case hopeless(ViewerID)
    }

    let table = ViewerTable()
    var dice: SplitMix64
    var feeds: [Feed] = []
    var lanes: [Lane?] = []
    var heads: [LaneHead] = []
    var gathered: [GatherItem] = []
    /// The heads as they were then: those that change while viewers are served are others.
    var gatheredHeads: [LaneHead] = []
    var gatheredAt: Instant?
    var transportFeedback = TransportFeedback()
    var events: [Event] = []
    var needsResolve = false
    var isDemandStale = false
    var resumeAt = 0
    var isResuming = false
    var turn: UInt64 = 0
    var answersPLI = false
    var dueAt = Instant.distantFuture

    /// - Parameter dice: First numbers, time stamps and the low bits of report times come from it.
    package init(dice: SplitMix64) {
        self.dice = dice
        gathered.reserveCapacity(256)
    }

    package var isEmpty: Bool { table.count == 0 }
    package var viewerCount: Int { table.count }

    /// When `flush` is due even if nothing new was stored.
    package var deadline: Instant { needsResolve && !isEmpty ? .start : dueAt }

    /// What came up since the last call.
    package func takeEvents() -> [Event] {
        guard !events.isEmpty else { return [] }
        defer { events.removeAll() }
        return events
    }

    // MARK: Viewers

    /// A viewer that is connected. It gets media with the next flush.
    package func add(_ setup: ViewerSetup, at now: Instant) -> ViewerID {
        let negotiated = setup.session.negotiated
        var picture = SlotCold(.video, negotiated.video, dice: &dice)
        picture.wanted = setup.layer
        var sound = SlotCold(setup.audio, negotiated.audio, dice: &dice)
        // A new viewer hears what is said from here on. Not from the first look on: what comes by
        // relay arrived, by our clock, a moment before it is looked at.
        sound.keyAfter = now
        var cold = ViewerCold(
            setup, repeatsPlainly: picture.repeatsPlainly || sound.repeatsPlainly)
        cold.traffic.measure(at: now)
        var hot = ViewerHot(setup)
        hot.transport = UInt16(truncatingIfNeeded: dice.next())
        let state = SendState(
            hot: hot, cold: cold, video: (SlotHot(picture), picture),
            audio: (SlotHot(sound), sound))
        let place = table.add(state)
        enter(place, at: now)
        return table.id(at: place)
    }

    /// A viewer that comes from another stream: its numbers go on in a new run.
    package func add(_ state: consuming SendState, at now: Instant) -> ViewerID {
        let foreign = state.lanes
        var numbers: [UInt8: UInt8] = [:]
        for (number, lane) in foreign {
            var guest = lane
            guest.leftAt = now
            numbers[number] = self.number(of: guest)
        }
        state.video.cold.runs.rename { numbers[$0] ?? Lane.none }
        state.audio.cold.runs.rename { numbers[$0] ?? Lane.none }
        let place = table.add(state)
        enter(place, at: now)
        return table.id(at: place)
    }

    /// Its slots find their feeds; what they show is looked up at the next flush.
    private func enter(_ place: Int, at now: Instant) {
        for slot in 0..<ViewerHot.slotCount {
            guard table[place].slot(slot).hot.state != .absent,
                let want = table[place].slot(slot).cold.want
            else { continue }
            let feed = self.feed(for: want)
            feeds[Int(feed)].readers += 1
            table[place].slot(slot).hot.feed = feed
            if table[place].slot(slot).cold.wanted == .off {
                table[place].slot(slot).hot.state = .paused
            } else if table[place].slot(slot).hot.state != .paused {
                table[place].slot(slot).hot.state = .empty
            }
        }
        noteChoices(place)
        needsResolve = true
        if now < dueAt { dueAt = now }
    }

    /// A viewer leaves, for good or for another stream.
    package func remove(
        _ id: ViewerID, in stream: any ReadableStream, at now: Instant, into orders: inout Orders
    ) -> SendState? {
        guard let place = table.place(of: id) else { return nil }
        var named: [UInt8: Lane] = [:]
        for slot in 0..<ViewerHot.slotCount {
            endRun(table[place].slot(slot))
            let feed = table[place].slot(slot).hot.feed
            if feed != Feed.none { feeds[Int(feed)].readers -= 1 }
            leaveLane(table[place].slot(slot))
            table[place].slot(slot).hot.feed = Feed.none
            table[place].slot(slot).cold.runs.forEach { run in
                guard let lane = self.lane(run.encoding) else { return }
                named[run.encoding] = lane
            }
        }
        var state = table.remove(place)
        state.lanes = named
        isDemandStale = true
        if now < dueAt { dueAt = now }
        closeFeeds(in: stream, at: now, into: &orders)
        return state
    }

    /// Media goes there from now on: `RTCOutput.selected`.
    package func move(_ id: ViewerID, to route: Route, isValidated: Bool, at now: Instant) {
        guard let place = table.place(of: id) else { return }
        table[place].hot.move(to: route, isValidated: isValidated)
        table[place].cold.route = route
        table[place].cold.decisions.note(.pathMoved, at: now)
    }

    /// The route needs no limit any more: `RTCOutput.validated`.
    package func validated(_ id: ViewerID, _ route: Route) {
        guard let place = table.place(of: id), table[place].cold.route == route else { return }
        table[place].hot.flags[.isValidated] = true
    }

    /// Whether an ICE-TCP connection takes more. Nothing is queued for it meanwhile.
    package func setWritable(_ id: ViewerID, _ isWritable: Bool, at now: Instant) {
        guard let place = table.place(of: id) else { return }
        table[place].hot.flags[.isWritable] = isWritable
        guard isWritable else { return }
        table[place].hot.dueAt = now
        if now < dueAt { dueAt = now }
    }
}
