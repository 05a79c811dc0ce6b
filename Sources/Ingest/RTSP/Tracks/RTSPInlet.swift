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
        /// Its channels; nil: not set up.
        var interleaved: RTSPTransport.Pair?
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

    mutating func setUp(_ index: Int, _ pair: RTSPTransport.Pair, channel: ChannelID) {
        tracks[index].interleaved = pair
        tracks[index].intake = RTSPIntake(
            tracks[index].description, channel: channel, isOrdered: true)
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
        _ packet: RawSpan, on channel: UInt8, at now: Instant, _ effects: inout Effects
    ) {
        guard let index = track(of: packet, on: channel) else { return }
        if RTPHeader.isRTCP(packet) {
            tracks[index].intake?.receiveReport(packet, at: now, into: &effects)
        } else {
            lastMedia = now
            tracks[index].intake?.receive(packet, at: now, origin: &origin, into: &effects)
        }
    }

    /// The channel says it; where it says nonsense (swapped, or always 0), the payload type does.
    private func track(of packet: RawSpan, on channel: UInt8) -> Int? {
        let number = UInt16(channel)
        let byChannel = tracks.firstIndex {
            $0.interleaved?.first == number || $0.interleaved?.second == number
        }
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
    mutating func report(at now: Instant, into out: inout Outbox) {
        for index in tracks.indices {
            guard let pair = tracks[index].interleaved,
                let block = tracks[index].intake?.report(at: now)
            else { continue }
            out.appendInterleaved(
                RTSPReports.receiver(from: ssrc, block),
                channel: UInt8(truncatingIfNeeded: pair.second))
        }
    }
}
