import Media
import RTP
import Stream
import Wire

/// All tracks that come in over one session, from an encoder or a camera: which packet is whose.
struct RTSPInlet {
    struct Track {
        var description: RTSPTrack
        /// nil: nothing that we carry; its packets are dropped.
        var intake: RTSPIntake?
        /// nil: not set up.
        var carrier: RTSPCarrier?
    }

    var tracks: [Track]
    private var origin = TimelineOrigin()
    /// Ours, in the reports that the sender gets.
    private let ssrc: UInt32
    /// When media came last.
    var lastMedia: Instant?

    init(_ tracks: [RTSPTrack], ssrc: UInt32) {
        self.tracks = tracks.map { Track(description: $0) }
        self.ssrc = ssrc
    }

    mutating func setUp(_ index: Int, _ carrier: RTSPCarrier, channel: ChannelID) {
        tracks[index].carrier = carrier
        tracks[index].intake = RTSPIntake(
            tracks[index].description, channel: channel, isOrdered: !carrier.usesLines)
    }

    /// What is set up and can be carried.
    var slots: [AnnouncedSlot] {
        tracks.compactMap { track in
            guard let intake = track.intake, let first = track.description.payloads.first else {
                return nil
            }
            return intake.track.announcement(first)
        }
    }

    mutating func receive(
        _ packet: RawSpan, on way: RTSPWay, at now: Instant, _ effects: inout Effects
    ) {
        guard let index = track(of: packet, on: way) else { return }
        if RTPHeader.isRTCP(packet) {
            tracks[index].intake?.receiveReport(packet, at: now, into: &effects)
        } else {
            lastMedia = now
            tracks[index].intake?.receive(packet, at: now, origin: &origin, into: &effects)
        }
    }

    /// Something came from the peer by UDP: now its ports are known.
    mutating func learn(_ source: Address, on line: LineNumber) {
        for index in tracks.indices { tracks[index].carrier?.learn(source, on: line) }
    }

    /// Packets that have waited long enough for the one before them.
    mutating func release(at now: Instant, _ effects: inout Effects) {
        for index in tracks.indices { tracks[index].intake?.release(at: now, into: &effects) }
    }

    /// When packets are to be released.
    var deadline: Instant {
        tracks.reduce(.distantFuture) { min($0, $1.intake?.deadline ?? .distantFuture) }
    }

    var usesLines: Bool { tracks.contains { $0.carrier?.usesLines == true } }

    /// The channel says it; where it says nonsense (swapped, or always 0), the payload type does.
    private func track(of packet: RawSpan, on way: RTSPWay) -> Int? {
        let byChannel = tracks.firstIndex { $0.carrier?.has(way) == true }
        guard packet.byteCount >= 8 else { return nil }
        if RTPHeader.isRTCP(packet) { return track(ofReport: packet) ?? byChannel }
        let type = packet.byte(at: 1) & 0x7f
        if let byChannel, has(byChannel, type) { return byChannel }
        return tracks.indices.first { has($0, type) } ?? byChannel
    }

    private func has(_ index: Int, _ type: UInt8) -> Bool {
        tracks[index].description.payloads.contains { $0.payloadType == type }
            && tracks[index].intake != nil
    }

    /// Its sender's number stands behind the first word.
    private func track(ofReport packet: RawSpan) -> Int? {
        var reader = ByteReader(packet.extracting(4..<8))
        guard let source = try? reader.read(UInt32.self) else { return nil }
        return tracks.firstIndex { $0.intake?.source == source }
    }

    /// What the sender is told of each track that something has come of.
    mutating func report(
        at now: Instant, by queue: DatagramQueue, from local: Address, into out: inout Outbox
    ) {
        for index in tracks.indices {
            guard let carrier = tracks[index].carrier,
                let block = tracks[index].intake?.report(at: now)
            else { continue }
            carrier.send(
                RTSPReports.receiver(from: ssrc, block), by: queue, from: local, into: &out)
        }
    }
}
