import Wire

/// The most that somebody reads of a slot: what a publisher need not exceed.
package struct Demand: Equatable, Sendable {
    package var bits: Int
    package var highestLayer: UInt8

    package init(bits: Int, highestLayer: UInt8) {
        self.bits = bits
        self.highestLayer = highestLayer
    }

    /// No reader has set a limit.
    package static let everything = Demand(bits: .max, highestLayer: .max)
    package static let nothing = Demand(bits: 0, highestLayer: 0)

    package func union(_ other: Demand) -> Demand {
        Demand(
            bits: max(bits, other.bits), highestLayer: max(highestLayer, other.highestLayer))
    }
}

/// What has been told of a demand, and when: once per second is enough for an encoder, which takes
/// longer than that to settle.
struct DemandTold {
    private static let pause = Interval.seconds(1)
    private var told = Demand.everything
    private var at: Instant

    /// A publisher sends everything until it is told otherwise.
    init(at now: Instant) { at = now }

    /// What to tell now, if it changed and the last time is long enough ago.
    mutating func change(to demand: Demand, at now: Instant) -> Demand? {
        guard demand != told, now >= at + Self.pause else { return nil }
        told = demand
        at = now
        return demand
    }

    func deadline(for demand: Demand) -> Instant {
        demand == told ? .distantFuture : at + Self.pause
    }
}
