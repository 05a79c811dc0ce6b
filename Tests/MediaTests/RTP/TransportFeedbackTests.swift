import RTP
import Testing
import Wire

/// What one end records, the other end reads: both halves of transport-wide feedback.
struct TransportFeedbackTests {
    /// All feedback that is due, read back: number to arrival in units of 250 µs; nil: lost.
    static func report(_ recorder: inout TWCCRecorder, at now: Instant) throws -> [[UInt16: Int64?]]
    {
        var reports: [[UInt16: Int64?]] = []
        var feedback = TransportFeedback()
        var more = true
        while more {
            let bytes = written { more = recorder.write(from: 1, media: 2, at: now, into: &$0) }
            guard !bytes.isEmpty else { break }
            #expect(bytes.count <= 1200 && bytes.count % 4 == 0)
            var reader = try RTCPReader(bytes.raw)
            guard case .transportFeedback(let body) = reader.next() else {
                Issue.record("no feedback in what was written")
                break
            }
            try feedback.read(bytes.raw.extracting(body))
            var report: [UInt16: Int64?] = [:]
            for arrival in feedback.arrivals {
                report[arrival.sequence] = .some(arrival.received ? arrival.time : nil)
            }
            reports.append(report)
        }
        return reports
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func theSenderLearnsWhatArrivedWhen(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var recorder = TWCCRecorder()
        var now = Instant(nanoseconds: 3_600_000_000_000)
        var sequence = UInt16.random(in: .min ... .max, using: &random)
        let lossPerCent = Int.random(in: 0...60, using: &random)
        let longest = [300, 5000, 400_000][Int(seed % 3)]
        for _ in 0..<20 {
            var expected: [UInt16: Int64?] = [:]
            for position in 0..<Int.random(in: 1...400, using: &random) {
                let isLost = position > 0 && Int.random(in: 0..<100, using: &random) < lossPerCent
                if !isLost { recorder.receive(sequence, at: now) }
                expected[sequence] = .some(isLost ? nil : now.nanoseconds / 250_000)
                sequence &+= 1
                let pause = Int64.random(in: 0...Int64(longest), using: &random)
                now = now + .microseconds(pause)
            }
            while case .some(.none) = expected[sequence &- 1] {
                sequence &-= 1  // Losses at the end are not known yet.
                expected[sequence] = nil
            }
            let reports = try Self.report(&recorder, at: now)
            let all = reports.reduce(into: [:]) { $0.merge($1) { _, new in new } }
            #expect(all == expected)
        }
    }

    @Test func aLatePacketIsReportedAgain() throws {
        var recorder = TWCCRecorder()
        for sequence: UInt16 in [10, 12] { recorder.receive(sequence, at: .start) }
        #expect(try Self.report(&recorder, at: .start) == [[10: 0, 11: nil, 12: 0]])
        recorder.receive(11, at: .start + .milliseconds(2))
        #expect(try Self.report(&recorder, at: .start).first?[11] == .some(8))
    }

    @Test func fewPacketsAreReportedRarely() {
        var recorder = TWCCRecorder()
        #expect(recorder.deadline == .distantFuture)
        let now = Instant.start + .seconds(10)
        for sequence: UInt16 in 0..<100 { recorder.receive(sequence, at: now) }
        #expect(recorder.deadline <= now)
        _ = written { _ = recorder.write(from: 1, media: 2, at: now, into: &$0) }
        #expect(recorder.deadline == .distantFuture)
        recorder.receive(100, at: now)
        #expect(recorder.deadline == now + .milliseconds(250))
        for sequence: UInt16 in 101..<110 { recorder.receive(sequence, at: now) }
        #expect(recorder.deadline == now + .milliseconds(100))
        for sequence: UInt16 in 110..<180 { recorder.receive(sequence, at: now) }
        #expect(recorder.deadline == now + .milliseconds(50))
    }

    /// Attack R7: numbers that jump about cost no more than the window.
    @Test func jumpsBeginAnew() throws {
        var recorder = TWCCRecorder()
        for sequence: UInt16 in [0, 30_000, 60_000, 5] { recorder.receive(sequence, at: .start) }
        let reports = try Self.report(&recorder, at: .start)
        #expect(reports.allSatisfy { $0.count <= 2048 })
    }

    /// Attack R7, read: counts without bytes, the reserved symbol, empty runs, too many.
    @Test func refusesWhatMakesNoSense() {
        let head: [UInt8] = [0, 1]
        let tail: [UInt8] = [0, 0, 1, 0]
        for body: [UInt8] in [
            head + [0xff, 0xff] + tail + [0x20, 5],
            head + [0, 100] + tail + [0x20, 5],
            head + [0, 3] + tail + [0x60, 3, 1, 1],
            head + [0, 3] + tail + [0x20, 0, 0x20, 0],
            head + [0, 3] + tail + [0xff, 0xff],
            head, [],
        ] {
            var feedback = TransportFeedback()
            #expect(throws: ParseError.self, "\(body)") { try feedback.read(body.raw) }
        }
    }

    @Test func missingDeltasEndTheList() throws {
        var feedback = TransportFeedback()
        try feedback.read(([0, 9, 0, 3, 0, 0, 1, 0, 0x20, 3, 4, 4] as [UInt8]).raw)
        #expect(feedback.arrivals.map(\.sequence) == [9, 10])
        #expect(feedback.arrivals.map(\.time) == [260, 264])
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) throws {
        var recorder = TWCCRecorder()
        for sequence: UInt16 in 0..<200 where sequence % 7 != 3 {
            recorder.receive(sequence, at: .start + .milliseconds(Int64(sequence) * 3))
        }
        let bytes = written { _ = recorder.write(from: 1, media: 2, at: .start, into: &$0) }
        bytes.forEachDamage(seed: seed) { damaged in
            var feedback = TransportFeedback()
            try? feedback.read(damaged.raw)
            #expect(feedback.arrivals.count <= TransportFeedback.arrivalsMaximum)
        }
    }
}
