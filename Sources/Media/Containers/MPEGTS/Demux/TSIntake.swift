import Codecs
import Media
package import Stream
package import Wire

/// From a transport stream to frames on the stream's timeline: what every publisher of that kind
/// shares (SRT in both directions of the call, UDP).
///
/// Pictures and sound are carried; private data (KLV, SCTE-35, teletext) is named and left out.
package struct TSIntake: Sendable {
    /// The tables say at once what there is, but a picture's format comes with its first key frame.
    private static let tracksPatience = Interval.milliseconds(2_500)
    /// How often sound is aligned to the picture: they share one clock, their arrivals do not.
    private static let alignmentTime = Interval.seconds(1)
    /// A picture may have 8 MiB in assembly, and whoever publishes decides how many there are.
    private static let picturesMaximum = 2
    private static let soundsMaximum = 8

    private let channel: ChannelID
    private var demuxer: TSDemuxer
    private var tracks: [TSTrack] = []
    /// For each element the track it is, if it is one.
    private var places: [Int?] = []
    private var timeline = TSTimeline()
    private var origin = TimelineOrigin()
    private var firstMedia: Instant?
    private var areTracksComplete = false
    private var alignAt = Instant.start
    private var scratch = ItemBatch()
    private var counted = Figures()

    package struct Figures: Equatable, Sendable {
        package var packets: UInt64 = 0
        package var frames: UInt64 = 0
        /// Packets that were lost on the way here, as their numbers say.
        package var gaps: UInt64 = 0
        package var scrambled: UInt64 = 0
        package var damaged: UInt64 = 0
        /// Pictures and runs of sound of which something was missing.
        package var broken: UInt64 = 0
        /// Frames that came before their codec's configuration.
        package var early: UInt64 = 0
        /// How often the sender's time began anew.
        package var jumps: UInt64 = 0
    }

    /// Something that can be played has come.
    package private(set) var lastMedia: Instant?

    /// - Parameter program: Of a stream with several; nil: the first.
    package init(channel: ChannelID, program: UInt16? = nil) {
        self.channel = channel
        demuxer = TSDemuxer(program: program)
    }

    package var figures: Figures {
        var figures = counted
        let seen = demuxer.figures
        (figures.packets, figures.gaps) = (seen.packets, seen.gaps)
        (figures.scrambled, figures.damaged) = (seen.scrambled, seen.damaged)
        figures.broken = tracks.reduce(counted.broken) { $0 &+ $1.broken }
        figures.jumps = timeline.jumps
        return figures
    }

    /// What the stream has, by name: carried or not.
    package var elements: [TSElement] { demuxer.elements }

    /// - Throws: Nothing in it is of use: the publisher is to be told.
    package mutating func receive(
        _ bytes: RawSpan, at now: Instant, into effects: inout Effects
    ) throws(Refusal) {
        guard demuxer.hasRest else { return try walk(bytes, at: now, &effects) }
        let joined = demuxer.join(bytes)
        try walk(joined.raw, at: now, &effects)
    }

    private mutating func walk(
        _ bytes: RawSpan, at now: Instant, _ effects: inout Effects
    ) throws(Refusal) {
        var at = 0
        while let step = demuxer.next(in: bytes, at: &at) {
            switch step {
            case .elements(let elements): try take(elements)
            case .packet(let element, let head, let start, let hasGap):
                guard places.indices.contains(element), let index = places[element] else {
                    continue
                }
                let payload = bytes.extracting(
                    start + head.payload.lowerBound..<start + head.payload.upperBound)
                take(payload, head, index, hasGap, at: now, &effects)
            }
        }
        demuxer.keep(bytes, from: at)
    }

    private mutating func take(
        _ payload: RawSpan, _ head: TSPacketHead, _ index: Int, _ hasGap: Bool, at now: Instant,
        _ effects: inout Effects
    ) {
        if hasGap { tracks[index].noteGap() }
        if head.startsUnit {
            if tracks[index].assembler.isOpen { finish(index, isEarly: false, at: now, &effects) }
            tracks[index].assembler.begin()
        }
        let isWhole = tracks[index].assembler.append(payload, isFilledUp: head.isFilledUp)
        if isWhole { finish(index, isEarly: true, at: now, &effects) }
    }

    // MARK: - Tracks

    /// The tables have changed. A track that is what it was goes on; another codec in the place of
    /// one begins in its slot.
    private mutating func take(_ elements: [TSElement]) throws(Refusal) {
        var kept: [TSTrack] = []
        places = Array(repeating: nil, count: elements.count)
        for (place, element) in elements.enumerated() {
            guard let codec = element.codec else { continue }
            let maximum = codec.kind == .video ? Self.picturesMaximum : Self.soundsMaximum
            let number = kept.count { $0.slot.kind == codec.kind }
            guard number < maximum else { continue }
            let slot = SlotName(codec.kind, UInt8(number))
            let before = tracks.first { $0.slot == slot }
            if let before, before.element == element {
                kept.append(before)
            } else if var fresh = TSTrack(element, slot) {
                if let before { fresh.follow(before) }
                counted.broken &+= before?.broken ?? 0
                kept.append(fresh)
            }
            places[place] = kept.count - 1
        }
        tracks = kept
        guard tracks.isEmpty, !elements.isEmpty else { return }
        let names = elements.map(\.name).joined(separator: ", ")
        throw Refusal(
            .unsupportedCodec,
            "the transport stream has nothing that can be played here (\(names)): "
                + "set the encoder to H.264 or H.265, and AAC or Opus")
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

    package var deadline: Instant {
        guard !areTracksComplete, let firstMedia else { return .distantFuture }
        return firstMedia + Self.tracksPatience
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        if now >= deadline { completeTracks(&effects) }
    }

    // MARK: - Frames

    private mutating func finish(
        _ index: Int, isEarly: Bool, at now: Instant, _ effects: inout Effects
    ) {
        // Out of here for as long as its bytes are lent.
        var frames = ItemBatch()
        swap(&frames, &scratch)
        tracks[index].build(isEarly, at: now, &timeline, into: &frames)
        announce(index, &effects)
        for item in 0..<frames.count {
            guard tracks[index].format != nil else {
                counted.early &+= 1
                continue
            }
            var meta = frames.items[item].meta
            tracks[index].place(
                item, &meta, frames.bytes(of: item), origin: &origin, at: now)
            effects.frame(
                frames.bytes(of: item), meta, channel: channel, slot: tracks[index].slot)
            counted.frames &+= 1
            align(index, meta.ticks, at: now, &effects)
            lastMedia = now
            if firstMedia == nil { firstMedia = now }
        }
        frames.clear()
        swap(&frames, &scratch)
        if !areTracksComplete, firstMedia != nil, tracks.allSatisfy(\.wasAnnounced) {
            completeTracks(&effects)
        }
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
