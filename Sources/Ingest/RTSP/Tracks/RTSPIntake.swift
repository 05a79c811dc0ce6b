import Codecs
import Media
package import RTP
package import Stream
package import Wire

/// The packets of one track on their way in: numbers and time stamps go on for ever, whatever the
/// camera does to them; payloads are passed on as they are.
package struct RTSPIntake: Sendable {
    /// UDP overtakes by little.
    private static let reorderPatience = Interval.milliseconds(20)

    package let track: RTSPTrack
    private let channel: ChannelID
    private var payload: RTSPPayload
    private var ssrc: UInt32?
    private var unwrapper = SequenceUnwrapper()
    /// Added to a number: after a new SSRC they go on where the last ones ended.
    private var shift: Int64 = 0
    private var last: Int64?
    private var clock = TimestampUnwrap(.bits32)
    private var repair: TimestampRepair
    private var stamp: (raw: UInt32, unwrapped: Int64, ticks: Int64)?
    private var statistics: ReceiverStatistics
    private var soundRate = RTSPSoundRate()
    private var reorder: ReorderBuffer?
    private var stored: [UInt8] = []
    private var swapped: [UInt8] = []
    private var assembler: FrameAssembler?
    private var assembled = AssembledFrames()

    package private(set) var lastPacket: Instant?
    package private(set) var unknown = 0
    /// How often its rate turned out to be another one.
    package private(set) var relabelled = 0
    package var repairs: RepairCounters { repair.counters }

    /// - Parameter isOrdered: TCP; then nothing waits.
    package init?(_ track: RTSPTrack, channel: ChannelID, isOrdered: Bool) {
        guard track.slot != nil, let first = track.payloads.first else { return nil }
        self.track = track
        self.channel = channel
        payload = first
        repair = Self.repair(first)
        statistics = ReceiverStatistics(clockRate: first.clockRate)
        assembler = Self.assembler(first)
        if !isOrdered { reorder = ReorderBuffer(patience: Self.reorderPatience) }
    }

    private static func repair(_ payload: RTSPPayload) -> TimestampRepair {
        let isSound = payload.format.codec.kind == .audio
        return TimestampRepair(
            policy: .rtp, inputRate: payload.clockRate, outputRate: payload.format.clockRate,
            sampleRate: isSound ? payload.format.clockRate : 0)
    }

    private static func assembler(_ payload: RTSPPayload) -> FrameAssembler? {
        guard !payload.isNormal else { return nil }
        return FrameAssembler(format: payload.format, facts: payload.facts, answersNACK: false)
    }

    package var payloadTypes: [UInt8] { track.payloads.map(\.payloadType) }
    package var source: UInt32? { ssrc }

    // MARK: - Packets

    package mutating func receive(
        _ packet: RawSpan, at now: Instant, origin: inout TimelineOrigin,
        into effects: inout Effects
    ) {
        guard let header = try? RTPHeader(packet), choose(header.payloadType, &effects) else {
            unknown += 1
            return
        }
        if let ssrc, ssrc != header.ssrc { restart() }
        ssrc = header.ssrc
        lastPacket = now
        let index = unwrapper.unwrap(header.sequence) &+ shift
        last = max(last ?? index, index)
        let bytes = packet.extracting(header.payload)
        checkRate(bytes, header, at: now, &effects)
        let ticks = ticks(of: header.timestamp, bytes, at: now, &origin)
        statistics.receive(index, ticks: stamp?.unwrapped ?? 0, at: now)
        let meta = ItemMeta(
            ticks: ticks, arrival: now, length: bytes.byteCount,
            flags: header.marker ? .marker : [])
        guard reorder?.passes(index) == false else { return pass(bytes, index, meta, &effects) }
        reorder?.receive(bytes, index, meta)
        release(at: now, into: &effects)
    }

    /// Packets that have waited long enough for the one before them.
    package mutating func release(at now: Instant, into effects: inout Effects) {
        while let packet = reorder?.next(at: now, into: &stored) {
            var bytes: [UInt8] = []
            swap(&bytes, &stored)
            pass(bytes.raw, packet.index, packet.meta, &effects)
            swap(&bytes, &stored)
        }
    }

    package var deadline: Instant { reorder?.deadline ?? .distantFuture }

    private mutating func pass(
        _ bytes: RawSpan, _ index: Int64, _ meta: ItemMeta, _ effects: inout Effects
    ) {
        guard let slot = track.slot else { return }
        guard assembler != nil else {
            if payload.format.codec == .mjpeg, RTSPJPEG.doubleTable(bytes, into: &swapped) {
                var meta = meta
                meta.length = UInt32(swapped.count)
                return effects.packet(
                    swapped.raw, meta, sequence: index, channel: channel, slot: slot)
            }
            return effects.packet(bytes, meta, sequence: index, channel: channel, slot: slot)
        }
        if payload.isLittleEndian {
            // Not the track's while it is lent.
            var turned: [UInt8] = []
            swap(&turned, &swapped)
            turned.removeAll(keepingCapacity: true)
            for offset in stride(from: 0, to: bytes.byteCount & ~1, by: 2) {
                turned.append(bytes.byte(at: offset + 1))
                turned.append(bytes.byte(at: offset))
            }
            assembler?.receive(turned.raw, index, meta, at: meta.arrival, into: &assembled)
            swap(&turned, &swapped)
        } else {
            assembler?.receive(bytes, index, meta, at: meta.arrival, into: &assembled)
        }
        for place in 0..<assembled.frames.count {
            effects.frame(
                assembled.frames.bytes(of: place), assembled.frames.items[place].meta,
                channel: channel, slot: slot)
        }
        assembled.clear()
    }

    /// Of several payload types the first is the active one, until a packet of another one comes.
    private mutating func choose(_ type: UInt8, _ effects: inout Effects) -> Bool {
        if type == payload.payloadType { return true }
        guard let other = track.payloads.first(where: { $0.payloadType == type }),
            other.format.codec.kind == payload.format.codec.kind,
            let announced = track.announcement(other)
        else { return false }
        adopt(other, announced, &effects)
        return true
    }

    private mutating func adopt(
        _ other: RTSPPayload, _ announced: AnnouncedSlot, _ effects: inout Effects
    ) {
        payload = other
        repair = Self.repair(other)
        assembler = Self.assembler(other)
        statistics = ReceiverStatistics(clockRate: other.clockRate)
        stamp = nil
        clock = TimestampUnwrap(.bits32)
        effects.append(.announce(channel, announced))
    }

    /// G.711 of another rate than it was said to be is announced anew, as what it is.
    private mutating func checkRate(
        _ bytes: RawSpan, _ header: RTPHeader, at now: Instant, _ effects: inout Effects
    ) {
        guard payload.format.codec == .pcma || payload.format.codec == .pcmu,
            let samples = RTSPSamples.count(bytes, payload),
            let found = soundRate.note(
                samples, stamp: clock.unwrap(UInt64(header.timestamp)), at: now)
        else { return }
        let rate = found.clock ?? payload.clockRate
        guard found.rate != payload.format.sampleRate || rate != payload.clockRate else { return }
        var other = payload
        other.format = Format(
            g711: payload.format.codec, sampleRate: found.rate,
            channels: payload.format.channels)
        other.clockRate = rate
        guard let announced = track.announcement(other) else { return }
        relabelled += 1
        adopt(other, announced, &effects)
    }

    /// Another SSRC without a word: the camera began anew. The number that is left out says that
    /// something may be missing.
    private mutating func restart() {
        unwrapper = SequenceUnwrapper()
        // The first number of an unwrapper lies below two turns.
        shift = (last ?? 0) &+ 2
        clock = TimestampUnwrap(.bits32)
        stamp = nil
    }

    private mutating func ticks(
        of raw: UInt32, _ bytes: RawSpan, at now: Instant, _ origin: inout TimelineOrigin
    ) -> Int64 {
        if let stamp, stamp.raw == raw { return stamp.ticks }
        let unwrapped = clock.unwrap(UInt64(raw))
        let frame = TimestampRepair.Frame(
            stamp: unwrapped, samples: RTSPSamples.count(bytes, payload))
        let ticks = repair.receive(frame, at: now, origin: &origin).ticks
        stamp = (raw, unwrapped, ticks)
        return ticks
    }

    // MARK: - Reports

    package mutating func receiveReport(
        _ compound: RawSpan, at now: Instant, into effects: inout Effects
    ) {
        guard let slot = track.slot, var reader = try? RTCPReader(compound) else { return }
        while let item = reader.next() {
            guard case .senderInfo(let info) = item, info.ssrc == ssrc else { continue }
            statistics.receive(info, at: now)
            guard let stamp else { continue }
            let distance = Serial.extend(info.timestamp, near: stamp.unwrapped) &- stamp.unwrapped
            let ticks =
                stamp.ticks
                &+ Timebase.convert(
                    distance, from: payload.clockRate, to: payload.format.clockRate)
            effects.append(
                .clock(
                    channel, slot, layer: 0, ntpNanoseconds: info.ntp.unixNanoseconds,
                    ticks: ticks))
        }
    }

    /// What to tell the sender; nil: nothing has come.
    package mutating func report(at now: Instant) -> RTCPReportBlock? {
        ssrc.map { statistics.report(ssrc: $0, at: now) }
    }
}

/// How many samples a payload holds, where that can be counted without taking it apart.
enum RTSPSamples {
    static func count(_ bytes: RawSpan, _ payload: RTSPPayload) -> Int64? {
        let channels = Int64(max(1, payload.format.channels))
        let count = Int64(bytes.byteCount)
        switch payload.format.codec {
        // G.722 has two samples in a byte, and a clock that counts bytes.
        case .pcma, .pcmu, .g722: return count / channels
        case .l16: return count / (2 * channels)
        case .g726: return count * 8 / Int64(max(2, payload.format.profile))
        case .aac:
            // A packet with one access unit, or with several of the usual headers.
            guard payload.isNormal, bytes.byteCount > 2 else { return nil }
            let bits = Int64(bytes.byte(at: 0)) << 8 | Int64(bytes.byte(at: 1))
            guard bits > 0, bits % 16 == 0, bits / 8 < count else { return nil }
            return bits / 16 * payload.facts.samplesPerFrame
        default: return nil
        }
    }
}
