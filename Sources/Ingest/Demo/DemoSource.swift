import Media
package import Stream
package import Wire

/// A stream made of a loop, for ever: the demo that shows live pictures on a machine without any
/// camera.
///
/// It is told the time and knows no socket, file or stream. Its owner reads the files, announces
/// `slots` for a publication, and calls `advance` whenever `deadline` has passed. Time stamps go on
/// through the end of the loop; a picture shows the time that it had in the loop.
package struct DemoSource: Sendable {
    private var players: [Player]
    private var began: Instant?

    /// One track on its endless way through the loop.
    private struct Player: Sendable {
        let track: DemoTrack
        var turn: Int64 = 0
        var index = 0
        var jumped = false

        var ticks: Int64 { turn * track.period + track.frames.items[index].meta.ticks }

        func time(of ticks: Int64) -> Interval {
            Interval(nanoseconds: Timebase.nanoseconds(ticks, rate: track.format.clockRate))
        }

        mutating func step() {
            index += 1
            guard index == track.frames.count else { return }
            index = 0
            turn += 1
        }
    }

    /// Whoever was asleep for longer (a laptop's lid, a debugger) gets no rush of old pictures.
    static let backlogMaximum = Interval.milliseconds(500)

    /// Tracks of one loop: their lengths must be the same to the sample, or they would part.
    package init(_ tracks: [DemoTrack]) throws(ParseError) {
        guard let first = tracks.first else { throw .truncated(at: 0, needed: 1) }
        for track in tracks {
            let isSame =
                track.period * Int64(first.format.clockRate)
                == first.period * Int64(track.format.clockRate)
            guard isSame else {
                throw .invalid(
                    "length of a track: not that of the others", value: UInt64(track.period), at: 0)
            }
        }
        players = tracks.map { Player(track: $0) }
    }

    package var slots: [AnnouncedSlot] {
        players.map { AnnouncedSlot(slot: $0.track.slot, format: $0.track.format, form: .frames) }
    }

    /// When `advance` is due; `.distantFuture` before the first call.
    package var deadline: Instant {
        guard let began else { return .distantFuture }
        return players.map { began + $0.time(of: $0.ticks) }.min() ?? .distantFuture
    }

    /// Writes the frames that are due. The first call begins the first turn of the loop.
    package mutating func advance(
        to now: Instant, channel: ChannelID, into effects: inout Effects
    ) {
        let began = began ?? now
        self.began = began
        if now - deadline > Self.backlogMaximum { catchUp(now - began) }
        // In the order of time over all tracks, as encoders send.
        while let next = players.indices.min(by: { due($0) < due($1) }), due(next) <= now - began {
            emit(&players[next], at: now, channel, into: &effects)
        }
    }

    private func due(_ index: Int) -> Interval { players[index].time(of: players[index].ticks) }

    private func emit(
        _ player: inout Player, at now: Instant, _ channel: ChannelID, into effects: inout Effects
    ) {
        let item = player.track.frames.items[player.index]
        var meta = item.meta
        meta.ticks = player.ticks
        meta.arrival = now
        meta.formatGeneration = player.track.format.generation
        if player.jumped { meta.flags.insert(.discontinuity) }
        player.jumped = false
        effects.frame(
            player.track.frames.bytes(of: player.index), meta, channel: channel,
            slot: player.track.slot)
        player.step()
    }

    /// Every track to the last frame, at or before this time of the stream, where decoding can
    /// begin. That is not more than a group of pictures ago, and all of it is due at once.
    private mutating func catchUp(_ elapsed: Interval) {
        for index in players.indices {
            var player = players[index]
            let ticks = Timebase.ticks(
                nanoseconds: elapsed.nanoseconds, rate: player.track.format.clockRate)
            let turn = ticks / player.track.period
            let place = player.track.frames.items.lastIndex {
                $0.meta.isKey && $0.meta.ticks <= ticks - turn * player.track.period
            }
            // The first frame is a key frame at tick 0 of its turn.
            player.turn = turn
            player.index = place ?? 0
            player.jumped = true
            if player.ticks > players[index].ticks { players[index] = player }
        }
    }
}
