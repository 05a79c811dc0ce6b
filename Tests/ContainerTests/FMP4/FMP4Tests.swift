import Codecs
import Containers
import Media
import Testing
import Wire

/// Boxes of a file, as a player walks them.
struct Boxes {
    let bytes: [UInt8]

    func number(_ at: Int, _ count: Int = 4) -> UInt64 {
        bytes[at..<at + count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The contents of every box with this path, below `range`.
    func find(_ path: [String], in range: Range<Int>? = nil) -> [Range<Int>] {
        guard let name = path.first else { return [range ?? 0..<bytes.count] }
        var found: [Range<Int>] = []
        var at = (range ?? 0..<bytes.count).lowerBound
        let end = (range ?? 0..<bytes.count).upperBound
        while at + 8 <= end {
            let size = Int(number(at))
            guard size >= 8, at + size <= end else { return [] }
            if bytes[at + 4..<at + 8].elementsEqual(name.utf8) {
                found += find(Array(path.dropFirst()), in: at + 8..<at + size)
            }
            at += size
        }
        return found
    }
}

@Suite struct FMP4Tests {
    private static let sps =
        Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    private static let pps = Hex.decode("68eae3cb22c0") ?? []

    private static var video: Format {
        get throws { try Format(h264: sps, parameterSets: [sps, pps]) }
    }

    private static var sound: Format {
        get throws { try Format(AACConfiguration(sampleRate: 48_000, channels: 2)) }
    }

    private func meta(key: Bool, composition: Int32 = 0) -> ItemMeta {
        ItemMeta(
            ticks: 0, arrival: .start, length: 0, flags: key ? .key : [],
            compositionOffset: composition)
    }

    private func add(
        _ sample: [UInt8], _ ticks: Int64, _ duration: Int64, _ meta: ItemMeta, _ track: Int,
        to fragment: inout FMP4Fragment
    ) { fragment.add(sample.raw, ticks: ticks, duration: duration, meta, track: track) }

    @Test func theInitSegmentTellsEachTracksClockAndConfiguration() throws {
        var out: [UInt8] = []
        try FMP4Init.write(
            [FMP4Track(id: 1, try Self.video), FMP4Track(id: 2, try Self.sound)], into: &out)
        let boxes = Boxes(bytes: out)
        #expect(boxes.find(["ftyp"]).count == 1)
        let clocks = boxes.find(["moov", "trak", "mdia", "mdhd"])
        #expect(clocks.map { boxes.number($0.lowerBound + 12) } == [90_000, 48_000])
        #expect(boxes.find(["moov", "mvex", "trex"]).count == 2)
        let entries = boxes.find(["moov", "trak", "mdia", "minf", "stbl", "stsd"])
        try #require(entries.count == 2)
        #expect(
            out[entries[0].lowerBound + 12..<entries[0].lowerBound + 16].elementsEqual("avc1".utf8))
        // The sample entry has 78 bytes before its boxes (12.1.3).
        let record = boxes.find(
            ["avcC"], in: entries[0].lowerBound + 16 + 78..<entries[0].upperBound)
        try #require(record.count == 1)
        let bytes = Array(out[record[0]])
        let configuration = try AVCConfiguration(bytes.raw)
        #expect(configuration.sequenceSets == [Self.sps])
    }

    @Test func aFragmentsSamplesLieWhereItSays() throws {
        let tracks = [FMP4Track(id: 1, try Self.video), FMP4Track(id: 2, try Self.sound)]
        var fragment = FMP4Fragment(tracks)
        let samples: [[UInt8]] = [[1, 1, 1], [2, 2], [9, 9, 9, 9]]
        add(samples[0], 90_000, 3000, meta(key: true, composition: 3000), 0, to: &fragment)
        add(samples[1], 93_000, 3000, meta(key: false, composition: -1500), 0, to: &fragment)
        add(samples[2], 48_000, 1024, meta(key: false), 1, to: &fragment)
        #expect(fragment.length(0) == 6000 && fragment.sampleCount(1) == 1)
        var out: [UInt8] = [0xee]
        fragment.finish(sequence: 7, into: &out)
        #expect(fragment.isEmpty && fragment.byteCount == 0)

        let boxes = Boxes(bytes: Array(out.dropFirst()))
        let header = try #require(boxes.find(["moof", "mfhd"]).first)
        #expect(boxes.number(header.lowerBound + 4) == 7)
        let times = boxes.find(["moof", "traf", "tfdt"])
        #expect(times.map { boxes.number($0.lowerBound + 4, 8) } == [90_000, 48_000])
        let runs = boxes.find(["moof", "traf", "trun"])
        try #require(runs.count == 2)
        var read: [[UInt8]] = []
        for run in runs {
            var at = Int(boxes.number(run.lowerBound + 8))
            for sample in 0..<Int(boxes.number(run.lowerBound + 4)) {
                let size = Int(boxes.number(run.lowerBound + 12 + 16 * sample + 4))
                read.append(Array(boxes.bytes[at..<at + size]))
                at += size
            }
        }
        #expect(read == samples)
        let first = runs[0].lowerBound + 12
        #expect(boxes.number(first + 8) == 0x0200_0000, "the key frame is a sync sample")
        #expect(boxes.number(first + 16 + 8) == 0x0101_0000)
        #expect(Int32(truncatingIfNeeded: boxes.number(first + 16 + 12)) == -1500)
        let sound = runs[1].lowerBound + 12
        #expect(boxes.number(sound + 8) == 0x0200_0000, "of sound every sample is")
    }

    @Test func whatMP4CannotNameIsRefusedByName() throws {
        var out: [UInt8] = []
        #expect(throws: FMP4Error.unsupported(.vp8)) {
            try FMP4Init.write(
                [FMP4Track(id: 1, Format(codec: .vp8, clockRate: 90_000))], into: &out)
        }
        #expect(throws: FMP4Error.incomplete(.h264)) {
            try FMP4Init.write(
                [FMP4Track(id: 1, Format(codec: .h264, clockRate: 90_000))], into: &out)
        }
        #expect(out.isEmpty)
    }

    @Test func nothingCollectedWritesNothing() throws {
        var fragment = FMP4Fragment([FMP4Track(id: 1, try Self.video)])
        var out: [UInt8] = []
        fragment.finish(sequence: 1, into: &out)
        #expect(out.isEmpty)
    }
}
