import Wire

/// Makes the short counters of the wire into numbers that go on: RTP (32 bits), PES (33), RTMP
/// milliseconds (24 and 8 bits more).
///
/// It only removes wraps. Jumps stay jumps; `TimestampRepair` judges them.
package struct TimestampUnwrap: Sendable {
    package enum Width: Sendable { case bits32, bits33 }

    private let width: Width
    private var lastRaw: Int64 = 0
    /// The last number given out; `nil` before the first.
    private var last: Int64?

    package init(_ width: Width) { self.width = width }

    /// - Parameter near: Where the first number lies, about: another track of the same clock.
    package init(_ width: Width, near: Int64?) {
        self.width = width
        guard let near else { return }
        last = near
        lastRaw = near & (width == .bits32 ? 0xffff_ffff : 0x1_ffff_ffff)
    }

    package mutating func unwrap(_ stamp: UInt64) -> Int64 {
        guard let before = last else {
            lastRaw = Int64(stamp & (width == .bits32 ? 0xffff_ffff : 0x1_ffff_ffff))
            last = lastRaw
            return lastRaw
        }
        let next =
            switch width {
            case .bits32: Serial.extend(UInt32(truncatingIfNeeded: stamp), near: before)
            case .bits33: before &+ step33(Int64(stamp & 0x1_ffff_ffff))
            }
        last = next
        return next
    }

    /// A field of 33 bits in which some cameras count to 2^32 only: of both turns the one that
    /// gives the smaller step is meant.
    private mutating func step33(_ raw: Int64) -> Int64 {
        let step = raw - lastRaw
        lastRaw = raw
        guard step.magnitude > 1 << 31 else { return step }
        let turn: Int64 = step < 0 ? 1 : -1
        let short = step + turn << 32
        let long = step + turn << 33
        return short.magnitude < long.magnitude ? short : long
    }
}
