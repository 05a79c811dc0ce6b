import Media
package import Wire

/// A viewer's place in one rendition: which encoding, which index next, and what is due when it
/// falls behind. No viewer has a queue of media: this is all there is.
///
///     while case .item(let index) = cursor.peek(rendition, at: now) {   // or .jump(index, why)
///         guard send(cursor.encoding, index) else { break }             // full: nothing has moved
///         cursor.advance()
///     }
///     if let id = cursor.takeKeyWish() { stream.requestKey(…) }
///     while let index = cursor.nextRepair() { send(…) }                  // where repairs help
///
/// Every decision (to drop, to change layer) falls at the start of a frame and is a `jump`: the
/// run of one-to-one numbers ends there. Holes are stepped over: what fills them later is a repair.
package struct Cursor {
    package enum State: UInt8, Sendable {
        /// Waits for a key frame that arrived at `keyAfter` or later.
        case waitKey
        /// Began in the past on purpose, and has not caught up yet.
        case join
        case live
        case paused
    }

    /// What there is to read.
    package enum Reading: Equatable, Sendable {
        case item(Int64)
        /// Read this one; it does not follow the one before.
        case jump(Int64, Jump)
        case nothing
        /// Hopelessly behind: close the connection.
        case close
    }

    package private(set) var encoding: Encoding?
    package private(set) var next: Int64 = 0
    package private(set) var state = State.waitKey
    package private(set) var figures = ReaderFigures()
    private let rule: LagRule
    private var keyAfter: Instant
    private var pending: Jump? = .start
    private var joinLag = Interval.zero
    /// When the last item handed over had arrived.
    private var lastRead: Instant
    private var runStart: Int64 = 0
    private var repairsSeen: UInt64 = 0
    private var keyWish: EncodingID?

    /// - Parameter keyAfter: Key frames that arrived earlier are not begun with; `.start`: the
    ///   cached one will do. What can begin anywhere begins with what arrives from `liveFrom` on.
    package init(_ rule: LagRule, keyAfter: Instant = .start, liveFrom: Instant) {
        self.rule = rule
        self.keyAfter = keyAfter
        lastRead = liveFrom
    }
}

// MARK: - Reading

extension Cursor {
    package mutating func peek(_ rendition: Rendition, at now: Instant) -> Reading {
        guard state != .paused else { return .nothing }
        guard state != .waitKey, let encoding else { return begin(in: rendition, at: now) }
        let history = encoding.history
        if next < history.start { return goOn(after: .gone, in: rendition, at: now) }
        guard let index = history.nextPresent(from: next), let meta = history.meta(index) else {
            return idle(in: rendition, at: now)
        }
        if meta.startsFrame {
            if let decided = decide(index, meta, in: rendition, at: now) { return decided }
        }
        next = index
        return pending.map { .jump(index, $0) } ?? .item(index)
    }

    /// The item last peeked at was handed over.
    package mutating func advance() {
        guard let history = encoding?.history, let meta = history.meta(next) else { return }
        if let jump = pending {
            figures.note(jump)
            pending = nil
            runStart = next
            repairsSeen = history.repairCount
        }
        lastRead = meta.arrival
        next += 1
    }

    /// A packet that came after its successors had been read, and belongs to the present run.
    package mutating func nextRepair() -> Int64? {
        guard state != .paused, pending == nil, let history = encoding?.history else { return nil }
        while repairsSeen < history.repairCount {
            let number = repairsSeen
            repairsSeen += 1
            guard let index = history.repair(number) else { continue }
            if index >= runStart, index < next, history.contains(index) { return index }
        }
        return nil
    }

    /// The encoding this reader wants a key frame of, again each time it peeked in vain: the
    /// encoding joins the wishes of all.
    package mutating func takeKeyWish() -> EncodingID? {
        defer { keyWish = nil }
        return keyWish
    }

    /// How far the head is ahead of what was handed over.
    package var lag: Interval {
        guard let history = encoding?.history, next < history.end else { return .zero }
        return history.newestArrival - lastRead
    }

    /// For a connection that takes nothing more, so that nobody peeks for it.
    package var isHopeless: Bool { rule.close.map { lag > $0 } ?? false }
}

// MARK: - Moving

extension Cursor {
    /// Puts the reader at an index, as a join plan says.
    package mutating func place(at index: Int64, in encoding: Encoding, because jump: Jump) {
        self.encoding = encoding
        next = index
        pending = jump
        let arrival = encoding.history.meta(index)?.arrival ?? encoding.history.newestArrival
        joinLag = encoding.history.newestArrival - arrival
        lastRead = arrival
        state = joinLag > rule.budget ? .join : .live
    }

    /// Nothing is read from here on; the history need not be kept for it.
    package mutating func pause() {
        state = .paused
        encoding = nil
    }

    /// Goes on with the next key frame.
    package mutating func resume(at now: Instant) {
        guard state == .paused else { return }
        wait(for: .resume, keyAfter: now)
    }

    /// Where another slot jumped to: audio follows video there.
    package mutating func skip(to instant: Instant, because jump: Jump) {
        guard let encoding, state != .paused else { return }
        let index = encoding.history.index(arrivedSince: instant)
        guard index > next else { return }
        next = index
        pending = pending ?? jump
    }

    private mutating func wait(for jump: Jump, keyAfter: Instant) {
        state = .waitKey
        pending = jump
        self.keyAfter = keyAfter
    }

    /// What was being read has ended or left: begin again, later than what was read.
    private mutating func goOn(
        after jump: Jump, in rendition: Rendition, at now: Instant
    ) -> Reading {
        if jump == .epoch, rendition.encodings.allSatisfy(\.isEnded) { return .nothing }
        wait(for: pending ?? jump, keyAfter: lastRead)
        return begin(in: rendition, at: now)
    }

    private mutating func begin(in rendition: Rendition, at now: Instant) -> Reading {
        guard let best = rendition.best(at: now) else { return .nothing }
        let history = best.history
        if history.beginsAnywhere {
            encoding = best
            let index = history.index(arrivedSince: max(lastRead, keyAfter))
            guard let meta = history.meta(index) else { return .nothing }
            place(at: index, in: best, because: pending ?? .start)
            lastRead = meta.arrival
            return .jump(index, pending ?? .start)
        }
        if let key = history.lastKey, let meta = history.meta(key), meta.arrival >= keyAfter {
            place(at: key, in: best, because: pending ?? .start)
            return .jump(key, pending ?? .start)
        }
        keyWish = best.id
        return .nothing
    }

    /// Nothing new where it reads: its publisher may have been replaced, its layer have died.
    private mutating func idle(in rendition: Rendition, at now: Instant) -> Reading {
        guard let encoding else { return .nothing }
        if encoding.isEnded { return goOn(after: .epoch, in: rendition, at: now) }
        guard rendition.encodings.count > 1, !encoding.isAlive(at: now) else { return .nothing }
        return changeLayer(from: encoding, in: rendition, at: now) ?? .nothing
    }

    /// At the start of a frame: go on, drop, change layer or give up. Nil: go on.
    private mutating func decide(
        _ index: Int64, _ meta: ItemMeta, in rendition: Rendition, at now: Instant
    ) -> Reading? {
        guard let encoding else { return nil }
        let history = encoding.history
        let lag = history.newestArrival - meta.arrival
        if let close = rule.close, lag > max(close, joinLag + close) { return .close }
        if state == .join, lag <= rule.budget { state = .live }
        let allowed = state == .join ? joinLag + rule.budget : rule.budget
        let isTooFar =
            lag > allowed || rule.bytes.map { history.bytesAhead(of: index) > $0 } ?? false
        if isTooFar, let decided = fallBehind(index, in: rendition, at: now) { return decided }
        if rendition.encodings.count > 1 {
            return changeLayer(from: encoding, in: rendition, at: now)
        }
        return nil
    }

    private mutating func fallBehind(
        _ index: Int64, in rendition: Rendition, at now: Instant
    ) -> Reading? {
        guard let encoding else { return nil }
        let history = encoding.history
        if history.beginsAnywhere {
            guard history.end - 1 > index else { return nil }
            place(at: history.end - 1, in: encoding, because: pending ?? .lag)
            return pending.map { .jump(next, $0) }
        }
        // A key frame that is itself too old would only begin the next lag.
        if let key = history.lastKey, key > index, let start = history.meta(key),
            !rule.waitsAtHead || history.newestArrival - start.arrival <= rule.budget
        {
            place(at: key, in: encoding, because: pending ?? .lag)
            return pending.map { .jump(key, $0) }
        }
        guard rule.waitsAtHead else { return nil }
        wait(for: pending ?? .lag, keyAfter: history.newestArrival)
        keyWish = encoding.id
        return .nothing
    }

    /// Up or down to the highest layer alive, once it has a key frame no older than what was read.
    private mutating func changeLayer(
        from present: Encoding, in rendition: Rendition, at now: Instant
    ) -> Reading? {
        guard let best = rendition.best(at: now), best !== present else { return nil }
        let history = best.history
        guard let key = history.lastKey, let start = history.meta(key), start.arrival >= lastRead
        else {
            keyWish = best.id
            return nil
        }
        place(at: key, in: best, because: .layer)
        return .jump(key, .layer)
    }
}
