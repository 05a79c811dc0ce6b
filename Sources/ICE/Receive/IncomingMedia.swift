import Crypto
import Media
import RTP
import Stream
import Wire

/// All that one publisher sends: which SSRC belongs to which encoding, what is missing of it, and
/// what is to be said about it. It sees only packets that were authenticated.
struct IncomingMedia: Sendable {
    /// A session has one publication.
    static let channel: ChannelID = 0

    enum Purpose: Equatable, Sendable { case media, repair, retired }

    struct Source: Sendable {
        var ssrc: UInt32
        var encoding: Int
        var purpose: Purpose
    }

    private let medias: [NegotiatedMedia]
    private let extensions: [ExtensionMap]
    let isReducedSize: Bool
    let cname: [UInt8]
    /// What our reports are from: a publisher gets no media of ours.
    let ownSSRC: UInt32
    var encodings: [IncomingEncoding] = []
    /// Of m-section `medias[section[i]]`.
    private var sections: [Int] = []
    private(set) var sources: [Source] = []
    var arrivals: TWCCRecorder?
    var lastReport = Instant.start
    var roundTrip: Interval?
    /// Packets of no encoding we know.
    private(set) var strays = 0
    /// Nothing is to be said before it: kept, so that no packet has to look for it.
    private(set) var deadline = Instant.distantFuture
    /// Of the compound that is being written.
    var blocks: [RTCPReportBlock] = []
    var items: [RTCPNack] = []
    /// What was given up since the last look, for the histories.
    var givenUp: [(encoding: Int, numbers: ClosedRange<Int64>)] = []
    /// When the last source that sent had said BYE.
    private(set) var silentSince: Instant?

    init(_ session: NegotiatedSession, ssrc: UInt32) {
        // A viewer sends no media.
        medias =
            session.role == .play
            ? [] : [session.audio, session.video].compactMap { $0 }.filter { !$0.codecs.isEmpty }
        extensions = medias.map { ExtensionMap($0.extensions) }
        isReducedSize = medias.allSatisfy(\.isRTCPReducedSize)
        cname = Array(session.cname.utf8.prefix(64))
        ownSSRC = ssrc
        let hears = medias.contains { media in
            media.extensions.transportCC > 0
                && media.codecs.contains { $0.feedback.contains(.transportCC) }
        }
        arrivals = hears ? TWCCRecorder() : nil
        for (section, media) in medias.enumerated() {
            let rids = media.layers.isEmpty ? [nil] : media.layers.map { RTPLabel($0) }
            for (layer, rid) in rids.enumerated() {
                let slot: SlotName = media.codecs[0].codec.kind == .video ? .video : .audio
                encodings.append(
                    IncomingEncoding(
                        slot: slot, layer: UInt8(clamping: layer), rid: rid,
                        codec: media.codecs[0]))
                sections.append(section)
            }
        }
    }

    /// What goes into the claim to the name.
    var slots: [AnnouncedSlot] {
        encodings.indices.filter { encodings[$0].layer == 0 }.map { announcement(of: $0) }
    }

    private func announcement(of encoding: Int) -> AnnouncedSlot {
        let codec = encodings[encoding].codec
        return AnnouncedSlot(
            slot: encodings[encoding].slot,
            format: Format(codec: codec.codec, clockRate: codec.clockRate), form: .packets,
            rids: medias[sections[encoding]].layers)
    }

    /// An opened packet. - Returns: Whether it is ahead of all media before it.
    mutating func receive(
        _ datagram: RawSpan, _ opened: SRTPPacket, at now: Instant, into effects: inout Effects
    ) -> Bool {
        let packet = datagram.extracting(0..<opened.count)
        guard let header = try? RTPHeader(packet),
            let section = medias.firstIndex(where: { $0.knows(header.payloadType) }),
            let labels = try? RTPExtensions(header, of: packet, by: extensions[section])
        else {
            strays += 1
            return false
        }
        if let number = labels.transportSequence { noteArrival(number, at: now) }
        guard let source = source(header, labels, section, opened.index) else {
            strays += 1
            return false
        }
        switch source.purpose {
        case .media:
            let number = encodings[source.encoding].number(opened.index)
            let isNewest = number > encodings[source.encoding].highest ?? .min
            let payload = packet.extracting(header.payload)
            if header.payloadType != encodings[source.encoding].codec.payloadType {
                adopt(header.payloadType, source.encoding, into: &effects)
            }
            deliver(payload, header, number, source.encoding, false, at: now, into: &effects)
            return isNewest
        case .repair:
            unwrap(packet, header, source.encoding, at: now, into: &effects)
            return false
        case .retired: return false
        }
    }

    private mutating func unwrap(
        _ packet: RawSpan, _ header: RTPHeader, _ encoding: Int, at now: Instant,
        into effects: inout Effects
    ) {
        let payload = packet.extracting(header.payload)
        guard let original = try? RTX.unwrap(payload),
            encodings[encoding].codec.rtx == header.payloadType,
            let number = encodings[encoding].number(repaired: original.sequence)
        else { return }
        deliver(
            payload.extracting(original.payload), header, number, encoding, true, at: now,
            into: &effects)
    }

    private mutating func deliver(
        _ payload: RawSpan, _ header: RTPHeader, _ number: Int64, _ encoding: Int,
        _ isRepair: Bool, at now: Instant, into effects: inout Effects
    ) {
        let ticks =
            isRepair
            ? encodings[encoding].near(header.timestamp)
            : encodings[encoding].unwrap(header.timestamp)
        guard encodings[encoding].admit(number, ticks: ticks, isRepair: isRepair, at: now) else {
            return
        }
        if encodings[encoding].isSilent, !isRepair { recover(encoding, at: now) }
        deadline = min(deadline, encodings[encoding].deadline)
        // Probes of padding only take a number, but there is nothing to store.
        guard payload.byteCount > 0 else { return }
        let (slot, layer) = (encodings[encoding].slot, encodings[encoding].layer)
        let codec = encodings[encoding].codec.codec
        if slot.kind == .video, encodings[encoding].keyframes?.isWanted == true,
            KeyPacket.isKey(payload, codec)
        {
            encodings[encoding].keyframes?.receivedKeyframe()
        }
        let meta = ItemMeta(
            ticks: ticks, arrival: now, length: payload.byteCount,
            flags: header.marker ? .marker : [])
        effects.packet(
            payload, meta, sequence: number, channel: Self.channel, slot: slot, layer: layer)
    }

    private mutating func adopt(
        _ payloadType: UInt8, _ encoding: Int, into effects: inout Effects
    ) {
        let before = encodings[encoding].codec.codec
        guard let codec = medias[sections[encoding]].codec(payloadType: payloadType),
            encodings[encoding].adopt(codec), codec.codec != before
        else { return }
        effects.append(.announce(Self.channel, announcement(of: encoding)))
    }

    private mutating func noteArrival(_ number: UInt16, at now: Instant) {
        arrivals?.receive(number, at: now)
        deadline = min(deadline, arrivals?.deadline ?? .distantFuture)
    }

    /// Looks at everything: after something was said, not with each packet.
    mutating func findDeadline() {
        guard !sources.isEmpty else { return deadline = .distantFuture }
        deadline = min(
            lastReport + Self.reportInterval, arrivals?.deadline ?? .distantFuture)
        for index in encodings.indices where encodings[index].isHeard {
            deadline = min(deadline, encodings[index].deadline)
        }
    }

    func encoding(of ssrc: UInt32) -> Int? {
        encodings.firstIndex { $0.ssrc == ssrc }
    }

    func encoding(_ slot: SlotName, layer: UInt8) -> Int? {
        encodings.firstIndex { $0.slot == slot && $0.layer == layer }
    }
}

/// What the publisher says of its sources, and the gateway of its readers.
extension IncomingMedia {
    /// BYE (RFC 3550 §6.6). An encoder that begins anew says it too, so a source that goes on
    /// sending has not ended, and the publication ends only when all have been silent for a while.
    mutating func leave(_ ssrc: UInt32, at now: Instant) {
        guard let index = encoding(of: ssrc), !encodings[index].isSilent else { return }
        encodings[index].leave(at: now)
        findDeadline()
        let isOver = encodings.allSatisfy { !$0.isHeard }
        silentSince = isOver ? now : nil
    }

    private mutating func recover(_ encoding: Int, at now: Instant) {
        guard encodings[encoding].recover(at: now) else { return }
        silentSince = nil
        findDeadline()
    }

    /// A viewer needs a key frame.
    mutating func wantKey(_ encoding: Int) {
        encodings[encoding].isDemanded = true
        encodings[encoding].keyframes?.want()
        findDeadline()
    }

    /// The highest layer that anybody reads: nothing is asked for the others, and what was wanted
    /// of them is asked for when somebody reads them again.
    mutating func demand(_ slot: SlotName, bits: Int, highestLayer: UInt8) {
        for index in encodings.indices where encodings[index].slot == slot {
            encodings[index].isDemanded = bits > 0 && encodings[index].layer <= highestLayer
        }
        findDeadline()
    }
}

/// Which encoding a source belongs to.
extension IncomingMedia {
    /// SRTP lets 64 SSRCs in, so this list is as short.
    private mutating func source(
        _ header: RTPHeader, _ labels: RTPExtensions, _ section: Int, _ index: UInt64
    ) -> Source? {
        for known in sources where known.ssrc == header.ssrc { return known }
        let isRepair = medias[section].codec(payloadType: header.payloadType) == nil
        guard let encoding = find(header.ssrc, labels, section, isRepair: isRepair) else {
            return nil
        }
        if isRepair {
            encodings[encoding].rtxSSRC = header.ssrc
        } else {
            // Repairs of the source before would get numbers of this one. (Of the first source none
            // is before: bandwidth probes may have come by RTX.)
            if encodings[encoding].ssrc != nil { retireSources(of: encoding) }
            encodings[encoding].begin(header.ssrc, at: index)
            encodings[encoding].nack?.roundTrip = roundTrip ?? .milliseconds(50)
            silentSince = nil
            deadline = .start  // Much has changed: the next look finds it.
        }
        let source = Source(
            ssrc: header.ssrc, encoding: encoding, purpose: isRepair ? .repair : .media)
        sources.append(source)
        return source
    }

    private mutating func retireSources(of encoding: Int) {
        for index in sources.indices where sources[index].encoding == encoding {
            sources[index].purpose = .retired
        }
    }

    /// By layer name, by what the offer announced, or because there is no choice (RFC 8843 §9.2).
    private func find(
        _ ssrc: UInt32, _ labels: RTPExtensions, _ section: Int, isRepair: Bool
    ) -> Int? {
        let own = encodings.indices.filter { sections[$0] == section }
        if let rid = isRepair ? labels.repairedRID ?? labels.rid : labels.rid {
            return own.first { encodings[$0].rid == rid }
        }
        if own.count == 1 { return own[0] }
        let announced = medias[section].sources.firstIndex {
            isRepair ? $0.rtx == ssrc : $0.ssrc == ssrc
        }
        guard let announced, announced < own.count else { return nil }
        return own[announced]
    }
}

extension NegotiatedMedia {
    fileprivate func knows(_ payloadType: UInt8) -> Bool {
        codecs.contains { $0.payloadType == payloadType || $0.rtx == payloadType }
    }
}

extension ExtensionMap {
    init(_ ids: HeaderExtensions) {
        self.init()
        self[.mid] = ids.mid
        self[.rid] = ids.rid
        self[.repairedRID] = ids.repairedRID
        self[.transportSequence] = ids.transportCC
        self[.absoluteSendTime] = ids.absSendTime
        self[.absoluteCaptureTime] = ids.absCaptureTime
        self[.playoutDelay] = ids.playoutDelay
    }
}
