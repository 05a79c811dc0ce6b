import Codecs
import Media
import Wire

/// Finds the audio frames in PES packets: several in one, or one over two of them.
struct TSSound: Sendable {
    /// What stands at a place.
    private enum Found {
        /// The frame without its header, how long it is with it, and how long it plays in samples.
        case frame(Range<Int>, end: Int, samples: Int64)
        case needsMore
        case nothing
    }

    private let element: TSElement
    private(set) var format: Format?
    private(set) var hasChanged = false
    /// The beginning of a frame; never more than one.
    private var carry: [UInt8] = []
    /// The time of the frame that comes next, at 90 kHz.
    private var next: Int64?
    private var latm = LATM()
    private var units = ItemBatch()
    private var lastADTS: ADTSHeader?
    /// Bytes that belonged to no frame.
    private(set) var skipped: UInt64 = 0

    init(_ element: TSElement) {
        self.element = element
        switch element.codec {
        case .opus: change(Format(opusChannels: element.channels))
        case .pcma: change(Format(g711: .pcma))
        case .pcmu: change(Format(g711: .pcmu))
        default: break
        }
    }

    mutating func takeChanged() -> Format? {
        guard hasChanged else { return nil }
        hasChanged = false
        return format
    }

    /// What was begun will not be finished.
    mutating func reset() {
        carry.removeAll(keepingCapacity: true)
        next = nil
    }

    /// - Parameter stamp: Of the first frame that begins in these bytes.
    /// - Returns: Behind each frame in `out`: its time at 90 kHz, or nil.
    mutating func receive(
        _ payload: RawSpan, stamp: Int64?, at now: Instant, into out: inout ItemBatch,
        stamps: inout [Int64?]
    ) {
        var bytes: [UInt8] = []
        swap(&bytes, &carry)
        let boundary = bytes.count
        bytes.append(copying: payload)
        var at = 0
        var isStamped = stamp == nil
        walk: while at < bytes.count {
            if !isStamped, at >= boundary {
                next = stamp
                isStamped = true
            }
            switch find(bytes.raw, at, at: now) {
            case .frame(let range, let end, let samples):
                at = end
                append(bytes.raw, range, samples, at: now, into: &out, &stamps)
            case .needsMore: break walk
            case .nothing:
                at += 1
                skipped &+= 1
            }
        }
        bytes.removeFirst(min(at, bytes.count))
        if bytes.isEmpty, !isStamped { next = stamp }
        carry = bytes
    }

    private mutating func append(
        _ bytes: RawSpan, _ range: Range<Int>, _ samples: Int64, at now: Instant,
        into out: inout ItemBatch, _ stamps: inout [Int64?]
    ) {
        let rate = format?.clockRate ?? 0
        let duration = rate > 0 ? Timebase.convert(samples, from: rate, to: 90_000) : 0
        let flags: ItemMeta.Flags = [.frameStart, .frameEnd]
        if element.isLATM {
            // Out of here for as long as its bytes are lent.
            var units = ItemBatch()
            swap(&units, &self.units)
            defer { swap(&units, &self.units) }
            for index in 0..<units.count {
                let unit = units.bytes(of: index)
                let meta = ItemMeta(
                    ticks: 0, arrival: now, length: unit.byteCount, flags: flags)
                out.append(unit, meta)
                stamps.append(next)
                move(duration)
            }
            units.clear()
            return
        }
        guard format != nil else { return }
        let frame = bytes.extracting(range)
        out.append(
            frame, ItemMeta(ticks: 0, arrival: now, length: frame.byteCount, flags: flags))
        stamps.append(next)
        move(duration)
    }

    private mutating func move(_ duration: Int64) {
        if let time = next { next = time &+ duration }
    }

    private mutating func find(_ bytes: RawSpan, _ at: Int, at now: Instant) -> Found {
        let rest = bytes.extracting(at..<bytes.byteCount)
        switch element.codec {
        case .aac: return element.isLATM ? findLATM(rest, at, now) : findADTS(rest, at)
        case .mp2, .mp3: return findMPEG(rest, at)
        case .ac3, .eac3: return findAC3(rest, at)
        case .opus: return findOpus(rest, at)
        case .pcma, .pcmu:
            return .frame(
                at..<bytes.byteCount, end: bytes.byteCount, samples: Int64(rest.byteCount))
        default: return .nothing
        }
    }

    private mutating func change(_ next: Format?) {
        guard let next, next != format else { return }
        format = next
        hasChanged = true
    }

    // MARK: - AAC

    private mutating func findADTS(_ rest: RawSpan, _ at: Int) -> Found {
        guard rest.byteCount >= ADTSHeader.count else { return .needsMore }
        guard let header = try? ADTSHeader(rest) else { return .nothing }
        guard rest.byteCount >= header.frameCount else { return .needsMore }
        if header.objectType != lastADTS?.objectType || header.rateIndex != lastADTS?.rateIndex
            || header.channelConfiguration != lastADTS?.channelConfiguration
        {
            lastADTS = header
            change(try? Format(header.configuration))
        }
        let end = at + header.frameCount
        return .frame(at + header.headerCount..<end, end: end, samples: 1024)
    }

    private mutating func findLATM(_ rest: RawSpan, _ at: Int, _ now: Instant) -> Found {
        guard rest.byteCount >= 3 else { return .needsMore }
        let head = Int(rest.byte(at: 0)) << 8 | Int(rest.byte(at: 1))
        guard head >> 5 == 0x2b7 else { return .nothing }
        let count = (head & 0x1f) << 8 | Int(rest.byte(at: 2))
        guard rest.byteCount >= 3 + count else { return .needsMore }
        let meta = ItemMeta(ticks: 0, arrival: now, length: 0, flags: [.frameStart, .frameEnd])
        units.clear()
        do throws(ParseError) {
            try latm.read(
                rest.extracting(3..<3 + count), hasConfig: true, meta: meta, into: &units)
        } catch {
            units.clear()
            return .nothing
        }
        guard let configuration = latm.configuration else { return .nothing }
        change(try? Format(configuration))
        return .frame(
            at..<at + 3 + count, end: at + 3 + count, samples: Int64(configuration.samples))
    }

    // MARK: - Others

    private mutating func findMPEG(_ rest: RawSpan, _ at: Int) -> Found {
        guard rest.byteCount >= 4 else { return .needsMore }
        guard let header = try? MPEGAudioHeader(rest), header.frameCount > 4 else {
            return .nothing
        }
        guard rest.byteCount >= header.frameCount else { return .needsMore }
        change(try? Format(mpegAudio: rest))
        let end = at + header.frameCount
        return .frame(at..<end, end: end, samples: Int64(header.samples))
    }

    private mutating func findAC3(_ rest: RawSpan, _ at: Int) -> Found {
        guard rest.byteCount >= 8 else { return .needsMore }
        guard let header = try? AC3Header(rest), header.frameCount > 8 else { return .nothing }
        guard rest.byteCount >= header.frameCount else { return .needsMore }
        change(try? Format(ac3: rest))
        let end = at + header.frameCount
        return .frame(at..<end, end: end, samples: Int64(header.samples))
    }

    /// The control header (ETSI TS 103 491 §5.2): a mark, flags, the length, what to leave out.
    private mutating func findOpus(_ rest: RawSpan, _ at: Int) -> Found {
        var reader = ByteReader(rest)
        do throws(ParseError) {
            let head = try reader.read(UInt16.self)
            guard head >> 5 == 0x3ff else { return .nothing }
            var count = 0
            while true {
                let byte = try reader.read(UInt8.self)
                count += Int(byte)
                if byte < 255 { break }
            }
            if head & 0x10 != 0 { try reader.skip(2) }
            if head & 0x08 != 0 { try reader.skip(2) }
            if head & 0x04 != 0 { try reader.skip(Int(try reader.read(UInt8.self))) }
            let start = reader.offset
            let packet = try reader.read(count: count)
            let samples = try OpusPacket(packet).samples
            let end = at + start + count
            return .frame(at + start..<end, end: end, samples: Int64(samples))
        } catch {
            // A packet of Opus never goes over the end of its PES packet.
            return .nothing
        }
    }
}
