package import Media
package import Wire

/// One sequence in a slot: the only one, or one simulcast layer. It has its own history, key
/// frames, measured rate and formats.
///
/// It belongs to one epoch: the next publisher's sequence is another encoding of the same
/// rendition, and readers walk over when they have read this one to its end.
package final class Encoding {
    /// Chrome stops its top layers without a word; RTCP and DTX pauses are shorter than this.
    static let silenceMaximum = Interval.milliseconds(1_500)
    /// Formats remembered: those of the items still here, and a few for a camera that flaps.
    private static let formatMaximum = 16

    package let id: EncodingID
    /// As signalled; empty for the only one.
    package let rid: String
    package let history: History

    /// A format and the first index it holds for; shared by all who read its items, who would
    /// otherwise copy the format for each.
    package final class FormatEra: Sendable {
        package let format: Format
        package let from: Int64

        package init(_ format: Format, from: Int64 = .min) {
            self.format = format
            self.from = from
        }
    }

    private var eras: [FormatEra] = []
    private var shared = SharedItems()
    private var meter = RateMeter()
    private var lastStored: Instant?
    private var keyRequests = KeyRequests()
    private var hasEnded = false
    private var captureMap: CaptureMap
    /// Its times are those of the encoding it was made of, not of when it was made.
    private(set) var followsAnother = false
    private var clock: SenderClock?
    /// What the publisher before has reached: nothing here was taken earlier.
    private var captureFloor = Instant.start
    private var newestTicks: Int64?
    private var frameTicks: Int64 = 0

    init(id: EncodingID, rid: String, format: Format, history: History) {
        self.id = id
        self.rid = rid
        self.history = history
        eras = [FormatEra(format)]
        captureMap = CaptureMap(rate: format.clockRate)
    }

    package var bitsPerSecond: Int { meter.bitsPerSecond }
    package var lastArrival: Instant? { lastStored }
    /// Its publisher is gone or replaced: what is here is all there will be.
    package var isEnded: Bool { hasEnded }

    package func isAlive(at now: Instant) -> Bool {
        guard !hasEnded, let lastStored else { return false }
        return now - lastStored < Self.silenceMaximum
    }

    /// The format that holds for what comes next.
    package var format: Format {
        guard let last = eras.last else { preconditionFailure("an encoding has a format") }
        return last.format
    }

    /// The format that holds for the item at `index`.
    package func format(at index: Int64) -> Format { era(at: index).format }

    package func era(at index: Int64) -> FormatEra {
        var place = eras.count - 1
        while place > 0, eras[place].from > index { place -= 1 }
        return eras[place]
    }

    /// A format that holds from the next item on; the generation is counted here.
    ///
    /// - Returns: False if it is what holds already.
    @discardableResult
    func change(_ format: Format) -> Bool {
        var next = format
        next.generation = self.format.generation
        guard next != self.format else { return false }
        // Before the first item nothing has been decoded by the old one: it never held.
        guard !history.isEmpty else {
            eras = [FormatEra(next)]
            return true
        }
        next.generation &+= 1
        let start = history.start
        while eras.count > 1, eras[1].from <= start { eras.removeFirst() }
        if eras.count == Self.formatMaximum { eras.removeFirst() }
        eras.append(FormatEra(next, from: history.end))
        return true
    }

    /// A format as the home numbered it, from the next item on.
    func adopt(_ format: Format) {
        guard format != self.format else { return }
        if eras.count == Self.formatMaximum { eras.removeFirst() }
        eras.append(FormatEra(format, from: history.end))
    }

    /// Stores an item; `index` nil: the next one.
    @discardableResult
    func store(_ bytes: RawSpan, _ meta: ItemMeta, at index: Int64?) -> History.Stored {
        var meta = meta
        meta.formatGeneration = format.generation
        if meta.isKey, meta.startsFrame { keyRequests.keyArrived() }
        lastStored = meta.arrival
        meter.add(bytes.byteCount, at: meta.arrival)
        if meta.startsFrame {
            if !followsAnother {
                captureMap.receive(ticks: meta.ticks, at: meta.arrival, clock: clock)
            }
            noteFrame(meta.ticks)
        }
        return history.store(bytes, meta, at: index ?? history.end)
    }

    /// An item for many viewers at once; nil: it is too small, or has gone.
    package func chunk(_ index: Int64) -> Chunk? {
        let history = history
        guard let bytes = history.bytes(index) else { return nil }
        return shared.chunk(index, bytes)
    }

    /// Nobody takes chunks any more: their memory is given back.
    package func forgetChunks() { shared.clear() }

    // MARK: Capture time

    /// When the sample with these ticks was taken: an estimate, on our monotonic clock.
    package func capture(of ticks: Int64) -> Instant {
        max(captureFloor, captureMap.capture(of: ticks))
    }

    /// One frame after the newest: where the next publisher's time may begin. Nil: it has none.
    var nextCapture: Instant? {
        guard let newestTicks else { return nil }
        // A pause before the last frame is no frame duration: at most a tenth of a second.
        let step = min(max(1, frameTicks), Int64(captureMap.rate) / 10)
        return Instant(
            nanoseconds: capture(of: newestTicks).nanoseconds
                &+ Timebase.nanoseconds(step, rate: captureMap.rate))
    }

    /// Held at each reading, not built into the map: a clock that is behind catches up by itself,
    /// and sound and picture keep their distance.
    func holdCapture(above floor: Instant) { captureFloor = floor }

    private func noteFrame(_ ticks: Int64) {
        guard let newest = newestTicks else {
            newestTicks = ticks
            return
        }
        guard ticks > newest else { return }
        frameTicks = ticks - newest
        newestTicks = ticks
    }

    /// The ticks that are being taken at `now`: for sender reports to viewers.
    package func ticks(at now: Instant) -> Int64 { captureMap.ticks(at: now) }

    /// What the estimate rests on.
    package var captureSource: CaptureMap.Source { captureMap.source }

    func report(ntp: Int64, ticks: Int64) { captureMap.report(ntp: ntp, ticks: ticks) }
    func follow(_ clock: SenderClock) { self.clock = clock }
    /// Takes over the map of what it is made of: converting takes time that is none of the media's.
    func follow(_ parent: Encoding) {
        followsAnother = true
        captureMap = parent.captureMap.derived(rate: captureMap.rate)
    }
    func align(to video: Encoding) { captureMap.align(to: video.captureMap) }

    // MARK: Key frames

    func wantKey(at now: Instant) -> Bool { !hasEnded && keyRequests.want(at: now) }
    var keyDeadline: Instant? { hasEnded ? nil : keyRequests.deadline }
    func expireKey(at now: Instant) -> Bool { !hasEnded && keyRequests.expire(at: now) }

    func end() { hasEnded = true }

    /// Layers are compared by picture size, and by rate where sizes are unknown or equal.
    func isHigher(than other: Encoding) -> Bool {
        let mine = Int64(format.width) * Int64(format.height)
        let others = Int64(other.format.width) * Int64(other.format.height)
        if mine > 0, others > 0, mine != others { return mine > others }
        return bitsPerSecond > other.bitsPerSecond
    }
}
