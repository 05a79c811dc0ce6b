package import Wire

/// A one-way network between two machines: it loses, delays, reorders, doubles and throttles,
/// always the same way for the same seed. No thread, no socket, no real time.
package struct Link<Message> {
    package private(set) var weather: Weather
    private var random: SplitMix64
    private var inFlight: [Flight] = []
    private var burstLoses = false
    /// When the last byte accepted will have left: what queues waits for it.
    private var freeAt = Instant.start
    private var isUp = true
    package private(set) var figures = Figures()

    private struct Flight {
        var arrival: Instant
        var order: UInt64
        var message: Message

        func comesBefore(_ other: Flight) -> Bool {
            arrival != other.arrival ? arrival < other.arrival : order < other.order
        }
    }

    package struct Figures: Equatable, Sendable {
        package var sent: UInt64 = 0
        package var lost: UInt64 = 0
        package var overflowed: UInt64 = 0
        package var doubled: UInt64 = 0
        package var delivered: UInt64 = 0
    }

    package init(seed: UInt64, weather: Weather) {
        random = SplitMix64(seed: seed)
        self.weather = weather
    }

    /// - Parameter size: In bytes; matters where the link has a rate.
    package mutating func send(_ message: Message, size: Int = 0, at now: Instant) {
        figures.sent += 1
        guard isUp, !loses() else {
            figures.lost += 1
            return
        }
        guard let leaves = queue(size, at: now) else {
            figures.overflowed += 1
            return
        }
        fly(message, from: leaves)
        if chance(weather.doubledPerMille) {
            figures.doubled += 1
            fly(message, from: leaves)
        }
    }

    package var nextArrival: Instant? { inFlight.map(\.arrival).min() }
    package var isEmpty: Bool { inFlight.isEmpty }

    /// The next message that has arrived; call until nil.
    package mutating func receive(at now: Instant) -> Message? {
        var soonest: Int?
        for index in inFlight.indices where inFlight[index].arrival <= now {
            guard let best = soonest else {
                soonest = index
                continue
            }
            if inFlight[index].comesBefore(inFlight[best]) { soonest = index }
        }
        guard let soonest else { return nil }
        figures.delivered += 1
        return inFlight.remove(at: soonest).message
    }

    /// From now on; what flies already, flies on.
    package mutating func change(_ weather: Weather) { self.weather = weather }

    /// A cable pulled: what flies is gone, and so is what is sent until it is up again.
    package mutating func setUp(_ up: Bool) {
        isUp = up
        if !up {
            figures.lost += UInt64(inFlight.count)
            inFlight.removeAll()
        }
    }

    // MARK: The weather at work

    private mutating func chance(_ perMille: UInt64) -> Bool {
        perMille > 0 && random.next() % 1000 < perMille
    }

    /// Gilbert and Elliott: a good and a bad state, and loss only in the bad one.
    private mutating func loses() -> Bool {
        if let burst = weather.burst {
            burstLoses = burstLoses ? !chance(burst.endPerMille) : chance(burst.beginPerMille)
            if burstLoses { return true }
        }
        return chance(weather.lossPerMille)
    }

    private mutating func queue(_ size: Int, at now: Instant) -> Instant? {
        guard let rate = weather.bitsPerSecond else { return now }
        let begin = max(now, freeAt)
        guard begin - now <= weather.queueMaximum else { return nil }
        let nanoseconds = Int64(size) * 8 * 1_000_000_000 / Int64(max(1, rate))
        freeAt = begin + Interval(nanoseconds: nanoseconds)
        return freeAt
    }

    private mutating func fly(_ message: Message, from: Instant) {
        let delay = Int64.random(in: weather.delay, using: &random)
        var arrival = from + .milliseconds(delay)
        if weather.keepsOrder, let last = inFlight.map(\.arrival).max() {
            arrival = max(arrival, last)
        }
        inFlight.append(Flight(arrival: arrival, order: figures.sent, message: message))
    }
}

/// What a link does to what is sent.
package struct Weather: Sendable {
    /// Of a thousand messages, how many vanish.
    package var lossPerMille: UInt64
    /// Milliseconds, drawn for each message: a wide range reorders.
    package var delay: ClosedRange<Int64>
    package var burst: Burst?
    package var doubledPerMille: UInt64 = 0
    package var bitsPerSecond: Int?
    /// Where there is a rate: what would wait longer is dropped.
    package var queueMaximum = Interval.milliseconds(500)
    /// Delay varies, but nothing overtakes: a queue, not many paths.
    package var keepsOrder = false

    /// Loss in a row: how likely a run of it begins, and ends, at each message.
    package struct Burst: Sendable {
        package var beginPerMille: UInt64
        package var endPerMille: UInt64

        package init(beginPerMille: UInt64, endPerMille: UInt64) {
            self.beginPerMille = beginPerMille
            self.endPerMille = endPerMille
        }
    }

    package init(lossPerMille: UInt64, delay: ClosedRange<Int64>) {
        self.lossPerMille = lossPerMille
        self.delay = delay
    }

    /// A cable between two rooms.
    package static let clear = Weather(lossPerMille: 0, delay: 1...1)
}
