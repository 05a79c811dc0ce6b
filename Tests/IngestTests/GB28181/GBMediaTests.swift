import GB28181
import Stream
import Testing
import Wire

/// Framings of a connection, and RTP that comes as networks bring it.
struct GBMediaTests {
    private func packet(_ number: Int, ssrc: UInt32 = 0x0beb_da87, size: Int = 60) -> [UInt8] {
        var bytes: [UInt8] = [0x80, 96, UInt8(number >> 8 & 255), UInt8(number & 255), 0, 0, 0, 1]
        for shift: UInt32 in [24, 16, 8, 0] {
            bytes.append(UInt8(truncatingIfNeeded: ssrc >> shift))
        }
        return bytes + [UInt8](repeating: UInt8(number & 255), count: size)
    }

    private func framed(_ packet: [UInt8], dollar: Bool) -> [UInt8] {
        (dollar ? [0x24, 0] : []) + [UInt8(packet.count >> 8), UInt8(packet.count & 255)] + packet
    }

    private func read(_ bytes: [UInt8], pieces size: Int) throws -> (found: [Int], resyncs: UInt64)
    {
        var framing = GBFraming()
        var pending: [UInt8] = []
        var found: [Int] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            pending += bytes[start..<min(bytes.count, start + size)]
            var at = 0
            while let range = try framing.next(pending.raw, from: &at) {
                found.append(
                    Int(pending[range.lowerBound + 2]) << 8 | Int(pending[range.lowerBound + 3]))
            }
            pending.removeFirst(at)
        }
        return (found, framing.resyncs)
    }

    @Test(arguments: [false, true], [1, 7, 1000])
    func bothFramingsAreFoundHoweverTheyAreCut(dollar: Bool, size: Int) throws {
        let bytes = (0..<50).flatMap { framed(packet($0), dollar: dollar) }
        #expect(try read(bytes, pieces: size).found == Array(0..<50))
        let preamble: [UInt8] = [1, 0, 1, 0] + [UInt8](repeating: 0, count: 252)
        #expect(try read(preamble + bytes, pieces: size).found == Array(0..<50))
    }

    /// Pitfall 21: a camera overwrites what it has not sent yet.
    @Test(arguments: [false, true])
    func theThreadIsFoundAgain(dollar: Bool) throws {
        var bytes: [UInt8] = []
        for number in 0..<100 {
            let whole = framed(packet(number), dollar: dollar)
            bytes += number % 20 == 10 ? Array(whole.prefix(31)) : whole
        }
        let (found, resyncs) = try read(bytes, pieces: 333)
        #expect(resyncs >= 1)
        #expect(found.count >= 85)
        #expect(found.last == 99)
    }

    @Test func whatIsNoFramingIsRefused() {
        #expect(throws: ParseError.self) { try read(packet(0), pieces: 1000) }
        #expect(throws: ParseError.self) {
            try read(Array("GET / HTTP/1.1\r\n\r\n".utf8), pieces: 1000)
        }
    }

    @Test func anythingIsSurvived() {
        for seed in UInt64(0)..<300 {
            var dice = SplitMix64(seed: seed)
            var bytes = (0..<40).flatMap { framed(packet($0), dollar: seed % 2 == 0) }
            for _ in 0..<20 {
                bytes[Int(dice.next() % UInt64(bytes.count))] = UInt8(
                    truncatingIfNeeded: dice.next())
            }
            _ = try? read(bytes, pieces: Int(dice.next() % 500) + 1)
        }
    }

    // MARK: - RTP

    /// A picture of nothing but its container, for counting.
    @Test(arguments: [false, true])
    func lossIsSeenWithAndWithoutOrder(isOrdered: Bool) {
        var receiver = GBReceiver(channel: 1, isOrdered: isOrdered, at: .start)
        var effects = Effects()
        var now = Instant.start
        for number in 0..<100 where number % 10 != 3 {
            now = now + .milliseconds(10)
            receiver.receive(packet(65_500 + number).raw, at: now, into: &effects)
            if receiver.deadline <= now { receiver.expire(at: now, into: &effects) }
        }
        receiver.expire(at: now + .milliseconds(200), into: &effects)
        #expect(receiver.figures.lost == 10)
        #expect(receiver.figures.packets == 90)
    }

    @Test func whatOvertakesIsPutInOrder() {
        var receiver = GBReceiver(channel: 1, isOrdered: false, at: .start)
        var effects = Effects()
        for number in stride(from: 0, to: 100, by: 2) {
            receiver.receive(packet(number + (number > 0 ? 1 : 0)).raw, at: .start, into: &effects)
            receiver.receive(packet(number + (number > 0 ? 0 : 1)).raw, at: .start, into: &effects)
            receiver.receive(packet(number).raw, at: .start, into: &effects)
        }
        #expect(receiver.figures.lost == 0)
    }

    /// Pitfalls 14 to 16.
    @Test func reportsAndGarbageAreNoMedia() {
        var receiver = GBReceiver(channel: 1, isOrdered: false, at: .start)
        var effects = Effects()
        let report: [UInt8] = [0x80, 200, 0, 6] + [UInt8](repeating: 1, count: 24)
        receiver.receive(report.raw, at: .start, into: &effects)
        #expect(receiver.ssrc == nil)
        receiver.receive([0x40, 96, 0, 1].raw, at: .start, into: &effects)
        receiver.receive(Array("REGISTER sip:x SIP/2.0\r\n".utf8).raw, at: .start, into: &effects)
        #expect(receiver.figures.unknown == 2)
        receiver.receive(packet(1).raw, at: .start, into: &effects)
        #expect(receiver.ssrc == 0x0beb_da87)
        // Pitfall 36: somebody must hear of us.
        let told = receiver.takeReceiverReport(at: .start + .seconds(6))
        #expect(told?.count == 32 && told?[1] == 201)
    }
}
