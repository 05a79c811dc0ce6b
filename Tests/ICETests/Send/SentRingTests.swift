import ICE
import Testing
import Wire

struct SentRingTests {
    @Test func findsWhatLeftByBothNumbers() {
        var ring = SentRing(capacity: 512, slots: 2)
        ring.note(
            transport: 65_535, slot: 1, kind: .media, outIndex: 70_000, sourceIndex: 9, size: 1228,
            at: SentRing.stamp(.start + .milliseconds(10)))
        let record = ring.record(transport: 65_535)
        #expect(record?.sourceIndex == 9)
        #expect(record?.sentAt == 40)
        #expect(record?.slot == 1)
        let media = ring.media(slot: 1, outIndex: 70_000)
        #expect(media?.transport == 65_535)
        let otherSlot = ring.media(slot: 0, outIndex: 70_000)
        #expect(otherSlot == nil)
    }

    @Test func aRepairDoesNotHideTheMediaItRepairs() {
        var ring = SentRing(capacity: 512, slots: 1)
        ring.note(
            transport: 1, slot: 0, kind: .media, outIndex: 7, sourceIndex: 3, size: 100, at: 0)
        ring.note(
            transport: 2, slot: 0, kind: .repair, outIndex: 7, sourceIndex: 3, size: 102, at: 0)
        let media = ring.media(slot: 0, outIndex: 7)
        #expect(media?.transport == 1)
    }

    /// 4,096 packets, in each of them a model says what must still be there.
    @Test(arguments: [512, 1024, 2048])
    func forgetsExactlyWhatWasOverwritten(capacity: Int) {
        var ring = SentRing(capacity: capacity, slots: 1)
        var wrong = 0
        for number in 0..<(70_000 + 2 * capacity) {
            ring.note(
                transport: UInt16(truncatingIfNeeded: number), slot: 0, kind: .media,
                outIndex: UInt64(number), sourceIndex: Int64(number), size: 1, at: 0)
            let oldest = max(0, number - capacity + 1)
            for probe in [number, oldest, oldest - 1] where probe >= 0 {
                let found = ring.media(slot: 0, outIndex: UInt64(probe)) != nil
                if found != (probe >= oldest) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    /// Who gets repetitions in a stream of their own has no table of numbers.
    @Test func withoutATableOnlyTransportNumbersAreKnown() {
        var ring = SentRing(capacity: 512, slots: 0)
        ring.note(
            transport: 5, slot: 1, kind: .media, outIndex: 7, sourceIndex: 3, size: 100, at: 4)
        let media = ring.media(slot: 1, outIndex: 7)
        let record = ring.record(transport: 5)
        #expect(media == nil && record?.outIndex == 7)
    }

    @Test func anEmptyRingKnowsNothing() {
        let ring = SentRing(capacity: 512, slots: 1)
        let byTransport = ring.record(transport: 0)
        let byNumber = ring.media(slot: 0, outIndex: 0)
        #expect(byTransport == nil)
        #expect(byNumber == nil)
    }
}
