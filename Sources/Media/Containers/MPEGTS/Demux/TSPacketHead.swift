import Wire

/// What a packet of a transport stream says before its payload (ISO/IEC 13818-1 §2.4.3.2).
struct TSPacketHead: Equatable, Sendable {
    static let sync: UInt8 = 0x47
    /// Nothing but filling (§2.4.1).
    static let nullPID: UInt16 = 0x1fff

    var pid: UInt16
    /// A PES packet or a section begins in it.
    var startsUnit: Bool
    /// The demodulator before us gave it up.
    var isBroken: Bool
    var isScrambled: Bool
    var continuity: UInt8
    /// The numbers start anew here, and so may the time.
    var isDiscontinuous = false
    /// It has bytes that only fill it up: usually the last of a PES packet.
    var isFilledUp = false
    /// Empty: there is none.
    var payload: Range<Int>

    /// - Parameter packet: 188 bytes.
    /// - Returns: nil for what is no packet.
    init?(_ packet: RawSpan) {
        guard packet.byteCount == TSMuxer.packetSize, packet.byte(at: 0) == Self.sync else {
            return nil
        }
        let (first, second) = (packet.byte(at: 1), packet.byte(at: 2))
        let control = packet.byte(at: 3)
        pid = UInt16(first & 0x1f) << 8 | UInt16(second)
        isBroken = first & 0x80 != 0
        startsUnit = first & 0x40 != 0
        isScrambled = control & 0xc0 != 0
        continuity = control & 0x0f
        var start = 4
        if control & 0x20 != 0 {
            let count = Int(packet.byte(at: 4))
            start = 5 + count
            guard start <= TSMuxer.packetSize else { return nil }
            let flags = count > 0 ? packet.byte(at: 5) : 0
            isDiscontinuous = flags & 0x80 != 0
            isFilledUp = Self.isFilling(count, flags)
        }
        payload = control & 0x10 != 0 ? start..<TSMuxer.packetSize : start..<start
    }

    /// Whether an adaptation field is longer than what it says (§2.4.3.5): two clocks of six bytes
    /// and a countdown of one. With private data or an extension one cannot tell without reading.
    private static func isFilling(_ count: Int, _ flags: UInt8) -> Bool {
        guard flags & 0x03 == 0 else { return false }
        guard flags != 0 else { return true }
        let clocks = (flags & 0x10 != 0 ? 6 : 0) + (flags & 0x08 != 0 ? 6 : 0)
        return count > 1 + clocks + (flags & 0x04 != 0 ? 1 : 0)
    }
}

/// Whether the packets of one PID follow each other (§2.4.3.3).
struct TSContinuityCheck: Sendable {
    enum Verdict: Equatable, Sendable {
        case follows
        /// Sent twice, as is allowed once; the second one says nothing new.
        case repeated
        /// Some are missing before it.
        case gap
    }

    private var last: UInt8?
    private var wasRepeated = false

    mutating func receive(_ head: TSPacketHead) -> Verdict {
        // Packets without payload do not count.
        guard !head.payload.isEmpty else {
            if head.isDiscontinuous { last = nil }
            return .follows
        }
        defer { last = head.continuity }
        guard let last, !head.isDiscontinuous else {
            wasRepeated = false
            return .follows
        }
        if head.continuity == last, !wasRepeated {
            wasRepeated = true
            return .repeated
        }
        wasRepeated = false
        return head.continuity == (last &+ 1) & 15 ? .follows : .gap
    }
}
