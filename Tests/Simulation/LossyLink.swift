package import Wire

/// A one-way network between two machines: it loses, delays and so reorders, always the same way
/// for the same seed. No thread, no socket, no real time.
package struct LossyLink<Message> {
    package struct Weather: Sendable {
        /// Of a thousand messages, how many vanish.
        package var lossPerMille: UInt64
        package var delay: ClosedRange<Int64>  // Milliseconds.

        package init(lossPerMille: UInt64, delay: ClosedRange<Int64>) {
            self.lossPerMille = lossPerMille
            self.delay = delay
        }
    }

    private var random: SplitMix64
    private let weather: Weather
    private var inFlight: [(arrival: Instant, message: Message)] = []

    package init(seed: UInt64, weather: Weather) {
        random = SplitMix64(seed: seed)
        self.weather = weather
    }

    package mutating func send(_ message: Message, at now: Instant) {
        guard random.next() % 1000 >= weather.lossPerMille else { return }
        let delay = Int64.random(in: weather.delay, using: &random)
        inFlight.append((now + .milliseconds(delay), message))
    }

    package var nextArrival: Instant? { inFlight.map(\.arrival).min() }

    package mutating func receive(at now: Instant) -> Message? {
        guard let index = inFlight.firstIndex(where: { $0.arrival <= now }) else { return nil }
        return inFlight.remove(at: index).message
    }
}
