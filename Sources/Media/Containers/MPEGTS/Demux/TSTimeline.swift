import Media
import Stream
import Wire

/// The time of all tracks of one sender, at 90 kHz without wraps. Where its time begins anew (a
/// file played in a loop, an encoder restarted behind a relay) all tracks are moved by the same
/// amount: each mended alone, sound and picture would part.
struct TSTimeline: Sendable {
    /// Where one track stands.
    struct Lane: Sendable {
        fileprivate var unwrap: TimestampUnwrap?
        fileprivate var stamp: Int64 = 0
        fileprivate var position: Int64 = 0
        fileprivate var at = Instant.start
        /// Which of the sender's times it counts in.
        fileprivate(set) var epoch = 0
    }

    /// A step beyond this that the arrival does not confirm is a new time: there is no way back but
    /// for writers who give pictures the time of their display only.
    private static let jump: (forward: Int64, back: Int64) = (90_000, -45_000)
    /// Tracks of one sender lie this close to each other.
    private static let skew: Int64 = 2 * 90_000
    /// One picture, about.
    private static let step: Int64 = 3000

    private var epoch = 0
    private var shift: Int64 = 0
    private var shiftBefore: Int64 = 0
    private var furthest: (position: Int64, at: Instant)?
    private var newest: Int64?
    private(set) var jumps: UInt64 = 0

    /// - Parameter raw: 33 bits.
    mutating func place(_ raw: UInt64, _ lane: inout Lane, at now: Instant) -> Int64 {
        let isFirst = lane.unwrap == nil
        // Two tracks may begin on both sides of a wrap.
        var unwrap = lane.unwrap ?? TimestampUnwrap(.bits33, near: newest)
        let stamp = unwrap.unwrap(raw)
        lane.unwrap = unwrap
        if isFirst {
            lane.epoch = epoch
        } else {
            let passed = Timebase.ticks(nanoseconds: (now - lane.at).nanoseconds, rate: 90_000)
            let change = stamp &- lane.stamp
            let isFar = change > Self.jump.forward || change < Self.jump.back
            if isFar, (change &- passed).magnitude > UInt64(Self.jump.forward) || change < 0 {
                follow(stamp, &lane, passed, at: now)
            }
        }
        // Who has not come to the new time yet is still on the old one.
        let position = stamp &+ (lane.epoch == epoch ? shift : shiftBefore)
        lane.stamp = stamp
        lane.position = position
        lane.at = now
        if lane.epoch == epoch { newest = stamp }
        if position > furthest?.position ?? .min { furthest = (position, now) }
        return position
    }

    private mutating func follow(
        _ stamp: Int64, _ lane: inout Lane, _ passed: Int64, at now: Instant
    ) {
        let expected = lane.position &+ passed
        if lane.epoch != epoch,
            (stamp &+ shift &- expected).magnitude < UInt64(Self.skew)
        {
            lane.epoch = epoch
            return
        }
        jumps &+= 1
        epoch += 1
        lane.epoch = epoch
        shiftBefore = shift
        let last = furthest ?? (lane.position, lane.at)
        let silence = Timebase.ticks(nanoseconds: (now - last.at).nanoseconds, rate: 90_000)
        shift = last.position &+ max(Self.step, silence) &- stamp
    }
}
