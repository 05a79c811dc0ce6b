import Codecs
import Media
import Testing
import Wire

struct AnnexBTests {
    static func units(_ bytes: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var units = AnnexBUnits(bytes.raw)
        while let range = units.next() { found.append(Array(bytes[range])) }
        return found
    }

    @Test(
        arguments: [
            ([], []),
            ([1, 2, 3], []),
            ([0, 0, 1], []),
            ([0, 0, 1, 0x65], [[0x65]]),
            ([0, 0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 2], [[0x67, 1], [0x68, 2]]),
            // Zeros before a start code belong to no unit, whether three or thirty.
            ([0, 0, 1, 0x67, 0, 0, 0, 0, 0, 1, 0x68], [[0x67], [0x68]]),
            ([0, 0, 1, 0x67, 9, 0, 0, 0], [[0x67, 9]]),
            // An empty unit is none.
            ([0, 0, 1, 0, 0, 1, 0x41], [[0x41]]),
            // Emulation prevention is no start code.
            ([0, 0, 1, 0x41, 0, 0, 3, 1, 7], [[0x41, 0, 0, 3, 1, 7]]),
            // What precedes the first start code is no unit.
            ([7, 7, 0, 0, 1, 0x41], [[0x41]]),
        ] as [([UInt8], [[UInt8]])])
    func findsUnits(stream: [UInt8], expected: [[UInt8]]) {
        #expect(Self.units(stream) == expected)
    }

    /// The scan goes eight bytes at a time; a plain search must find the same.
    @Test(arguments: Damage.seeds)
    func agreesWithAPlainSearch(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8([0, 0, 0, 1, 1, 3, 0xff].randomElement(using: &random) ?? 0)
            }
            let plain = bytes.indices.first {
                $0 + 2 < bytes.count && bytes[$0...$0 + 2].elementsEqual([0, 0, 1])
            }
            #expect(AnnexBUnits.startCode(in: bytes.raw, from: 0) == plain, "\(bytes)")
        }
    }

    @Test func goesToLengthsAndBack() throws {
        let stream = try Vector.bytes("h264-baseline-slices.h264")
        var prefixed: [UInt8] = []
        NALFraming.lengthPrefixed(annexB: stream.raw, into: &prefixed)
        var batch = ItemBatch()
        batch.begin()
        NALFraming.lengthPrefixed(annexB: stream.raw, into: &batch)
        #expect(batch.bytes == prefixed)
        var back: [UInt8] = []
        try NALFraming.annexB(lengthPrefixed: prefixed.raw, into: &back)
        #expect(Self.units(back) == Self.units(stream))
        #expect(Self.units(back).count == 11)
    }

    @Test(arguments: [1, 2, 3, 4])
    func walksLengths(lengthSize: Int) throws {
        let zeros = [UInt8](repeating: 0, count: lengthSize - 1)
        // The empty unit in the middle is skipped.
        let bytes = zeros + [2, 0x65, 1] + zeros + [0] + zeros + [1, 0x41]
        var units = LengthPrefixedUnits(bytes.raw, lengthSize: lengthSize)
        var found: [[UInt8]] = []
        while let range = try units.next() { found.append(Array(bytes[range])) }
        #expect(found == [[0x65, 1], [0x41]])
    }

    @Test(arguments: [[0, 0, 0], [0xff, 0xff, 0xff, 0xff, 1], [0, 0, 0, 2, 1]] as [[UInt8]])
    func refusesALengthPastTheEndOnce(bytes: [UInt8]) throws {
        var units = LengthPrefixedUnits(bytes.raw)
        var refusals = 0
        do throws(ParseError) { _ = try units.next() } catch { refusals += 1 }
        #expect(refusals == 1)
        let after = try units.next()
        #expect(after == nil)
    }
}
