import RTP
import Testing
import Wire

struct RTCPTests {
    static let block = RTCPReportBlock(
        ssrc: 0x1111, fractionLost: 12, cumulativeLost: -3, highestSequence: 0x1_0005, jitter: 90,
        lastReport: 0xaabb_ccdd, delay: 65_536)
    static let info = RTCPSenderInfo(
        ssrc: 0x2222, ntp: NTPTime(bits: 0x0102_0304_0506_0708), timestamp: 3000, packets: 10,
        octets: 9000)

    /// All that we write, in one compound.
    static let compound = written { out in
        let blocks = [block, block]
        RTCPWriter.senderReport(info, blocks.span, into: &out)
        RTCPWriter.receiverReport(from: 0x3333, [block].span, into: &out)
        RTCPWriter.sourceDescription(ssrc: 0x2222, cname: Array("gateway".utf8).raw, into: &out)
        RTCPWriter.nack(
            from: 1, media: 2,
            [RTCPNack(first: 0xffff, mask: 1), RTCPNack(first: 9, mask: 0)].span, into: &out)
        RTCPWriter.pictureLoss(from: 1, media: 2, into: &out)
        RTCPWriter.fullIntra(from: 1, media: 2, sequence: 7, into: &out)
        RTCPWriter.remb(from: 1, bitsPerSecond: 2_500_000, [5, 6].span, into: &out)
        RTCPWriter.referenceTime(from: 1, NTPTime(bits: 42), into: &out)
        RTCPWriter.receiverDelay(from: 1, about: 8, lastReport: 9, delay: 10, into: &out)
        RTCPWriter.bye([0x2222, 0x4444].span, into: &out)
    }

    static func items(_ bytes: [UInt8]) throws -> [RTCPItem] {
        var reader = try RTCPReader(bytes.raw)
        var items: [RTCPItem] = []
        while let item = reader.next() { items.append(item) }
        return items
    }

    @Test func readsWhatItWrites() throws {
        let items = try Self.items(Self.compound)
        let cname = try #require(Self.compound.firstRange(of: Array("gateway".utf8)))
        #expect(
            items == [
                .senderInfo(Self.info), .report(from: 0x2222, Self.block),
                .report(from: 0x2222, Self.block), .report(from: 0x3333, Self.block),
                .cname(ssrc: 0x2222, cname), .nack(media: 2, RTCPNack(first: 0xffff, mask: 1)),
                .nack(media: 2, RTCPNack(first: 9, mask: 0)), .pictureLoss(media: 2),
                .fullIntra(media: 2, sequence: 7), .remb(bitsPerSecond: 2_500_000),
                .referenceTime(ssrc: 1, NTPTime(bits: 42)),
                .receiverDelay(ssrc: 8, lastReport: 9, delay: 10), .bye(ssrc: 0x2222),
                .bye(ssrc: 0x4444),
            ])
    }

    /// A receiver report without blocks, an APP packet, an XR block and a feedback format that
    /// nobody here knows.
    @Test func passesOverWhatItDoesNotKnow() throws {
        let bytes: [UInt8] =
            [0x80, 201, 0, 1, 0, 0, 0, 1] + [0x80, 204, 0, 2, 0, 0, 0, 1, 65, 66, 67, 68]
            + [0x80, 207, 0, 3, 0, 0, 0, 1, 9, 0, 0, 1, 1, 2, 3, 4]
            + [0x8b, 205, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4]
            + [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
        #expect(try Self.items(bytes) == [.pictureLoss(media: 2)])
    }

    /// Of a broken compound nothing counts: the loss report before the broken part neither.
    @Test func ofABrokenCompoundNothingCounts() {
        let pli: [UInt8] = [0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]
        for broken: [UInt8] in [
            [0x9f, 201, 0, 1, 0, 0, 0, 1],  // 31 blocks, and no body.
            [0x81, 202, 0, 2, 0, 0, 0, 1, 1, 200, 65, 66],  // A name past the end.
            [0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 65, 66],  // No end of the items.
            [0x82, 203, 0, 1, 0, 0, 0, 1],  // Two sources, one there.
            [0x81, 206, 0, 1, 0, 0, 0, 1],  // A loss report of four bytes.
            [0x80, 207, 0, 2, 0, 0, 0, 1, 4, 0, 0xff, 0xff],  // An XR block past the end.
            [0x80, 200, 0xff, 0xff], [0x40, 201, 0, 0], [0x80],
        ] {
            #expect(throws: ParseError.self, "\(broken)") { try Self.items(pli + broken) }
        }
        #expect(throws: ParseError.self) { try Self.items([]) }
    }

    @Test func refusesACompoundOfThreeHundred() {
        let bytes = [[UInt8]](repeating: [0x80, 201, 0, 1, 0, 0, 0, 1], count: 300).flatMap(\.self)
        #expect(throws: ParseError.self) { try Self.items(bytes) }
    }

    /// Attack R6: 18 bits moved by 63 fit nowhere.
    @Test func anEstimateThatOverflowsMeansNoLimit() throws {
        let head: [UInt8] = [0x8f, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 82, 69, 77, 66]
        #expect(try Self.items(head + [0, 0xff, 0xff, 0xff]) == [.remb(bitsPerSecond: .max)])
        #expect(try Self.items(head + [0, 0xfc, 0, 0]) == [.remb(bitsPerSecond: 0)])
        #expect(throws: ParseError.self, "255 SSRCs in no bytes") {
            try Self.items(head + [255, 1, 1, 1])
        }
    }

    /// Attack R5: an XR block of no length is a block of four bytes, not an endless loop.
    @Test func emptyXRBlocksEnd() throws {
        let blocks = [UInt8](repeating: 0, count: 4 * 200)
        #expect(try Self.items([0x80, 207, 0, 201, 0, 0, 0, 1] + blocks) == [])
        let delays: [UInt8] = [0x80, 207, 0, 3, 0, 0, 0, 1, 5, 0, 0, 0, 5, 0, 0, 0]
        #expect(try Self.items(delays) == [])
    }

    @Test func refusesEveryTruncation() {
        for count in 0..<Self.compound.count {
            let cut = Array(Self.compound.prefix(count))
            // A cut between two packets is a smaller compound.
            guard let items = try? Self.items(cut) else { continue }
            #expect(count % 4 == 0 && items.count < 14)
        }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func survivesDamage(seed: UInt64) {
        Self.compound.forEachDamage(seed: seed) { damaged in
            guard let items = try? Self.items(damaged) else { return }
            for case .cname(_, let range) in items { #expect(range.upperBound <= damaged.count) }
            #expect(items.count <= damaged.count)
        }
    }

    @Test func aNackNamesUpToSeventeenNumbers() {
        var named: [UInt16] = []
        RTCPNack(first: 0xfffe, mask: 0b1000_0000_0000_0011).forEach { named.append($0) }
        #expect(named == [0xfffe, 0xffff, 0, 14])
        #expect(RTCPNack(first: 1, mask: 0xffff).count == 17)
    }

    @Test func ntpTimeCountsFrom1900() {
        let noon = NTPTime(unixNanoseconds: 1_500_000_000)
        #expect(noon.bits >> 32 == 2_208_988_801)
        #expect(noon.bits & 0xffff_ffff == 0x8000_0000)
        #expect(noon.unixNanoseconds == 1_500_000_000)
        #expect(noon.middle == UInt32(truncatingIfNeeded: 2_208_988_801 << 16 | 0x8000))
    }
}
