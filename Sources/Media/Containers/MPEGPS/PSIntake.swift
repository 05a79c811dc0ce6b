package import Media
package import Stream
package import Wire

/// From the payloads of a camera's program stream to frames on the stream's timeline.
///
/// What a map says is a hint: there may be none, and it may lie. Tracks are what their bytes show
/// them to be, within the first key frame. A frame of which something was lost is dropped, and so
/// is what cannot be decoded without it; a key frame should then be asked for.
package struct PSIntake: Sendable {
    /// Sound is waited for so long after the first picture; longer if the map names it.
    private static let soundPatience = Interval.milliseconds(500)
    private static let namedSoundPatience = Interval.seconds(1)
    /// How often sound is aligned to the picture: they share one clock, their arrivals do not.
    private static let alignmentTime = Interval.seconds(1)

    private let channel: ChannelID
    private var demuxer = PSDemuxer()
    private var pieces: [PSPiece] = []
    private var map: PSProgramMap?
    private var pictures: PSPictures?
    private var picturesID: UInt8?
    private var sound: PSSound?
    private var soundID: UInt8?
    private var origin = TimelineOrigin()
    private var announced: [SlotName: Format] = [:]
    private var firstPicture: Instant?
    private var areTracksComplete = false
    private var alignAt: [SlotName: Instant] = [:]
    package private(set) var lost: UInt64 = 0
    /// Something that can be played has come.
    package private(set) var lastMedia: Instant?

    package init(channel: ChannelID) { self.channel = channel }

    // MARK: - Bytes

    /// The payload of the next packet of the carrier.
    package mutating func receive(
        _ payload: RawSpan, isMarked: Bool, at now: Instant, into effects: inout Effects
    ) {
        var pieces: [PSPiece] = []
        swap(&pieces, &self.pieces)
        demuxer.receive(payload, into: &pieces)
        // Out of here for as long as they are lent.
        var bytes: [UInt8] = []
        demuxer.lend(&bytes)
        var sawPictures = false
        for piece in pieces {
            if case .data(let stream, _) = piece, stream == picturesID { sawPictures = true }
            take(piece, of: bytes, at: now, &effects)
        }
        demuxer.lend(&bytes)
        if isMarked, sawPictures {
            pictures?.mark(at: now)
            passPictures(at: now, &effects)
        }
        pieces.removeAll(keepingCapacity: true)
        swap(&pieces, &self.pieces)
    }

    /// Packets are missing before the next one.
    package mutating func lose(_ count: Int) {
        lost &+= UInt64(max(1, count))
        demuxer.lose()
        pictures?.lose()
        sound?.lose()
    }

    private mutating func take(
        _ piece: PSPiece, of bytes: [UInt8], at now: Instant, _ effects: inout Effects
    ) {
        switch piece {
        case .pack: break
        case .map(let map): take(map)
        case .begin(let head): begin(head, at: now, &effects)
        case .data(let stream, let range):
            if stream == picturesID {
                pictures?.append(bytes.raw.extracting(range), at: now)
                passPictures(at: now, &effects)
            } else if stream == soundID {
                sound?.append(bytes.raw.extracting(range))
            }
        case .end(let stream):
            if stream == picturesID { pictures?.end() }
            if stream == soundID { passSound(at: now, &effects) }
        case .cut(let stream):
            // Nothing was lost on the way: then its length was a lie, and what came is all.
            if stream == picturesID { pictures?.end() }
            if stream == soundID { sound?.lose() }
        }
    }

    private mutating func begin(
        _ head: PSPacketHead, at now: Instant, _ effects: inout Effects
    ) {
        if head.streamID >= 0xe0 {
            if picturesID == nil {
                (picturesID, pictures) = (head.streamID, PSPictures(said(of: head.streamID)))
            }
            if head.streamID == picturesID { pictures?.begin(head) }
        } else {
            if soundID == nil, isCarried(head.streamID) {
                (soundID, sound) = (head.streamID, PSSound(said(of: head.streamID)))
            }
            guard head.streamID == soundID else { return }
            pictures?.otherTrack(at: now)
            passPictures(at: now, &effects)
            sound?.begin(head)
        }
    }

    // MARK: - The map

    private mutating func take(_ map: PSProgramMap) {
        guard map != self.map else { return }
        let before = self.map
        self.map = map
        // Another one than before: the operator has changed the codec.
        guard let before else { return }
        if let soundID, Self.type(of: soundID, in: before) != Self.type(of: soundID, in: map) {
            (self.soundID, sound) = (nil, nil)
        }
    }

    private static func type(of stream: UInt8, in map: PSProgramMap) -> UInt8? {
        map.entries.first { $0.streamID == stream }?.streamType
    }

    private func said(of stream: UInt8) -> Codec? {
        map?.entries.first { $0.streamID == stream }?.codec
    }

    /// Sound of a kind that nobody here can be given is left out, by name.
    private func isCarried(_ stream: UInt8) -> Bool {
        guard let entry = map?.entries.first(where: { $0.streamID == stream }) else { return true }
        return entry.codec != nil
    }

    /// Of the map's tracks, those that are left out.
    package var leftOut: [String] {
        map?.entries.filter { $0.codec == nil && $0.streamID >= 0xc0 }.map(\.name) ?? []
    }

    // MARK: - Frames

    private mutating func passPictures(at now: Instant, _ effects: inout Effects) {
        guard let format = pictures?.format, pictures?.hasFrames == true else { return }
        announce(.video, format, &effects)
        guard
            let ticks = pictures?.takeFrames(
                origin: &origin, at: now, into: &effects, channel: channel, slot: .video)
        else { return }
        lastMedia = now
        if firstPicture == nil { firstPicture = now }
        align(.video, ticks, format.clockRate, at: now, &effects)
    }

    private mutating func passSound(at now: Instant, _ effects: inout Effects) {
        var announced = self.announced
        let channel = channel
        let ticks = sound?.end(
            origin: &origin, at: now, into: &effects, channel: channel, slot: .audio
        ) { format, effects in
            Self.announce(.audio, format, channel, &announced, &effects)
        }
        self.announced = announced
        completeTracks(&effects)
        guard let ticks, let format = sound?.format else { return }
        lastMedia = now
        align(.audio, ticks, format.clockRate, at: now, &effects)
    }

    private mutating func announce(
        _ slot: SlotName, _ format: Format, _ effects: inout Effects
    ) {
        Self.announce(slot, format, channel, &announced, &effects)
        completeTracks(&effects)
    }

    private static func announce(
        _ slot: SlotName, _ format: Format, _ channel: ChannelID,
        _ announced: inout [SlotName: Format], _ effects: inout Effects
    ) {
        let before = announced[slot]
        guard before != format else { return }
        announced[slot] = format
        if before?.codec == format.codec {
            effects.append(.format(channel, slot, layer: 0, format))
        } else {
            effects.append(
                .announce(channel, AnnouncedSlot(slot: slot, format: format, form: .frames)))
        }
    }

    private mutating func completeTracks(_ effects: inout Effects) {
        guard !areTracksComplete, announced.count == 2 else { return }
        areTracksComplete = true
        effects.append(.tracksComplete(channel))
    }

    /// All tracks count on one clock, so each tells where it stands there, as a camera's sender
    /// report would: sound is placed by the picture and not by how bursts of both arrived.
    private mutating func align(
        _ slot: SlotName, _ ticks: Int64, _ rate: Int32, at now: Instant,
        _ effects: inout Effects
    ) {
        guard now >= alignAt[slot] ?? .start else { return }
        alignAt[slot] = now + Self.alignmentTime
        let time = Timebase.nanoseconds(ticks, rate: rate)
        effects.append(.clock(channel, slot, layer: 0, ntpNanoseconds: time, ticks: ticks))
    }

    // MARK: - Time

    package var deadline: Instant {
        min(pictures?.deadline ?? .distantFuture, completeAt)
    }

    private var completeAt: Instant {
        guard !areTracksComplete, let firstPicture else { return .distantFuture }
        let isNamed = map?.entries.contains { (0xc0...0xdf).contains($0.streamID) } == true
        return firstPicture + (isNamed ? Self.namedSoundPatience : Self.soundPatience)
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        pictures?.expire(at: now)
        passPictures(at: now, &effects)
        guard now >= completeAt else { return }
        areTracksComplete = true
        effects.append(.tracksComplete(channel))
    }

    // MARK: - For reports

    /// From a loss that only a key frame mends until one comes.
    package var wantsKey: Bool { pictures?.wantsKey ?? false }

    package struct Report: Equatable, Sendable {
        package var video: Codec?
        package var audio: Codec?
        package var frames: UInt64 = 0
        package var damaged: UInt64 = 0
        package var dropped: UInt64 = 0
        package var audioFrames: UInt64 = 0
        package var audioDamaged: UInt64 = 0
        package var resyncs: UInt64 = 0
        package var trustsMarkers = false
        package var videoRepairs = RepairCounters()
        package var audioRepairs = RepairCounters()

        package init() {}
    }

    package var report: Report {
        var report = Report()
        report.video = pictures?.format?.codec
        report.audio = sound?.format?.codec
        report.frames = pictures?.figures.frames ?? 0
        report.damaged = pictures?.figures.damaged ?? 0
        report.dropped = pictures?.figures.dropped ?? 0
        report.audioFrames = sound?.figures.frames ?? 0
        report.audioDamaged = sound?.figures.damaged ?? 0
        report.resyncs = demuxer.figures.resyncs
        report.trustsMarkers = pictures?.trustsMarkers ?? false
        report.videoRepairs = pictures?.repairs ?? RepairCounters()
        report.audioRepairs = sound?.repairs ?? RepairCounters()
        return report
    }
}
