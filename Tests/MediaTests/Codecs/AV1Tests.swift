import Codecs
import Media
import Testing
import Wire

struct AV1Tests {
    /// SVT-AV1, 320x180, 8 bits; libaom, the same with 10 bits and BT.709.
    static let header = Hex.decode("0a0b000000043cfeccfbf90040") ?? []
    static let tenBits = Hex.decode("0a0e000000043cfeccdaf95010101040") ?? []
    static let delimiter: [UInt8] = [0x12, 0]
    static let key: [UInt8] = [0x32, 3, 0x14, 0, 0xa4]
    static let delta: [UInt8] = [0x32, 3, 0x32, 1, 4]

    @Test func readsWhatEncodersWrite() throws {
        let found = AV1TemporalUnit.sequenceHeader(in: Self.header.raw)
        let header = try #require(found)
        #expect(header.profile == 0 && header.level == 0)
        #expect(header.width == 320 && header.height == 180)
        #expect(header.bitDepth == 8 && header.subsamplesWidth && header.subsamplesHeight)
        let foundToo = AV1TemporalUnit.sequenceHeader(in: Self.tenBits.raw)
        let ten = try #require(foundToo)
        #expect(ten.width == 320 && ten.height == 180 && ten.bitDepth == 10)
        #expect(ten.signal.colourPrimaries == 1 && ten.signal.matrixCoefficients == 1)
    }

    @Test func makesTheNormalForm() throws {
        var batch = ItemBatch()
        batch.begin()
        // The last unit has no size, padding and delimiter go.
        let padding: [UInt8] = [15 << 3 | 2, 2, 0, 0x80]
        let bare: [UInt8] = [0x30, 0x14, 0, 0xa4]
        let unit = Self.delimiter + Self.header + padding + bare
        let facts = try AV1TemporalUnit.write(unit.raw, into: &batch)
        #expect(batch.bytes == Self.header + Self.key)
        #expect(facts.isKey && facts.hasFrame)
    }

    @Test func aKeyFrameNeedsItsSequenceHeader() throws {
        for (unit, isKey) in [
            (Self.header + Self.key, true), (Self.key, false), (Self.delta, false),
        ] {
            var batch = ItemBatch()
            batch.begin()
            let facts = try AV1TemporalUnit.write(unit.raw, into: &batch)
            #expect(facts.isKey == isKey && facts.hasFrame)
        }
    }

    @Test func findsTemporalUnits() throws {
        let first = Self.delimiter + Self.header + Self.key
        let stream = first + Self.delimiter + Self.delta
        let end = try AV1TemporalUnit.end(in: stream.raw, from: 0)
        #expect(end == first.count)
        let last = try AV1TemporalUnit.end(in: stream.raw, from: end)
        #expect(last == stream.count)
    }

    @Test func writesAndReadsItsRecord() throws {
        var record: [UInt8] = []
        AV1Configuration(sequenceHeader: Self.tenBits).write(into: &record)
        #expect(record == [0x81, 0, 0x4c, 0] + Self.tenBits)
        let read = try AV1Configuration(record.raw)
        #expect(read.sequenceHeader == Self.tenBits)
        let format = try Format(read)
        #expect(format.width == 320 && format.parameterSets == [Self.tenBits])
        #expect(CodecsText.text(for: format) == "av01.0.00M.10")
        for count in 0..<record.count where count != 4 {
            let cut = Array(record.prefix(count))
            #expect(throws: ParseError.self, "cut to \(count)") {
                try Format(AV1Configuration(cut.raw))
            }
        }
    }

    /// R11: a number of ten bytes, one of more than 32 bits, one past the end.
    @Test func boundsItsNumbers() {
        let endless = [0x32] + [UInt8](repeating: 0x80, count: 10)
        let large: [UInt8] = [0x32, 0xff, 0xff, 0xff, 0xff, 0x7f]
        let past: [UInt8] = [0x32, 9, 1]
        for bytes in [endless, large, past] {
            var units = AV1Units(bytes.raw)
            var isRefused = false
            do throws(ParseError) { _ = try units.next() } catch { isRefused = true }
            #expect(isRefused)
        }
        for value in [0, 127, 128, 16_383, 16_384, 1 << 32 - 1] {
            let bytes = (0..<LEB128.count(of: value)).map { LEB128.byte($0, of: value) }
            var reader = ByteReader(bytes.raw)
            let back = try? LEB128.read(&reader)
            #expect(back == value)
        }
    }

    @Test(arguments: Damage.seeds)
    func survivesDamage(seed: UInt64) {
        Damage.of(Self.delimiter + Self.tenBits + Self.key, seed: seed) { bytes in
            var batch = ItemBatch()
            batch.begin()
            let facts = try? AV1TemporalUnit.write(bytes.raw, into: &batch)
            if facts?.isKey == true { #expect(batch.openCount > 0) }
            guard let header = AV1TemporalUnit.sequenceHeader(in: bytes.raw) else { return }
            #expect((1...16384).contains(header.width) && (1...16384).contains(header.height))
        }
    }
}
