import Media
package import Stream
package import Wire

/// From the bodies of FLV tags and RTMP messages to frames on the stream's timeline: what every
/// publisher of that family shares (RTMP in and pulled, HTTP-FLV pulled).
///
/// Nothing that metadata or header bits claim is believed where the media itself says it: cameras
/// and phones get them wrong. Track 0 fills the first slot of its kind, others the slots behind.
package struct FLVIntake: Sendable {
    /// Encoders send all their headers at the start; what comes later is announced when it comes.
    private static let tracksPatience = Interval.milliseconds(2_500)
    /// How often sound is aligned to the picture: they share one clock, their arrivals do not.
    private static let alignmentTime = Interval.seconds(1)

    private let channel: ChannelID
    private var tracks: [FLVTrack] = []
    private var origin = TimelineOrigin()
    private var firstMedia: Instant?
    private var areTracksComplete = false
    private var alignAt = Instant.start
    private var scratch = ItemBatch()
    package private(set) var figures = Figures()

    package struct Figures: Equatable, Sendable {
        package var frames: UInt64 = 0
        /// Bodies that could not be read.
        package var broken: UInt64 = 0
        /// Frames that came before their codec's configuration.
        package var early: UInt64 = 0
    }

    package init(channel: ChannelID) { self.channel = channel }

    /// Something that can be played has come.
    package var lastMedia: Instant?

    /// - Parameter stamp: Milliseconds; they may begin anywhere and wrap.
    /// - Throws: The codec is one that nobody can be given: the publisher is to be told.
    package mutating func receive(
        _ kind: FLVTag.Kind, _ body: RawSpan, stamp: UInt32, at now: Instant,
        into effects: inout Effects
    ) throws(Refusal) {
        guard kind != .script else { return }
        var units = kind == .video ? FLVUnits(video: body) : FLVUnits(audio: body)
        while true {
            let next: FLVUnit?
            do throws(ParseError) { next = try units.next() } catch {
                figures.broken += 1
                return
            }
            guard let unit = next else { return }
            try take(unit, body.extracting(unit.payload), kind, stamp, at: now, &effects)
        }
    }

    package var deadline: Instant {
        guard !areTracksComplete, let firstMedia else { return .distantFuture }
        return firstMedia + Self.tracksPatience
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        if now >= deadline { completeTracks(&effects) }
    }

    private mutating func take(
        _ unit: FLVUnit, _ payload: RawSpan, _ kind: FLVTag.Kind, _ stamp: UInt32,
        at now: Instant, _ effects: inout Effects
    ) throws(Refusal) {
        guard unit.role != .end, unit.role != .other else { return }
        let index = try track(for: unit, kind)
        guard let index else { return }
        do throws(ParseError) {
            if unit.role == .configuration {
                try tracks[index].configure(payload)
                announce(index, &effects)
                return
            }
            guard try tracks[index].build(unit, payload, at: now, into: &scratch) else { return }
        } catch {
            figures.broken += 1
            scratch.clear()
            return
        }
        store(index, unit, stamp, at: now, &effects)
    }

    /// The track that a unit belongs to; a new codec begins a new one in its place.
    private mutating func track(
        for unit: FLVUnit, _ kind: FLVTag.Kind
    ) throws(Refusal) -> Int? {
        let slot = SlotName(kind == .video ? .video : .audio, unit.track)
        let index = tracks.firstIndex { $0.slot == slot }
        if let index, unit.codec == .known(tracks[index].codec) { return index }
        guard let codec = unit.codec.codec, FLVTrack.isCarried(codec) else {
            // What nobody asked for may be left out; the default track may not be silent.
            guard unit.track == 0 else { return nil }
            throw Self.refusal(of: unit.codec, kind)
        }
        var fresh = FLVTrack(slot, codec)
        if let index {
            fresh.wasAnnounced = tracks[index].wasAnnounced
            tracks[index] = fresh
            return index
        }
        guard tracks.count < Self.tracksMaximum else { return nil }
        tracks.append(fresh)
        return tracks.count - 1
    }

    /// As many slots as a stream has.
    private static let tracksMaximum = 16

    private static func refusal(of codec: FLVCodec, _ kind: FLVTag.Kind) -> Refusal {
        let fix =
            kind == .video
            ? "set the encoder to H.264 (or H.265, AV1, VP9)" : "set the encoder to AAC (or Opus)"
        return Refusal(.unsupportedCodec, "\(codec.name) cannot be played by anybody here: \(fix)")
    }

    private mutating func store(
        _ index: Int, _ unit: FLVUnit, _ stamp: UInt32, at now: Instant,
        _ effects: inout Effects
    ) {
        // Out of here for as long as its bytes are lent.
        var scratch = ItemBatch()
        swap(&scratch, &self.scratch)
        defer {
            scratch.clear()
            swap(&scratch, &self.scratch)
        }
        announce(index, &effects)
        guard tracks[index].wasAnnounced, tracks[index].format != nil else {
            figures.early += 1
            return
        }
        for item in 0..<scratch.count {
            var meta = scratch.items[item].meta
            tracks[index].place(
                &meta, scratch.bytes(of: item), unit, stamp, origin: &origin, at: now)
            effects.frame(
                scratch.bytes(of: item), meta, channel: channel, slot: tracks[index].slot)
            figures.frames += 1
            align(index, meta.ticks, at: now, &effects)
        }
        lastMedia = now
        if firstMedia == nil { firstMedia = now }
        let kinds = Set(tracks.filter(\.wasAnnounced).map(\.slot.kind))
        if kinds.count == 2 { completeTracks(&effects) }
    }

    /// Says what the track is, when it is known and when it has changed.
    private mutating func announce(_ index: Int, _ effects: inout Effects) {
        guard let format = tracks[index].takeChangedFormat() else { return }
        let slot = tracks[index].slot
        if tracks[index].wasAnnounced {
            effects.append(.format(channel, slot, layer: 0, format))
        } else {
            tracks[index].wasAnnounced = true
            effects.append(
                .announce(channel, AnnouncedSlot(slot: slot, format: format, form: .frames)))
        }
    }

    private mutating func completeTracks(_ effects: inout Effects) {
        guard !areTracksComplete else { return }
        areTracksComplete = true
        effects.append(.tracksComplete(channel))
    }

    /// All tracks count on one clock, so each tells where it stands there, as a camera's sender
    /// report would: sound is placed by the picture and not by how bursts of both arrived.
    private mutating func align(
        _ index: Int, _ ticks: Int64, at now: Instant, _ effects: inout Effects
    ) {
        guard now >= alignAt || !tracks[index].isAligned else { return }
        if tracks[index].isAligned { alignAt = now + Self.alignmentTime }
        tracks[index].isAligned = true
        let time = Timebase.nanoseconds(ticks, rate: tracks[index].clockRate)
        effects.append(
            .clock(
                channel, tracks[index].slot, layer: 0, ntpNanoseconds: time, ticks: ticks))
    }
}
