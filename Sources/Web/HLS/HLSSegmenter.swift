import Codecs
import Containers
import Media
package import Stream
import Wire

/// Cuts frames into parts and segments, and keeps the shelf of what can be fetched.
///
/// Pictures lead: a segment begins with a key frame. Where there is only sound, every frame is one.
/// Each sample waits for the next one of its track, which tells its duration.
package struct HLSSegmenter: Sendable {
    package private(set) var shelf: HLSShelf
    private let rules: HLSRules
    /// Where time begins, so that decoding times stay positive with any composition offset.
    private static let lead = Interval.seconds(10)

    private var lanes: [HLSLane] = []
    private var muxer: HLSMuxer?
    /// One line of time for all tracks and all publishers.
    private var clock = OutletClock(rate: nil)
    /// The publisher whose samples are in the open segment.
    private var epoch = 0
    private var nextNumber: Int64
    private var nextHeader = 1
    private var sequence: UInt32 = 0
    private var isBroken = false
    /// The open segment and part, in ticks of the leading lane.
    private var segmentStart: Int64 = 0
    private var part = OpenPart()
    /// For the announced bandwidth.
    private var bytesInAll = 0
    private var durationInAll = Interval.zero

    private struct OpenPart: Sendable {
        var start: Int64 = 0
        var end: Int64 = 0
        var isIndependent = false
        var isEmpty = true
    }

    /// - Parameter number: Of the first segment: larger than any that this URL ever had, or players
    ///   that come back wait for what has long been (a count of segments since 1970 is).
    package init(_ rules: HLSRules, firstNumber number: Int64) {
        self.rules = rules
        nextNumber = number
        shelf = HLSShelf(rules)
    }

    /// A key frame is overdue: the publisher is to be asked for one.
    package var wantsKey: Bool {
        guard let lead = lanes.first, lead.slot.kind == .video, let last = lead.pending else {
            return false
        }
        return muxer != nil && lead.interval(last.time - segmentStart) >= rules.segment
    }

    /// These slots will be in it. What comes of others begins something new.
    package mutating func begin(_ present: [PresentSlot]) {
        let pictures = present.filter { $0.slot.kind == .video }
        let sound = present.filter { $0.slot.kind == .audio }
        lanes = (pictures.prefix(1) + sound.prefix(1)).map { HLSLane($0.slot, $0.format) }
    }

    /// - Parameter utc: The item's capture time in nanoseconds since 1970.
    /// - Returns: Whether there is something new on the shelf.
    package mutating func add(_ item: borrowing ReadItem, utc: Int64) -> Bool {
        guard let track = lanes.firstIndex(where: { $0.slot == item.slot }) else { return false }
        var changed = turnIfNew(item, track, utc)
        guard goesOn(track, item) else { return changed }
        let place = clock.place(item, goesOn: OutletClock.goesOn(item.jump))
        let time = place.time + lanes[track].ticks(Self.lead)
        let sample = HLSLane.Pending(
            bytes: [UInt8](copying: item.bytes), meta: item.meta, format: item.format, time: time,
            captured: utc)
        guard let (before, duration) = lanes[track].push(sample) else { return changed }
        if write(before, duration, track) { changed = true }
        return changed
    }

    /// The publisher is gone for good: what is there is all.
    package mutating func end() {
        finishPeriod()
        shelf.isEnded = true
    }

    // MARK: Periods

    /// Another publisher or another format: what comes is a discontinuity.
    private mutating func turnIfNew(
        _ item: borrowing ReadItem, _ track: Int, _ utc: Int64
    ) -> Bool {
        if item.jump == .epoch {
            lanes[track].epochs += 1
        }
        let isNewEpoch = lanes[track].epochs > epoch
        epoch = max(epoch, lanes[track].epochs)
        let isNewFormat = item.format != lanes[track].format
        guard isNewEpoch || isNewFormat || item.meta.flags.contains(.discontinuity) || hasHole(utc)
        else { return false }
        finishPeriod()
        lanes[track].turn(to: item.format)
        return true
    }

    /// Pictures are missing for longer than players look over.
    private func hasHole(_ utc: Int64) -> Bool {
        guard let last = lanes[0].pending else { return false }
        let usual = lanes[0].interval(lanes[0].usualStep)
        return Interval(nanoseconds: utc - last.captured) > max(.seconds(1), usual * 3)
    }

    /// Whether it can be used: a period begins with a key frame, and sound from before the first
    /// picture has nothing to be heard with.
    private func goesOn(_ track: Int, _ item: borrowing ReadItem) -> Bool {
        if lanes[0].slot.kind == .audio || lanes[0].pending != nil { return true }
        return track == 0 && item.meta.isKey
    }

    private mutating func finishPeriod() {
        guard muxer != nil else { return }
        for track in lanes.indices {
            if let (last, duration) = lanes[track].flush() { _ = write(last, duration, track) }
        }
        finishPart()
        finishSegment()
        sequence = muxer?.sequence ?? sequence
        muxer = nil
        isBroken = true
    }

    // MARK: Segments and parts

    private mutating func write(
        _ sample: HLSLane.Pending, _ duration: Int64, _ track: Int
    ) -> Bool {
        guard track == 0 else {
            if muxer != nil { muxer?.add(sample, duration: duration, track: track) }
            return false
        }
        var changed = false
        if muxer == nil {
            guard beginPeriod() else { return false }
            beginSegment(sample)
        } else if endsSegment(sample) {
            finishPart()
            finishSegment()
            beginSegment(sample)
            changed = true
        } else if let limit = partLimit,
            lanes[0].interval(sample.time + duration - part.start) > limit, !part.isEmpty
        {
            finishPart()
            part.start = sample.time
            changed = shelf.partTarget != nil
        }
        if part.isEmpty {
            part.isEmpty = false
            part.isIndependent = sample.meta.isKey || lanes[0].slot.kind == .audio
        }
        part.end = sample.time + duration
        muxer?.add(sample, duration: duration, track: 0)
        return changed
    }

    private var partLimit: Interval? { shelf.partTarget ?? rules.part }

    /// A key frame ends a segment that is long enough; what may not be longer ends anyway.
    private mutating func endsSegment(_ sample: HLSLane.Pending) -> Bool {
        let length = lanes[0].interval(sample.time - segmentStart)
        let isKey = sample.meta.isKey || lanes[0].slot.kind == .audio
        // A key frame that comes a little early by its jitter is the one that is meant.
        if isKey { return length + lanes[0].interval(lanes[0].usualStep / 2) >= rules.segment }
        guard shelf.targetDuration > 0 else { return false }
        let longest = Interval.seconds(Int64(shelf.targetDuration)) + .milliseconds(400)
        guard length >= longest else { return false }
        shelf.isIndependent = false
        return true
    }

    private mutating func beginPeriod() -> Bool {
        let formats = lanes.map(\.format)
        guard let made = HLSMuxer(rules.container, formats, after: sequence) else { return false }
        if rules.container == .fmp4 {
            guard let header = HLSMuxer.header(formats) else { return false }
            shelf.headers[nextHeader] = Chunk(header)
            nextHeader += 1
        }
        muxer = made
        describe(formats)
        return true
    }

    private mutating func beginSegment(_ sample: HLSLane.Pending) {
        muxer?.beginSegment()
        segmentStart = sample.time
        part = OpenPart(start: sample.time, end: sample.time)
        shelf.segments.append(
            HLSSegment(
                number: nextNumber, start: sample.captured, isDiscontinuity: isBroken,
                header: rules.container == .fmp4 ? nextHeader - 1 : nil,
                hidesParts: shelf.partTarget == nil))
        nextNumber += 1
        isBroken = false
    }

    private mutating func finishPart() {
        guard !part.isEmpty, let bytes = muxer?.finishPart() else { return }
        let last = shelf.segments.count - 1
        shelf.segments[last].parts.append(
            HLSPart(
                duration: lanes[0].interval(part.end - part.start),
                isIndependent: part.isIndependent, bytes: Chunk(bytes)))
        part = OpenPart(start: part.end, end: part.end)
    }
}

// MARK: - The shelf

extension HLSSegmenter {
    private mutating func finishSegment() {
        let last = shelf.segments.count - 1
        guard last >= 0, !shelf.segments[last].parts.isEmpty else { return }
        let parts = shelf.segments[last].parts
        var bytes: [UInt8] = []
        bytes.reserveCapacity(parts.reduce(0) { $0 + $1.bytes.count })
        for part in parts { bytes += part.bytes.bytes }
        let duration = parts.reduce(Interval.zero) { $0 + $1.duration }
        shelf.segments[last].whole = Chunk(bytes)
        shelf.segments[last].duration = duration
        settleDurations(duration)
        measure(bytes.count, duration)
        forget()
    }

    /// The first segment tells how long segments and parts are; both hold from then on. Other parts
    /// than a segment's last are at least 85 % of their target (§4.4.4.9): a seventh of it is room
    /// for the frame that would not fit.
    private mutating func settleDurations(_ first: Interval) {
        guard shelf.targetDuration == 0 else { return }
        let longer = max(first, rules.segment)
        shelf.targetDuration = max(1, Int((longer.milliseconds + 500) / 1000))
        guard let part = rules.part else { return }
        let step = lanes[0].interval(max(lanes[0].longestStep, lanes[0].usualStep))
        shelf.partTarget = min(max(part, step * 7), max(HLSRules.partMaximum, part))
    }

    private mutating func measure(_ count: Int, _ duration: Interval) {
        bytesInAll += count
        durationInAll = durationInAll + duration
        shelf.variant.peak = max(shelf.variant.peak, Self.rate(count, duration))
        shelf.variant.average = Self.rate(bytesInAll, durationInAll)
        let step = lanes[0].interval(lanes[0].usualStep).nanoseconds
        guard lanes[0].slot.kind == .video, step > 0 else { return }
        // Said to a tenth: what jitters by less is one rate.
        shelf.variant.frameRate = Int((10_000_000_000 + step / 2) / step) * 100
    }

    private static func rate(_ bytes: Int, _ duration: Interval) -> Int {
        bytes * 8000 / Int(max(1, duration.milliseconds))
    }

    private mutating func describe(_ formats: [Format]) {
        shelf.variant.codecs = formats.compactMap { CodecsText.text(for: $0) }.joined(
            separator: ",")
        shelf.variant.width = lanes[0].format.width
        shelf.variant.height = lanes[0].format.height
    }

    /// Segments leave the playlist, and later the shelf; parts of what is old go first.
    private mutating func forget() {
        while shelf.listed.count > rules.listed {
            if shelf.listed.first?.isDiscontinuity == true { shelf.discontinuities += 1 }
            shelf.hidden += 1
        }
        while shelf.hidden > rules.keptAfter {
            shelf.segments.removeFirst()
            shelf.hidden -= 1
        }
        // What is listed part by part: three target durations, and one segment for the late.
        var behind = Interval.zero
        let recent = Interval.seconds(Int64(shelf.targetDuration) * 3)
        for index in shelf.segments.indices.reversed() {
            guard behind > recent + rules.segment else {
                behind = behind + shelf.segments[index].duration
                continue
            }
            shelf.segments[index].parts = []
        }
        guard let oldest = shelf.segments.first?.header else { return }
        shelf.headers = shelf.headers.filter { $0.key >= oldest }
    }
}
