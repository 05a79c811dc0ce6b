import Wire

/// Finds out how many samples a second G.711 really has: cameras of Dahua and others send 16,000
/// and say 8,000, and then speak slowly and low.
///
/// Bytes are samples there, so what arrives tells the rate, and the advance of the stamps tells
/// their clock: some count the true samples, some half of them. Two windows in a row must agree:
/// what was waiting in a camera comes in a burst at first.
struct RTSPSoundRate: Sendable {
    struct Finding: Equatable, Sendable {
        /// Samples a second.
        var rate: Int32
        /// Of the stamps; nil: they are nonsense, and the repair of stamps has them.
        var clock: Int32?
    }

    static let window = Interval.seconds(3)
    private static let rates: [Int32] = [8000, 16_000, 32_000]

    private var began: Instant?
    private var firstStamp: Int64 = 0
    private var samples: Int64 = 0
    private var last: Finding?

    /// A packet with so many samples of one channel.
    ///
    /// - Returns: What two windows have found alike, with the packet that ends the second.
    mutating func note(_ count: Int64, stamp: Int64, at now: Instant) -> Finding? {
        guard let began else {
            open(stamp, now)
            return nil
        }
        samples += count
        let passed = now - began
        guard passed >= Self.window else { return nil }
        // A pause lies in it.
        let isWhole = passed < Self.window * 2
        let rate = isWhole ? Self.nearest(samples, passed) : nil
        let clock = Self.nearest(stamp &- firstStamp, passed)
        open(stamp, now)
        let found = rate.map { Finding(rate: $0, clock: clock) }
        defer { last = found }
        return found == last ? found : nil
    }

    /// The samples of the packet that opens a window were taken before it.
    private mutating func open(_ stamp: Int64, _ now: Instant) {
        (began, firstStamp, samples) = (now, stamp, 0)
    }

    /// Within a tenth: losses and jitter explain no more.
    private static func nearest(_ count: Int64, _ passed: Interval) -> Int32? {
        let measured = count &* 1000 / max(1, passed.milliseconds)
        return rates.first { (measured - Int64($0)).magnitude * 10 <= UInt64($0) }
    }
}
