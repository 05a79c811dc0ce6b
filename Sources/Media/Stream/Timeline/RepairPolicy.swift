package import Wire

/// What a protocol's time stamps deserve: how far they may step, and who is believed when they lie.
package struct RepairPolicy: Equatable, Sendable {
    /// A step beyond this that the arrival does not confirm is a jump: a clock set, a seek, a
    /// restart.
    package var jump: Interval
    /// Besides, ten times the usual step is a jump: program streams of cameras.
    package var comparesWithUsual: Bool
    /// The stamps are presentation times in decoding order: small steps back are B-frames.
    package var mayReorder = false
    /// Arrival may be compared with the stamps; not in trick play.
    package var watchesArrival = true
    /// Composition offsets below zero: RTMP encoders send them, others mean a broken header.
    package var allowsNegativeComposition = false
    /// Trick play: how much faster stamps go than time, acknowledged by the device; in thousandths.
    package var scalePerMille: Int64 = 1000

    package static let rtmp: RepairPolicy = {
        var policy = RepairPolicy(jump: .seconds(3), comparesWithUsual: false)
        policy.allowsNegativeComposition = true
        return policy
    }()
    package static let pes = RepairPolicy(jump: .seconds(3), comparesWithUsual: true)
    package static let rtp: RepairPolicy = {
        var policy = RepairPolicy(jump: .seconds(3), comparesWithUsual: false)
        policy.mayReorder = true
        return policy
    }()

    /// Playback of a recording at another speed.
    package static func playback(scalePerMille: Int64) -> RepairPolicy {
        var policy = pes
        policy.watchesArrival = scalePerMille == 1000
        policy.scalePerMille = max(1, scalePerMille)
        return policy
    }
}

/// How stamps were repaired: what an operator looks at when a camera stutters.
package struct RepairCounters: Equatable, Sendable {
    package var jumps: UInt64 = 0
    package var zeroSteps: UInt64 = 0
    package var backwardSteps: UInt64 = 0
    package var missingStamps: UInt64 = 0
    package var countedFrames: UInt64 = 0
    package var arrivalFrames: UInt64 = 0
    package var modeChanges: UInt64 = 0

    package init() {}
}

/// Where a source's tracks begin on its common timeline.
///
/// The first track begins at a fixed place; the others keep their distance to it as their stamps
/// say, unless that is more than two seconds off their arrival: then they count from other epochs.
package struct TimelineOrigin: Sendable {
    static let distanceMaximum = Interval.seconds(2)
    /// The begin: no track that is earlier by less than the distance becomes negative.
    static let base = Interval.seconds(2)

    private var first: (stamp: Int64, arrival: Instant)?

    package init() {}

    /// - Parameter stamp: `nil`: the track begins without one.
    /// - Returns: Nanoseconds on the timeline for the track's first frame.
    package mutating func begin(stamp: Int64?, at now: Instant) -> Int64 {
        guard let first else {
            if let stamp { self.first = (stamp, now) }
            return Self.base.nanoseconds
        }
        let byArrival = (now - first.arrival).nanoseconds
        let byStamp = stamp.map { $0 &- first.stamp } ?? byArrival
        let isPlausible =
            (byStamp &- byArrival).magnitude < UInt64(Self.distanceMaximum.nanoseconds)
        return Self.base.nanoseconds &+ (isPlausible ? byStamp : byArrival)
    }
}
