import Wire

/// When a picture was sent, written into the picture: an SEI message of user data (H.264 §D.2.7)
/// that goes through every server as it is, whatever becomes of headers and time stamps.
///
/// Each half byte is a byte of its own, 0x40 and up, so that no emulation prevention is needed and
/// the bytes look the same in every container.
package struct FrameStamp: Equatable, Sendable {
    /// UTC in nanoseconds since 1970.
    package var time: Int64
    /// Frames of one publisher count up.
    package var number: UInt32

    package init(time: Int64, number: UInt32) {
        self.time = time
        self.number = number
    }

    /// Ours alone: who finds these 16 bytes has found a stamp.
    private static let name = Array("gateway:frame-at".utf8)
    private static let digits = 24
    /// As far into a packet as the message can lie behind parameter sets.
    package static let searchMaximum = 320

    /// The whole NAL unit, without a start code.
    package var unit: [UInt8] {
        var unit: [UInt8] = [6, 5, UInt8(Self.name.count + Self.digits)]
        unit += Self.name
        for shift in stride(from: 60, through: 0, by: -4) {
            unit.append(0x40 | UInt8(truncatingIfNeeded: time >> Int64(shift)) & 15)
        }
        for shift in stride(from: 28, through: 0, by: -4) {
            unit.append(0x40 | UInt8(truncatingIfNeeded: number >> UInt32(shift)) & 15)
        }
        unit.append(0x80)
        return unit
    }

    /// Looks for one near the beginning of a packet's payload.
    package static func find(in payload: RawSpan) -> FrameStamp? {
        let last = min(payload.byteCount, searchMaximum) - name.count - digits
        guard last >= 0 else { return nil }
        for start in 0...last where payload.byte(at: start) == name[0] {
            if isName(payload, at: start) { return read(payload, at: start + name.count) }
        }
        return nil
    }

    private static func isName(_ payload: RawSpan, at start: Int) -> Bool {
        for offset in 1..<name.count where payload.byte(at: start + offset) != name[offset] {
            return false
        }
        return true
    }

    private static func read(_ payload: RawSpan, at start: Int) -> FrameStamp? {
        var value: (high: UInt64, low: UInt64) = (0, 0)
        for offset in 0..<digits {
            let byte = payload.byte(at: start + offset)
            guard byte & 0xf0 == 0x40 else { return nil }
            if offset < 16 {
                value.high = value.high << 4 | UInt64(byte & 15)
            } else {
                value.low = value.low << 4 | UInt64(byte & 15)
            }
        }
        return FrameStamp(
            time: Int64(bitPattern: value.high), number: UInt32(truncatingIfNeeded: value.low))
    }
}
