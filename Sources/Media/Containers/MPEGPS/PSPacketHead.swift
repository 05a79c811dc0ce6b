import Wire

/// A time of the system clock, 90 kHz in 33 bits.
package struct PSStamp: Equatable, Sendable {
    package var presentation: UInt64
    package var decoding: UInt64

    package init(presentation: UInt64, decoding: UInt64? = nil) {
        self.presentation = presentation
        self.decoding = decoding ?? presentation
    }
}

/// The header of a PES packet in a program stream, in the form of MPEG-2 (ISO/IEC 13818-1 §2.4.3.6)
/// or of MPEG-1 (ISO/IEC 11172-1 §2.4.3.3), which old recorders still write.
package struct PSPacketHead: Equatable, Sendable {
    package var streamID: UInt8
    package var stamp: PSStamp?
    /// Start code, length and header: where the payload begins.
    package var count: Int
    /// Bytes of payload; nil: until something else begins.
    package var payloadCount: Int?

    /// The longest header there is: 9 bytes and 255 more.
    static let countMaximum = 264
    private static let stuffingMaximum = 16

    /// - Parameter bytes: Begin with the start code.
    /// - Returns: nil: more bytes are needed.
    package static func read(_ bytes: RawSpan) -> PSPacketHead? {
        guard bytes.byteCount >= 9 else { return nil }
        let said = Int(bytes.byte(at: 4)) << 8 | Int(bytes.byte(at: 5))
        var head = PSPacketHead(streamID: bytes.byte(at: 3), count: 6)
        if bytes.byte(at: 6) & 0xc0 == 0x80 {
            guard head.readSecondForm(bytes) else { return nil }
        } else {
            guard head.readFirstForm(bytes) else { return nil }
        }
        // A length that does not even hold the header is a lie; its payload is empty.
        if said > 0 { head.payloadCount = max(0, said + 6 - head.count) }
        return head
    }

    private init(streamID: UInt8, count: Int) {
        self.streamID = streamID
        self.count = count
    }

    /// - Returns: False: more bytes are needed.
    private mutating func readSecondForm(_ bytes: RawSpan) -> Bool {
        let length = Int(bytes.byte(at: 8))
        count = 9 + length
        guard bytes.byteCount >= count else { return false }
        let flags = bytes.byte(at: 7) >> 6
        // Some announce times and have no room for them: then there are none.
        guard flags & 2 != 0, length >= 5 else { return true }
        let hasBoth = flags == 3 && length >= 10
        stamp = PSStamp(
            presentation: Self.time(bytes, at: 9),
            decoding: hasBoth ? Self.time(bytes, at: 14) : nil)
        return true
    }

    private mutating func readFirstForm(_ bytes: RawSpan) -> Bool {
        var at = 6
        while at < bytes.byteCount, at < 6 + Self.stuffingMaximum, bytes.byte(at: at) == 0xff {
            at += 1
        }
        guard bytes.byteCount >= at + 12 else { return false }
        if bytes.byte(at: at) & 0xc0 == 0x40 { at += 2 }
        switch bytes.byte(at: at) >> 4 {
        case 2:
            stamp = PSStamp(presentation: Self.time(bytes, at: at))
            at += 5
        case 3:
            stamp = PSStamp(
                presentation: Self.time(bytes, at: at), decoding: Self.time(bytes, at: at + 5))
            at += 10
        case 0 where bytes.byte(at: at) == 0x0f: at += 1
        // No header at all: the payload begins where the length ends.
        default: at = 6
        }
        count = at
        return true
    }

    /// 33 bits with markers between them, which nobody checks: writers get them wrong.
    private static func time(_ bytes: RawSpan, at offset: Int) -> UInt64 {
        let high = UInt64(bytes.byte(at: offset) >> 1 & 7) << 30
        let second = UInt64(bytes.byte(at: offset + 1)) << 22
        let third = UInt64(bytes.byte(at: offset + 2) >> 1) << 15
        let fourth = UInt64(bytes.byte(at: offset + 3)) << 7
        return high | second | third | fourth | UInt64(bytes.byte(at: offset + 4) >> 1)
    }
}
