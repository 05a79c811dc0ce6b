import RTP
import Simulation
import Testing
import Wire

/// When to ask, step by step, on a clock we hold in our hand.
struct NackRequesterTests {
    let start = Instant.start

    func requester(_ indices: [Int64], at now: Instant = .start) -> NackRequester {
        var requester = NackRequester()
        for index in indices { requester.receive(index, at: now) }
        return requester
    }

    @Test func waitsFiveMillisecondsForReordering() {
        var requester = requester([10, 12])
        #expect(requester.poll(at: start) == nil)
        #expect(requester.deadline == start + .milliseconds(5))
        #expect(
            requester.poll(at: start + .milliseconds(5)) == .nack(RTCPNack(first: 11, mask: 0)))
    }

    @Test func asksAtOnceWhenTwoPacketsHavePassed() {
        var requester = requester([10, 12, 13])
        #expect(requester.poll(at: start) == .nack(RTCPNack(first: 11, mask: 0)))
        #expect(requester.poll(at: start) == nil)
    }

    @Test func aLatePacketIsNotALostPacket() {
        var requester = requester([10, 12, 11])
        #expect(requester.deadline == .distantFuture)
        #expect(requester.poll(at: start + .seconds(1)) == nil)
    }

    @Test func namesABurstInOneItemAcrossTheWrap() {
        var requester = requester([0x1_fffe, 0x2_0002])
        let later = start + .milliseconds(5)
        #expect(requester.poll(at: later) == .nack(RTCPNack(first: 0xffff, mask: 0b11)))
        #expect(requester.poll(at: later) == nil)
    }

    @Test func asksForWhatTheFirstPacketHasOvertaken() {
        var requester = requester([10, 7])
        #expect(
            requester.poll(at: start + .milliseconds(5)) == .nack(RTCPNack(first: 8, mask: 0b1)))
        requester.receive(-1000, at: start)
        #expect(requester.missingCount == 2, "a stray from long ago is no beginning")
    }

    /// numbers.md: max(20 ms, min(RTT, 40 ms)) up to 100 ms, half the round trip above.
    @Test(arguments: [(5, 20), (30, 30), (80, 40), (100, 40), (120, 60), (300, 150)])
    func repeatsByTheRoundTrip(roundTrip: Int64, pause: Int64) {
        var requester = requester([10, 12, 13])
        requester.roundTrip = .milliseconds(roundTrip)
        _ = requester.poll(at: start)
        #expect(requester.deadline == start + .milliseconds(pause))
    }

    @Test func givesUpAfterTenTriesAndAsksForAKeyFrame() {
        var requester = requester([10, 12, 13])
        requester.roundTrip = .milliseconds(10)
        var outputs: [NackRequester.Output] = []
        while requester.deadline < .distantFuture {
            let now = max(start, requester.deadline)
            while let output = requester.poll(at: now) { outputs.append(output) }
        }
        #expect(outputs.count == 12)
        #expect(outputs.prefix(10).allSatisfy { $0 == .nack(RTCPNack(first: 11, mask: 0)) })
        #expect(outputs.suffix(2) == [.gaveUp(11...11), .keyframe])
    }

    /// A repair that cannot be here in time is not asked for.
    @Test func stopsWhenARepairWouldComeTooLate() {
        var requester = NackRequester(patience: .milliseconds(200))
        for index: Int64 in [10, 13, 14] { requester.receive(index, at: start) }
        requester.roundTrip = .milliseconds(90)
        #expect(requester.poll(at: start) == .nack(RTCPNack(first: 11, mask: 1)))
        #expect(
            requester.poll(at: start + .milliseconds(110)) == .nack(RTCPNack(first: 11, mask: 1)))
        #expect(requester.poll(at: start + .milliseconds(150)) == .gaveUp(11...12))
        #expect(requester.poll(at: start + .milliseconds(150)) == .keyframe)
        #expect(requester.poll(at: start + .milliseconds(150)) == nil)
    }

    @Test func givesUpOnALongOutage() {
        var requester = requester([1, 3, 2000])
        #expect(requester.poll(at: start) == .gaveUp(2...1999))
        #expect(requester.poll(at: start) == .keyframe)
        #expect(requester.poll(at: start) == nil)
        #expect(requester.deadline == .distantFuture)
    }

    @Test func forgetsWhatLiesBeforeAKeyFrame() {
        var requester = requester([10, 12, 20])
        requester.forget(below: 15)
        #expect(
            requester.poll(at: start + .milliseconds(5))
                == .nack(RTCPNack(first: 15, mask: 0b1111)))
    }
}

/// Both ends and the weather between them, as one deterministic program.
struct NackRepairTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func repairsTenPercentLoss(seed: UInt64) throws {
        var run = Run(seed: seed, packetCount: 500, lossPerMille: 100)
        while let next = run.nextEvent { run.step(at: next) }

        // Before the first arrival and after the last, nothing reveals a gap: not our promise.
        let first = try #require(run.received.min())
        let last = try #require(run.received.max())
        let lost = Set(first...last).subtracting(run.received)
        #expect(lost.isEmpty)
        #expect(run.resent < 125, "10 % loss must not cost more than 25 % in repairs")
        #expect(run.keyframes == 0)
    }

    /// What is given up is said so: no hole stays open in silence.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func everyHoleIsFilledOrGivenUp(seed: UInt64) throws {
        var run = Run(seed: seed, packetCount: 500, lossPerMille: 600)
        while let next = run.nextEvent { run.step(at: next) }
        let first = try #require(run.received.min())
        let last = try #require(run.received.max())
        let open = Set(first...last).subtracting(run.received).subtracting(run.givenUp)
        #expect(open.isEmpty)
        #expect(run.givenUp.isEmpty || run.keyframes > 0)
    }

    struct Run {
        private var media: Link<Int64>
        private var feedback: Link<RTCPNack>
        private var requester = NackRequester()
        private var unwrapper = SequenceUnwrapper()
        private var unsent: Range<Int64>
        private(set) var received: Set<Int64> = []
        private(set) var givenUp: Set<Int64> = []
        private(set) var resent = 0
        private(set) var keyframes = 0

        init(seed: UInt64, packetCount: Int64, lossPerMille: UInt64) {
            let weather = Weather(lossPerMille: lossPerMille, delay: 10...14)
            media = Link(seed: seed, weather: weather)
            feedback = Link(seed: ~seed, weather: weather)
            unsent = 65_000..<65_000 + packetCount  // The numbers wrap on the way.
        }

        private var nextSend: Instant? {
            unsent.first.map { .start + .milliseconds(5 * ($0 - 65_000)) }
        }

        var nextEvent: Instant? {
            let deadline = requester.deadline == .distantFuture ? nil : requester.deadline
            return [nextSend, media.nextArrival, feedback.nextArrival, deadline]
                .compactMap { $0 }.min()
        }

        mutating func step(at now: Instant) {
            if nextSend == now {
                media.send(unsent.lowerBound, at: now)
                unsent = unsent.dropFirst()
            }
            while let number = media.receive(at: now) {
                let index = unwrapper.unwrap(UInt16(truncatingIfNeeded: number))
                received.insert(index)
                requester.receive(index, at: now)
            }
            while let output = requester.poll(at: now) {
                switch output {
                case .nack(let nack): feedback.send(nack, at: now)
                case .gaveUp(let range): givenUp.formUnion(range)
                case .keyframe: keyframes += 1
                }
            }
            while let nack = feedback.receive(at: now) {
                nack.forEach { number in
                    media.send(Serial.extend(number, near: 65_500), at: now)
                    resent += 1
                }
            }
        }
    }
}
