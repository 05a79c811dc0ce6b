import Testing
import Wire

@testable import System

struct PacketRingTests {
    @Test func recordsComeOutAsTheyWentIn() throws {
        let ring = PacketRing(capacity: 1024, bell: try Bell())
        var writer = ring.makeWriter()
        var reader = ring.makeReader()
        let before = reader.next()
        let wrote = writer.tryWrite(kind: 5, [1, 2, 3].raw, [4, 5].raw)
        let isEmpty = reader.isEmpty()
        let came = reader.next()
        let (kind, bytes) = (reader.kind, [UInt8](copying: reader.bytes))
        let after = reader.next()
        #expect(!before)
        #expect(wrote)
        #expect(!isEmpty)
        #expect(came)
        #expect(kind == 5)
        #expect(bytes == [1, 2, 3, 4, 5])
        #expect(!after)
    }

    @Test func aFullRingRefusesAndLosesNothing() throws {
        let ring = PacketRing(capacity: 256, bell: try Bell())
        var writer = ring.makeWriter()
        var reader = ring.makeReader()
        var written = 0
        while writer.tryWrite(kind: UInt32(written), [UInt8(written)].raw) { written += 1 }
        #expect(written == 16, "8 bytes of head and 8 of record")
        _ = reader.next()
        _ = reader.next()  // Only now is the first record given back.
        let again = writer.tryWrite(kind: UInt32(written), [UInt8(written)].raw)
        #expect(again)
        var kinds = [reader.kind]
        while reader.next() { kinds.append(reader.kind) }
        #expect(kinds == Array(1...16))
    }

    /// Sizes that meet the end of the memory in every way.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func wrapsAnywhere(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let ring = PacketRing(capacity: 512, bell: try Bell())
        var writer = ring.makeWriter()
        var reader = ring.makeReader()
        var expected: [[UInt8]] = []
        var received: [[UInt8]] = []
        for _ in 0..<5000 {
            if Bool.random(using: &random) {
                let count = Int.random(in: 0...ring.recordMaximum, using: &random)
                let record = (0..<count).map {
                    UInt8(truncatingIfNeeded: $0 &* 31 &+ expected.count)
                }
                if writer.tryWrite(kind: UInt32(count), record.raw) { expected.append(record) }
            } else if reader.next() {
                #expect(Int(reader.kind) == reader.bytes.byteCount)
                received.append([UInt8](copying: reader.bytes))
            }
        }
        while reader.next() { received.append([UInt8](copying: reader.bytes)) }
        #expect(received == expected)
        #expect(received.count > 1000)
    }

    @Test func theLargestRecordAlwaysFitsAnEmptyRing() throws {
        let ring = PacketRing(capacity: 256, bell: try Bell())
        var writer = ring.makeWriter()
        var reader = ring.makeReader()
        let record = [UInt8](repeating: 1, count: ring.recordMaximum)
        for shift in 0..<40 {
            let wrote = writer.tryWrite(kind: 0, record.raw)
            #expect(wrote, "at step \(shift)")
            _ = reader.next()
            _ = reader.next()
            _ = writer.tryWrite(kind: 0, [UInt8](repeating: 2, count: shift).raw)
            _ = reader.next()
            _ = reader.next()
        }
    }

    /// A sleeper must never miss a record: the flag, the fence and the second look.
    @Test func aSleepingReaderIsWokenAndGetsEverything() throws {
        let bell = try Bell()
        let ring = PacketRing(capacity: 4096, bell: bell)
        let writer = Parcel(ring.makeWriter())
        let count = 100_000
        let producer = try Thread("producer") {
            guard var writer = writer.take() else { return }
            var number = 0
            while number < count {
                for _ in 0..<3 where number < count {
                    let bytes = [UInt8](
                        repeating: UInt8(truncatingIfNeeded: number), count: number % 60)
                    if writer.tryWrite(kind: UInt32(number), bytes.raw) { number += 1 }
                }
                writer.flush()
            }
        }
        var poller = try Poller()
        _ = try poller.add(bell, tag: 0)
        var reader = ring.makeReader()
        var next = 0
        var damaged = 0
        var missed = 0
        while next < count, missed == 0 {
            bell.fallAsleep()
            if reader.isEmpty() {
                try poller.wait(.seconds(10))
                if poller.next() == nil { missed += 1 }
            }
            bell.awake()
            while reader.next() {
                let bytes = reader.bytes
                let isWhole =
                    bytes.byteCount == next % 60
                    && (0..<bytes.byteCount).allSatisfy {
                        bytes.byte(at: $0) == UInt8(truncatingIfNeeded: next)
                    }
                if Int(reader.kind) != next || !isWhole { damaged += 1 }
                next += 1
            }
        }
        producer.join()
        #expect(missed == 0, "slept for ten seconds beside a full ring")
        #expect(damaged == 0)
        #expect(next == count)
    }

    @Test func nobodyAsleepMeansNoRing() throws {
        let bell = try Bell()
        let ring = PacketRing(capacity: 1024, bell: bell)
        var writer = ring.makeWriter()
        _ = writer.tryWrite(kind: 0, [1].raw)
        writer.flush()
        #expect(bell.rings() == 0)
        bell.fallAsleep()
        writer.flush()
        writer.flush()
        #expect(bell.rings() == 1)
    }

    @Test func anEndIsGivenOnce() async {
        await #expect(processExitsWith: .failure) {
            let ring = PacketRing(capacity: 1024, bell: try Bell())
            _ = ring.makeReader()
            _ = ring.makeReader()
        }
    }
}
