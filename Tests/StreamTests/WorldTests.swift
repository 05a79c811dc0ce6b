import Simulation
import Testing
import Wire

/// The weather itself: it must do what it says, and the same for the same seed.
struct WorldTests {
    @Test func theSameSeedTellsTheSameStory() {
        #expect(story(seed: 5) == story(seed: 5))
        #expect(story(seed: 5) != story(seed: 6))
    }

    private func story(seed: UInt64) -> [Int] {
        var weather = Weather(lossPerMille: 100, delay: 5...40)
        weather.doubledPerMille = 50
        var link = Link<Int>(seed: seed, weather: weather)
        var got: [Int] = []
        for number in 0..<300 {
            link.send(number, at: .start + .milliseconds(Int64(number)))
        }
        while let next = link.nextArrival {
            while let message = link.receive(at: next) { got.append(message) }
        }
        return got
    }

    @Test func burstsLoseInARow() {
        var weather = Weather.clear
        weather.burst = .init(beginPerMille: 10, endPerMille: 200)
        var link = Link<Int>(seed: 1, weather: weather)
        var runs: [Int] = []
        var last = -1
        for number in 0..<20_000 {
            link.send(number, at: .start)
            guard let got = link.receive(at: .distantFuture) else { continue }
            if got > last + 1 { runs.append(got - last - 1) }
            last = got
        }
        let mean = Double(runs.reduce(0, +)) / Double(runs.count)
        #expect(mean > 4 && mean < 6, "a burst of 5 in the mean")
        let lost = Double(link.figures.lost) / 20_000
        #expect(lost > 0.03 && lost < 0.07)
    }

    @Test func aRateDelaysAndAFullQueueDrops() {
        var weather = Weather(lossPerMille: 0, delay: 0...0)
        weather.bitsPerSecond = 1_000_000
        weather.queueMaximum = .milliseconds(100)
        var link = Link<Int>(seed: 1, weather: weather)
        for number in 0..<30 { link.send(number, size: 1_250, at: .start) }  // 10 ms each.
        #expect(link.figures.overflowed == 19)
        #expect(link.receive(at: .start + .milliseconds(9)) == nil)
        #expect(link.receive(at: .start + .milliseconds(10)) == 0)
        var last = 0
        while let number = link.receive(at: .start + .milliseconds(200)) { last = number }
        #expect(last == 10)
    }

    @Test func aPulledCableLosesWhatFlies() {
        var link = Link<Int>(seed: 1, weather: Weather(lossPerMille: 0, delay: 10...10))
        link.send(1, at: .start)
        link.setUp(false)
        link.send(2, at: .start)
        link.setUp(true)
        link.send(3, at: .start)
        #expect(link.receive(at: .distantFuture) == 3)
        #expect(link.receive(at: .distantFuture) == nil)
    }

    @Test func aQueueKeepsOrderHoweverTheDelayVaries() {
        var weather = Weather(lossPerMille: 0, delay: 1...60)
        weather.keepsOrder = true
        var link = Link<Int>(seed: 9, weather: weather)
        for number in 0..<100 { link.send(number, at: .start + .milliseconds(Int64(number))) }
        var got: [Int] = []
        while let number = link.receive(at: .distantFuture) { got.append(number) }
        #expect(got == Array(0..<100))
    }

    @Test func aPhoneThatChangesNetworksComesFromElsewhere() {
        let home = Address(ipv4: 0xc000_0207, port: 1_000)
        let street = Address(ipv4: 0xcb00_7109, port: 2_000)
        var path = Rebinding(home, [(at: .start + .seconds(5), address: street)])
        #expect(path.address(at: .start + .seconds(4)) == home)
        #expect(path.address(at: .start + .seconds(5)) == street)
        #expect(path.nextChange == nil)
    }

    /// Two machines that throw a ball: the world steps from event to event and ends by itself.
    @Test func aWorldStepsFromEventToEvent() {
        struct Game: World {
            var there = Link<Int>(seed: 1, weather: Weather(lossPerMille: 0, delay: 10...10))
            var back = Link<Int>(seed: 2, weather: Weather(lossPerMille: 0, delay: 15...15))
            var throwsLeft = 4

            var nextEvent: Instant? {
                [there.nextArrival, back.nextArrival].compactMap { $0 }.min()
            }

            mutating func step(at now: Instant) {
                if let ball = there.receive(at: now) { back.send(ball, at: now) }
                if let ball = back.receive(at: now), throwsLeft > 0 {
                    throwsLeft -= 1
                    there.send(ball, at: now)
                }
            }
        }
        var game = Game()
        game.there.send(1, at: .start)
        let end = game.run(until: .start + .seconds(60))
        #expect(end.now == .start + .milliseconds(125))
        #expect(end.steps == 10)
    }
}
