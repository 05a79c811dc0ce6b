package import Wire

/// How a viewer's picture starts, decided once, from what the history holds at that moment.
package struct JoinPlan: Equatable, Sendable {
    package enum Way: Equatable, Sendable {
        /// From the cached key frame, time stamps shrunk by `shift` bits so that it ends at live.
        case burst(shift: UInt8)
        /// A new key frame was asked for: it starts there.
        case freshKey
        /// The cached key frame as a still; motion begins with the next one, which is near.
        case still
        /// Nothing better: the whole cached part at four times its speed, with its real spacing.
        case fastForward
        /// No key frame is cached at all.
        case waitKey
    }

    /// What is known when a viewer joins.
    package struct Situation: Sendable {
        /// From the last key frame to the newest packet, without what may be dropped.
        package var burstBytes = 0
        package var burstFrames = 0
        package var burstLength = Interval.zero
        package var hasKey = false
        /// Bits a second of the stream, and what the path is known to carry.
        package var streamRate: Int64 = 0
        package var target: Int64 = .max
        package var answersPLI = false
        /// When the next key frame is expected, if the period is known.
        package var nextKeyIn: Interval?
        /// A request already failed to bring one in `freshKeyPatience`.
        package var requestFailed = false

        package init() {}
    }

    package var way: Way
    /// Bits a second the burst leaves with; meaningful for `burst` and `fastForward`.
    package var rate: Int64
    /// For the log and the report.
    package var catchUp: Interval

    /// Longer, and people see the picture hurry.
    package static let catchUpMaximum = Interval.milliseconds(300)
    /// How long a requested key frame may take before the next way is tried.
    package static let freshKeyPatience = Interval.milliseconds(700)
    /// A still for longer than this looks broken.
    package static let stillMaximum = Interval.seconds(1)
    /// A browser decodes a frame of ordinary size in this time.
    private static let decodePerFrame = Interval.milliseconds(4)
    static let rateMinimum: Int64 = 20_000_000

    package static func decide(_ situation: Situation) -> JoinPlan {
        let rate = min(max(rateMinimum, 4 * situation.streamRate), situation.target)
        let catchUp = Self.catchUp(situation, rate: rate)
        func plan(_ way: Way) -> JoinPlan { JoinPlan(way: way, rate: rate, catchUp: catchUp) }

        guard situation.hasKey else {
            return plan(situation.answersPLI && !situation.requestFailed ? .freshKey : .waitKey)
        }
        if catchUp <= catchUpMaximum {
            return plan(.burst(shift: shift(from: situation.burstLength, to: catchUp)))
        }
        if situation.answersPLI && !situation.requestFailed { return plan(.freshKey) }
        if let next = situation.nextKeyIn, next <= stillMaximum { return plan(.still) }
        return plan(.fastForward)
    }

    private static func catchUp(_ situation: Situation, rate: Int64) -> Interval {
        let decoding = decodePerFrame * Int64(situation.burstFrames)
        let spare = rate - situation.streamRate
        guard spare > 0 else { return .seconds(3600) }
        let sending = Int64(
            clamping: Int128(situation.burstBytes) * 8 * 1_000_000_000 / Int128(spare))
        return max(decoding, Interval(nanoseconds: sending))
    }

    /// The smallest shift that lets the burst's time stamps end one catch-up after its start.
    private static func shift(from length: Interval, to catchUp: Interval) -> UInt8 {
        var shift: UInt8 = 0
        while shift < 10, length.nanoseconds >> Int64(shift) > max(catchUp.nanoseconds, 1) {
            shift += 1
        }
        return shift
    }
}
