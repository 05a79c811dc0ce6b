import Codecs
import Media
import Stream
import Wire

/// The sound of a program stream: from whole packets to frames. What the map says of it is believed
/// until two packets in a row show something else.
struct PSSound: Sendable {
    /// A packet of sound has less; what is left of a frame waits for the next one.
    private static let pendingMaximum = 16 << 10
    private static let proof = 2
    /// HiSilicon's header before G.711: so often in a row, and it is one.
    private static let headersForProof = 5

    private(set) var codec: Codec?
    private(set) var format: Format?
    private(set) var figures = Figures()
    private var packet: [UInt8] = []
    private var stamp: PSStamp?
    private var isOpen = false
    /// AAC: the beginning of a frame whose end is in the next packet.
    private var pending: [UInt8] = []
    private var contradictions = 0
    private var headers = 0
    private var time: PSTrackTime?

    struct Figures: Equatable, Sendable {
        var frames: UInt64 = 0
        var damaged: UInt64 = 0
    }

    init(_ codec: Codec?) { self.codec = codec }

    var repairs: RepairCounters { time?.counters ?? RepairCounters() }

    // MARK: - Packets

    mutating func begin(_ head: PSPacketHead) {
        packet.removeAll(keepingCapacity: true)
        (stamp, isOpen) = (head.stamp, true)
    }

    mutating func append(_ bytes: RawSpan) {
        guard isOpen else { return }
        packet.append(copying: bytes)
        if packet.count > 1 << 16 { lose() }
    }

    /// Some of the packet will not come; what came before it is whole.
    mutating func lose() {
        if isOpen { figures.damaged &+= 1 }
        packet.removeAll(keepingCapacity: true)
        pending.removeAll(keepingCapacity: true)
        isOpen = false
    }

    /// The packet is whole.
    mutating func end(
        origin: inout TimelineOrigin, at now: Instant, into effects: inout Effects,
        channel: ChannelID, slot: SlotName, _ announce: (Format, inout Effects) -> Void
    ) -> Int64? {
        guard isOpen, !packet.isEmpty else { return nil }
        isOpen = false
        judge()
        var bytes: [UInt8] = []
        swap(&bytes, &packet)
        defer { swap(&bytes, &packet) }
        guard codec == .aac else {
            learn()
            guard let format else { return nil }
            announce(format, &effects)
            let skip = headerCount(bytes)
            return pass(
                bytes.raw.extracting(skip..<bytes.count), stamp, &origin, now, &effects, channel,
                slot)
        }
        let isFresh = pending.isEmpty
        pending += bytes
        var joined: [UInt8] = []
        swap(&joined, &pending)
        defer { swap(&joined, &pending) }
        var frames = ADTSFrames(joined.raw)
        // The stamp is that of the first frame that begins in this packet.
        var next = isFresh ? stamp : nil
        var last: Int64?
        while let frame = frames.next() {
            become(frame.header)
            guard let format else { continue }
            announce(format, &effects)
            last = pass(
                joined.raw.extracting(frame.payload), next, &origin, now, &effects, channel, slot)
            next = nil
        }
        joined.removeSubrange(..<frames.rest.lowerBound)
        if joined.count > Self.pendingMaximum { joined.removeAll(keepingCapacity: true) }
        return last
    }

    private mutating func pass(
        _ frame: RawSpan, _ stamp: PSStamp?, _ origin: inout TimelineOrigin, _ now: Instant,
        _ effects: inout Effects, _ channel: ChannelID, _ slot: SlotName
    ) -> Int64? {
        guard let format, frame.byteCount > 0 else { return nil }
        var time = self.time ?? PSTrackTime(format)
        var meta = ItemMeta(
            ticks: 0, arrival: now, length: frame.byteCount, flags: [.frameStart, .frameEnd])
        time.place(
            &meta, stamp, samples: AudioDuration.ticks(of: frame, format), origin: &origin,
            at: now)
        self.time = time
        effects.frame(frame, meta, channel: channel, slot: slot)
        figures.frames &+= 1
        return meta.ticks
    }

    // MARK: - What it is

    /// G.711 that is AAC (Dahua), and the other way round.
    private mutating func judge() {
        let isADTS = ADTSFrames.isADTS(packet.raw)
        guard let codec else {
            self.codec = isADTS ? .aac : .pcma
            return
        }
        let isContradicted =
            switch codec {
            case .pcma, .pcmu: isADTS
            case .aac: !isADTS && pending.isEmpty && !Self.beginsFrame(packet.raw)
            default: false
            }
        contradictions = isContradicted ? contradictions + 1 : 0
        guard contradictions >= Self.proof else { return }
        self.codec = codec == .aac ? .pcma : .aac
        (contradictions, format, time) = (0, nil, nil)
    }

    private static func beginsFrame(_ bytes: RawSpan) -> Bool { (try? ADTSHeader(bytes)) != nil }

    private mutating func learn() {
        guard format == nil else { return }
        switch codec {
        case .pcma: format = Format(g711: .pcma)
        case .pcmu: format = Format(g711: .pcmu)
        case .opus: format = Format(opusChannels: 2)
        default: break
        }
    }

    private mutating func become(_ header: ADTSHeader) {
        var record: [UInt8] = []
        header.configuration.write(into: &record)
        guard record != format?.configuration, let next = try? Format(aac: record.raw) else {
            return
        }
        if next.clockRate != format?.clockRate { time = nil }
        format = next
    }

    /// `00 01 xx 00`, where xx is half of what follows: not sound, if it is always there.
    private mutating func headerCount(_ bytes: [UInt8]) -> Int {
        let isHeader =
            bytes.count > 4 && bytes[0] == 0 && bytes[1] == 1 && bytes[3] == 0
            && Int(bytes[2]) == (bytes.count - 4) / 2
        headers = isHeader ? min(headers + 1, Self.headersForProof) : 0
        return headers >= Self.headersForProof ? 4 : 0
    }
}
