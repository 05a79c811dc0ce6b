package import Media
package import Wire

/// One source of a fake publisher: an encoder, or one of its simulcast layers. One packet is one
/// frame; the number of the frame stands at its bytes 2 to 5.
package struct FakeTrack {
    package enum Repair: CaseIterable {
        /// RTX, as browsers do.
        case stream
        /// The same packet again, as OBS does.
        case plain
        case never
    }

    package var ssrc: UInt32
    package var payloadType: UInt8
    package var codec: Codec
    package var slot = SlotKind.video
    package var layer: UInt8 = 0
    package var rid: String?
    package var repair = Repair.stream
    package var rtxType: UInt8 = 97
    package var interval = Interval.milliseconds(10)
    package var size = 500
    /// Nothing is sent outside of these.
    package var from = Instant.start
    package var until = Instant.distantFuture
    /// It wraps soon, so that each run sees the roll-over; not so soon that nothing before it may
    /// arrive, for then nobody could know that it wrapped.
    package var firstIndex: UInt64 = 65_300

    package enum SlotKind { case video, audio }

    var nextAt = Instant.start
    package var wantsKey = true
    package var pictureLosses = 0
    package var sentAt: [Instant] = []
    private var payloads: [[UInt8]] = []
    /// As they left: a plain repetition is byte for byte the same, or GCM breaks.
    private var packets: [Int: [UInt8]] = [:]
    private var rtxIndex: UInt64 = 100
    private let ticks: UInt32
    /// Frames of the encoder before this one.
    package let firstNumber: Int

    package var rtxSSRC: UInt32 { ssrc &+ 5000 }

    package init(_ ssrc: UInt32, _ payloadType: UInt8, _ codec: Codec, firstNumber: Int = 0) {
        self.ssrc = ssrc
        self.payloadType = payloadType
        self.codec = codec
        self.firstNumber = firstNumber
        slot = codec.kind == .audio ? .audio : .video
        ticks = codec.kind == .audio ? 960 : 900
    }

    package var count: Int { payloads.count }

    package func isDue(at now: Instant) -> Bool { nextAt <= now && now >= from && now < until }

    /// When it wants to send next; nil: never again.
    package func next(after now: Instant, before end: Instant) -> Instant? {
        let at = max(nextAt, from, now)
        return at < min(until, end) ? at : nil
    }

    mutating func makeFrame(at now: Instant) -> (index: UInt64, payload: [UInt8], time: UInt32) {
        let number = UInt32(payloads.count + firstNumber)
        var payload = Self.head(codec, isKey: wantsKey)
        for shift in [24, 16, 8, 0] { payload.append(UInt8(truncatingIfNeeded: number >> shift)) }
        payload += [UInt8](repeating: 7, count: size)
        wantsKey = false
        let place = payloads.count
        payloads.append(payload)
        sentAt.append(now)
        nextAt = now + interval
        return (firstIndex + UInt64(place), payload, UInt32(place) &* ticks)
    }

    mutating func keep(_ packet: [UInt8], index: UInt64) {
        guard repair == .plain else { return }
        packets[Int(index - firstIndex)] = packet
    }

    enum Repetition {
        case packet([UInt8])
        case stream(index: UInt64, payload: [UInt8], time: UInt32)
    }

    mutating func repetition(of sequence: UInt16) -> Repetition? {
        let place = Int(sequence &- UInt16(truncatingIfNeeded: firstIndex))
        guard place < payloads.count else { return nil }
        switch repair {
        case .never: return nil
        case .plain: return packets[place].map { .packet($0) }
        case .stream:
            rtxIndex += 1
            let head = [UInt8(sequence >> 8), UInt8(sequence & 255)]
            return .stream(
                index: rtxIndex, payload: head + payloads[place], time: UInt32(place) &* ticks)
        }
    }

    /// What a key frame of the codec begins with, and what any other does.
    private static func head(_ codec: Codec, isKey: Bool) -> [UInt8] {
        switch codec {
        case .vp8: [0x10, isKey ? 0 : 1]
        case .h264: [isKey ? 0x65 : 0x41, 0]
        case .h265: [isKey ? 0x26 : 0x02, 1]
        case .vp9: [isKey ? 0x08 : 0x48, 0]
        case .av1: isKey ? [0x18, 0x08] : [0x10, 0x30]
        default: [0x78, 0]
        }
    }
}
