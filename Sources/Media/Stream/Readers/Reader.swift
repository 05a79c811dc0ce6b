import Media
package import Wire

/// A viewer of whole streams over a connection: a cursor per slot, read in the order of arrival.
///
/// For everything that is written in one sequence (FLV, RTMP, TS, fMP4, a recording). WebRTC
/// viewers have their cursors side by side in the fan-out, where each slot is its own RTP stream.
/// Slots may be filled while it reads, by another publisher or for the first time: `resolve` after
/// each `.changed` of the stream finds them.
package struct Reader {
    package enum Reading: Equatable, Sendable {
        /// Track number, index in its encoding, and why it does not follow the one before.
        case item(track: Int, index: Int64, jump: Jump?)
        case nothing
        case close
    }

    private struct Track {
        var want: Subscription.Want
        var rendition: Rendition?
        var cursor: Cursor
        var demand: Demand?
    }

    private var tracks: [Track]
    /// Track numbers, those of pictures first.
    private let order: [Int]
    private let rule: LagRule
    /// Which one it is among all readers of its stream, where it says what it can use.
    private let number: UInt64
    private var peeked: Int?
    private var hasBegun = false

    package init(_ subscription: Subscription, number: UInt64 = 0, at now: Instant) {
        self.number = number
        rule = subscription.rule
        let keyAfter = subscription.start == .cached ? Instant.start : now
        let rule = subscription.rule
        tracks = subscription.wants.map {
            Track(want: $0, cursor: Cursor(rule, keyAfter: keyAfter, liveFrom: now))
        }
        let pictures = subscription.wants.indices.filter {
            subscription.wants[$0].slot.kind == .video
        }
        order = pictures + subscription.wants.indices.filter { !pictures.contains($0) }
    }

    package func encoding(_ track: Int) -> Encoding? { tracks[track].cursor.encoding }
    package func rendition(_ track: Int) -> Rendition? { tracks[track].rendition }
    package func cursor(_ track: Int) -> Cursor { tracks[track].cursor }
    package var trackCount: Int { tracks.count }

    /// Finds renditions for the wants that have none, or whose rendition is no longer filled.
    package mutating func resolve(
        in stream: some ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        for index in tracks.indices {
            if let present = tracks[index].rendition {
                guard present.encodings.isEmpty else { continue }
                leave(present, index, in: stream, at: now, into: &orders)
            }
            let found = stream.open(tracks[index].want, at: now, into: &orders)
            tracks[index].rendition = found
            guard let found, let demand = tracks[index].demand else { continue }
            stream.setDemand(demand, of: found, by: number, at: now, into: &orders)
        }
    }

    /// The most it can use of a track from here on, also of a rendition that it finds later.
    package mutating func limit(
        _ track: Int, to demand: Demand, in stream: some ReadableStream, at now: Instant,
        into orders: inout Orders
    ) {
        tracks[track].demand = demand
        guard let rendition = tracks[track].rendition else { return }
        stream.setDemand(demand, of: rendition, by: number, at: now, into: &orders)
    }

    private mutating func leave(
        _ rendition: Rendition, _ track: Int, in stream: some ReadableStream, at now: Instant,
        into orders: inout Orders
    ) {
        if tracks[track].demand != nil {
            stream.setDemand(nil, of: rendition, by: number, at: now, into: &orders)
        }
        stream.close(rendition, tracks[track].cursor.figures, at: now, into: &orders)
        tracks[track].rendition = nil
    }

    package mutating func close(
        in stream: some ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        for index in tracks.indices {
            guard let rendition = tracks[index].rendition else { continue }
            leave(rendition, index, in: stream, at: now, into: &orders)
        }
    }

    /// What comes next; the same until `advance`.
    package mutating func peek(at now: Instant) -> Reading {
        if !hasBegun { begin(at: now) }
        var best: Found?
        // Pictures first: where they jump to decides what sound there is to read.
        for index in order {
            guard let found = look(index, at: now) else { continue }
            if found.isClosed { return .close }
            followJump(found)
            if best.map({ found.arrival < $0.arrival }) ?? true { best = found }
        }
        guard let best else { return .nothing }
        peeked = best.track
        return .item(track: best.track, index: best.index, jump: best.jump)
    }

    private struct Found {
        var track: Int
        var index: Int64 = 0
        var jump: Jump?
        var arrival = Instant.start
        var isClosed = false
    }

    private mutating func look(_ track: Int, at now: Instant) -> Found? {
        guard let rendition = tracks[track].rendition else { return nil }
        var found = Found(track: track)
        switch tracks[track].cursor.peek(rendition, at: now) {
        case .item(let index): found.index = index
        case .jump(let index, let jump): (found.index, found.jump) = (index, jump)
        case .nothing: return nil
        case .close: found.isClosed = true
        }
        let meta = tracks[track].cursor.encoding?.history.meta(found.index)
        found.arrival = meta?.arrival ?? .start
        return found
    }

    /// The tracks that have something to be read now, by their number.
    package mutating func present(at now: Instant) -> [Int] {
        if !hasBegun { begin(at: now) }
        return tracks.indices.filter { track in
            guard let rendition = tracks[track].rendition else { return false }
            return switch tracks[track].cursor.peek(rendition, at: now) {
            case .item, .jump: true
            case .nothing, .close: false
            }
        }
    }

    /// The item last peeked at was handed over.
    package mutating func advance() {
        guard let peeked else { return }
        tracks[peeked].cursor.advance()
        self.peeked = nil
    }

    /// Key frames that tracks wait for.
    package mutating func requestKeys(
        in stream: some ReadableStream, at now: Instant, into orders: inout Orders
    ) {
        for index in tracks.indices {
            guard let id = tracks[index].cursor.takeKeyWish(),
                let rendition = tracks[index].rendition
            else { continue }
            stream.requestKey(id, of: rendition, at: now, into: &orders)
        }
    }

    package mutating func pause(_ track: Int) { tracks[track].cursor.pause() }

    package mutating func resume(_ track: Int, at now: Instant) {
        tracks[track].cursor.resume(at: now)
    }

    /// For a connection that takes nothing more.
    package var isHopeless: Bool { tracks.contains { $0.cursor.isHopeless } }

    /// Sound begins where the cached picture does, not later: players wait for both.
    private mutating func begin(at now: Instant) {
        let pictures = tracks.indices.filter { tracks[$0].want.slot.kind == .video }
        for index in pictures {
            guard let rendition = tracks[index].rendition,
                case .jump(let key, .start) = tracks[index].cursor.peek(rendition, at: now),
                let meta = tracks[index].cursor.encoding?.history.meta(key)
            else { continue }
            for other in tracks.indices where tracks[other].want.slot.kind != .video {
                tracks[other].cursor = Cursor(rule, liveFrom: meta.arrival)
            }
            break
        }
        hasBegun = tracks.contains { $0.rendition != nil }
    }

    /// When pictures jump, sound goes with them: else it would be heard seconds before they show.
    private mutating func followJump(_ found: Found) {
        guard let jump = found.jump, jump == .lag || jump == .gone,
            tracks[found.track].want.slot.kind == .video
        else { return }
        for other in tracks.indices where tracks[other].want.slot.kind != .video {
            tracks[other].cursor.skip(to: found.arrival, because: jump)
        }
    }
}
