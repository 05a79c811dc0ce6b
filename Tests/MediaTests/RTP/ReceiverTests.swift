import Media
import RTP
import Testing
import Wire

struct KeyframeRequesterTests {
    @Test func bundlesRequestsAndThrottles() {
        var requester = KeyframeRequester(mayFullIntra: false)
        requester.want()
        requester.want()
        #expect(requester.poll(at: .start) == .pictureLoss)
        #expect(requester.poll(at: .start) == nil)
        requester.receivedKeyframe()
        requester.want()
        #expect(requester.poll(at: .start + .milliseconds(499)) == nil)
        #expect(requester.deadline == .start + .milliseconds(500))
        #expect(requester.poll(at: .start + .milliseconds(500)) == .pictureLoss)
    }

    @Test func asksUntilAKeyFrameComesAndTriesBothWays() {
        var requester = KeyframeRequester(mayFullIntra: true)
        requester.want()
        var asked: [(Int64, KeyframeRequester.Request)] = []
        for _ in 0..<6 {
            let now = max(.start, requester.deadline)
            if let request = requester.poll(at: now) {
                asked.append(((now - .start).milliseconds, request))
            }
        }
        #expect(asked.map(\.0) == [0, 500, 1000, 2000, 4000, 8000])
        #expect(
            asked.map(\.1) == [
                .pictureLoss, .pictureLoss, .fullIntra(sequence: 1), .pictureLoss,
                .fullIntra(sequence: 1), .pictureLoss,
            ])
        requester.receivedKeyframe()
        #expect(requester.deadline == .distantFuture)
    }

    /// Attack R9: a thousand viewers that ask a thousand times a second.
    @Test func aStormIsTwoRequestsASecond() {
        var requester = KeyframeRequester(mayFullIntra: true)
        var count = 0
        for millisecond: Int64 in 0..<10_000 {
            requester.want()
            if requester.poll(at: .start + .milliseconds(millisecond)) != nil { count += 1 }
            if millisecond % 100 == 0 { requester.receivedKeyframe() }
        }
        #expect(count <= 20)
    }
}

struct ReceiverStatisticsTests {
    @Test func countsLossAsAReportSaysIt() {
        var statistics = ReceiverStatistics(clockRate: 90_000)
        for index: Int64 in 0..<100 where index % 10 != 5 {
            statistics.receive(
                index, ticks: index * 900, at: .start + .milliseconds(index * 10))
        }
        let report = statistics.report(ssrc: 7, at: .start + .seconds(1))
        #expect(report.cumulativeLost == 10 && report.highestSequence == 99)
        #expect(report.fractionLost == 25, "10 of 100, in 256ths")
        #expect(report.jitter == 0)
        for index: Int64 in 100..<200 {
            statistics.receive(index, ticks: index * 900, at: .start + .milliseconds(index * 10))
        }
        let second = statistics.report(ssrc: 7, at: .start + .seconds(2))
        #expect(second.fractionLost == 0 && second.cumulativeLost == 10)
    }

    /// RFC 3550 §A.8: packets that come 10 ms early and late by turns have 20 ms of variation.
    @Test func measuresJitter() {
        var statistics = ReceiverStatistics(clockRate: 90_000)
        for index: Int64 in 0..<1000 {
            let shift: Int64 = index % 2 == 0 ? 10 : -10
            statistics.receive(
                index, ticks: index * 3000,
                at: .start + .milliseconds(100 + index * 33 + shift) + .microseconds(index * 333))
        }
        let report = statistics.report(ssrc: 1, at: .start)
        #expect((1790...1810).contains(report.jitter))
    }

    @Test func survivesHostileTimes() {
        var statistics = ReceiverStatistics(clockRate: 90_000)
        for (index, ticks) in [Int64.max, .min, 0, .max, .min].enumerated() {
            statistics.receive(Int64(index), ticks: ticks, at: .start)
        }
        #expect(statistics.report(ssrc: 1, at: .start).jitter > 0)
    }

    @Test func saysWhenItHeardTheSender() {
        var statistics = ReceiverStatistics(clockRate: 48_000)
        #expect(statistics.report(ssrc: 1, at: .start).lastReport == 0)
        let info = RTCPSenderInfo(
            ssrc: 1, ntp: NTPTime(bits: 0x1111_2222_3333_4444), timestamp: 0, packets: 0,
            octets: 0)
        statistics.receive(info, at: .start)
        let report = statistics.report(ssrc: 1, at: .start + .milliseconds(500))
        #expect(report.lastReport == 0x2222_3333 && report.delay == 32_768)
    }

    @Test func tellsTheRoundTrip() {
        let sent = NTPTime(unixNanoseconds: 1_000_000_000)
        let now = NTPTime(unixNanoseconds: 1_250_000_000)
        let roundTrip = NTPTime.roundTrip(
            now: now, lastReport: sent.middle, delay: NTPTime.shortDelay(.milliseconds(200)))
        #expect((49...50).contains(roundTrip?.milliseconds ?? 0))
        #expect(NTPTime.roundTrip(now: now, lastReport: 0, delay: 0) == nil)
        #expect(NTPTime.roundTrip(now: now, lastReport: sent.middle, delay: .max / 2) == nil)
    }
}

struct ReorderBufferTests {
    static func meta(_ millisecond: Int64 = 0) -> ItemMeta {
        ItemMeta(
            ticks: 0, arrival: .start + .milliseconds(millisecond), length: 1, flags: [])
    }

    static func drain(
        _ buffer: inout ReorderBuffer, at millisecond: Int64
    ) -> [(Int64, Int64)] {
        var found: [(Int64, Int64)] = []
        var bytes: [UInt8] = []
        while let packet = buffer.next(at: .start + .milliseconds(millisecond), into: &bytes) {
            #expect(bytes == [UInt8(truncatingIfNeeded: packet.index)])
            found.append((packet.index, packet.lost))
        }
        return found
    }

    @Test func packetsInOrderPass() {
        var buffer = ReorderBuffer(patience: .milliseconds(50))
        for index: Int64 in 5..<100 { #expect(buffer.passes(index) == true) }
        #expect(buffer.passes(101) == false)
        #expect(buffer.passes(50) == false)
    }

    @Test func waitsForTheMissingOneButNotForEver() {
        var buffer = ReorderBuffer(patience: .milliseconds(50))
        #expect(buffer.passes(1) == true)
        for index: Int64 in [3, 4] { buffer.receive([UInt8(index)].raw, index, Self.meta(10)) }
        #expect(Self.drain(&buffer, at: 10).isEmpty)
        #expect(buffer.deadline == .start + .milliseconds(60))
        buffer.receive([2].raw, 2, Self.meta(20))
        #expect(Self.drain(&buffer, at: 20).map(\.0) == [2, 3, 4])

        buffer.receive([7].raw, 7, Self.meta(30))
        #expect(Self.drain(&buffer, at: 79).isEmpty)
        let late = Self.drain(&buffer, at: 80)
        #expect(late.map(\.0) == [7] && late.map(\.1) == [2])
        buffer.receive([5].raw, 5, Self.meta(81))
        #expect(Self.drain(&buffer, at: 200).isEmpty)
        #expect(buffer.dropped == 1)
        #expect(buffer.deadline == .distantFuture)
    }

    @Test func repetitionsAreDropped() {
        var buffer = ReorderBuffer(patience: .milliseconds(50))
        #expect(buffer.passes(1) == true)
        for _ in 0..<3 { buffer.receive([3].raw, 3, Self.meta()) }
        #expect(buffer.dropped == 2)
        #expect(Self.drain(&buffer, at: 50).map(\.0) == [3])
    }

    /// Attack R12: numbers that jump far, either way, begin anew; the loss is said.
    @Test(arguments: [5000, -5000] as [Int64])
    func aJumpBeginsAnew(jump: Int64) {
        var buffer = ReorderBuffer(patience: .milliseconds(50))
        #expect(buffer.passes(100_000) == true)
        buffer.receive(
            [UInt8(truncatingIfNeeded: 100_000 + jump)].raw, 100_000 + jump, Self.meta())
        let found = Self.drain(&buffer, at: 0)
        #expect(found.map(\.0) == [100_000 + jump] && found.map(\.1) == [1])
        #expect(buffer.passes(100_001 + jump) == true)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func anyOrderWithinTheWindowComesOutInOrder(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var buffer = ReorderBuffer(patience: .seconds(10))
        #expect(buffer.passes(0) == true)
        var out: [Int64] = []
        for block: Int64 in 0..<10 {
            for index in (block * 40 + 1...block * 40 + 40).shuffled(using: &random) {
                buffer.receive([UInt8(truncatingIfNeeded: index)].raw, index, Self.meta())
                out += Self.drain(&buffer, at: 0).map(\.0)
            }
        }
        #expect(out == Array(1...400))
    }
}

struct RepairFormatTests {
    @Test func rtxCarriesTheNumberOfTheLostPacket() throws {
        let bytes = written { RTX.write([1, 2, 3].raw, sequence: 0xfffe, into: &$0) }
        let original = try RTX.unwrap(bytes.raw)
        #expect(original.sequence == 0xfffe && Array(bytes[original.payload]) == [1, 2, 3])
        for probe: [UInt8] in [[], [1], [1, 2]] {
            #expect(throws: ParseError.self) { try RTX.unwrap(probe.raw) }
        }
    }

    /// A redundant block of 3 bytes, then the newest frame.
    @Test func redGivesTheNewestFrame() throws {
        let bytes: [UInt8] = [0x80 | 111, 0x0f, 0x00, 0x03, 111, 1, 2, 3, 9, 8]
        let primary = try RED.primary(bytes.raw)
        #expect(primary.payloadType == 111 && Array(bytes[primary.payload]) == [9, 8])
        for count in 0..<8 {
            #expect(throws: ParseError.self) { try RED.primary(Array(bytes.prefix(count)).raw) }
        }
        let endless = [UInt8](repeating: 0x80, count: 400)
        #expect(throws: ParseError.self) { try RED.primary(endless.raw) }
    }
}

struct UnwrapperTests {
    @Test func numbersNeverWrapAndLatePacketsHaveTheirPlace() {
        var unwrapper = SequenceUnwrapper()
        let indices = [65_534, 65_535, 1, 0, 2].map { unwrapper.unwrap(UInt16($0)) }
        #expect(indices == [131_070, 131_071, 131_073, 131_072, 131_074])
        #expect(unwrapper.highest == 131_074)
        #expect(unwrapper.isPlausible(2500) && !unwrapper.isPlausible(20_000))
    }
}
