import Media
import RTP
import Testing
import Wire

/// What goes into packets comes out of them: every codec, random sizes, one seed a story.
struct PacketizerTests {
    static let seeds = 0..<50 as Range<UInt64>

    static func meta(_ flags: ItemMeta.Flags = [], ticks: Int64 = 90_000) -> ItemMeta {
        ItemMeta(ticks: ticks, arrival: .start, length: 0, flags: flags)
    }

    static func units(_ units: [[UInt8]]) -> [UInt8] {
        units.flatMap { unit in
            [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: unit.count >> $0) } + unit
        }
    }

    static func roundTrip(
        _ frame: [UInt8], _ format: Format, flags: ItemMeta.Flags = []
    ) throws -> (packets: ItemBatch, draft: FrameDraft) {
        var packetizer = try #require(Packetizer(format: format))
        var depacketizer = try #require(Depacketizer(codec: format.codec))
        var packets = ItemBatch()
        packetizer.packetize(frame.raw, meta(flags), format: format, into: &packets)
        var draft = FrameDraft()
        for index in 0..<packets.count {
            let isLast = index == packets.count - 1
            try depacketizer.append(packets.bytes(of: index), marker: isLast, to: &draft)
        }
        return (packets, draft)
    }

    static func expectFrameMarks(_ packets: ItemBatch) {
        for (index, item) in packets.items.enumerated() {
            let isLast = index == packets.count - 1
            #expect(item.meta.startsFrame == (index == 0))
            #expect(item.meta.endsFrame == isLast)
            #expect(item.meta.flags.contains(.marker) == isLast)
            #expect(item.meta.length <= 1140)
        }
    }

    @Test(arguments: [Codec.h264, .h265], seeds)
    func nalUnitsComeBack(codec: Codec, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var format = Format(codec: codec, clockRate: 90_000)
        let isKey = seed % 2 == 0
        let header: [UInt8] =
            codec == .h264 ? [isKey ? 0x65 : 0x61] : [isKey ? 19 << 1 : 1 << 1, 0x01]
        let slices = (0..<Int.random(in: 1...5, using: &random)).map { _ in
            header
                + [UInt8].random(Int.random(in: 1...9000, using: &random), using: &random)
        }
        let sei: [UInt8] = codec == .h264 ? [6, 1, 2, 3] : [39 << 1, 1, 2, 3]
        format.parameterSets =
            codec == .h264
            ? [[0x67, 1, 2, 3], [0x68, 4, 5]]
            : [[0x40, 1, 1], [0x42, 1, 2], [0x44, 1, 3]]
        let frame = Self.units([sei] + slices)
        let (packets, draft) = try Self.roundTrip(frame, format, flags: isKey ? .key : [])

        #expect(draft.bytes == (isKey ? Self.units(format.parameterSets) : []) + frame)
        #expect(!draft.isDamaged)
        Self.expectFrameMarks(packets)
        for item in packets.items { #expect(item.meta.isKey == isKey) }
    }

    /// The kernel sends fragments as one message if all but the last have one size.
    @Test(arguments: [1141, 1142, 2276, 2277, 5000, 100_000])
    func fragmentsOfAUnitAreEqualButTheLast(size: Int) throws {
        let frame = Self.units([[0x65] + [UInt8](repeating: 7, count: size - 1)])
        let (packets, draft) = try Self.roundTrip(
            frame, Format(codec: .h264, clockRate: 90_000), flags: .key)
        let sizes = packets.items.map(\.meta.length)
        let first = try #require(sizes.first)
        let last = try #require(sizes.last)
        #expect(sizes.count > 1)
        #expect(sizes.dropLast().allSatisfy { $0 == first })
        #expect(last <= first && first <= 1140)
        #expect(draft.bytes == frame)
    }

    /// webrtc.md 11: delimiters and filler are not sent; sets come from the format, in one
    /// aggregate before the key frame, and only there.
    @Test func theFormatGivesTheParameterSets() throws {
        var format = Format(codec: .h264, clockRate: 90_000)
        format.parameterSets = [[0x67, 1, 2], [0x68, 3]]
        let frame = Self.units([[9, 0xf0], [0x67, 9, 9], [0x65, 1, 2, 3], [12, 0xff, 0x80]])
        let (packets, _) = try Self.roundTrip(frame, format, flags: .key)
        #expect(packets.arrays == [[0x78, 0, 3, 0x67, 1, 2, 0, 2, 0x68, 3], [0x65, 1, 2, 3]])
        let delta = Self.units([[9, 0xf0], [0x41, 1, 2, 3]])
        #expect(try Self.roundTrip(delta, format).packets.arrays == [[0x41, 1, 2, 3]])
    }

    @Test func knowsFramesThatNobodyRefersTo() throws {
        let frame = Self.units([[0x01, 1, 2, 3]])  // nal_ref_idc 0.
        let format = Format(codec: .h264, clockRate: 90_000)
        let (packets, _) = try Self.roundTrip(frame, format)
        #expect(packets.items[0].meta.flags.contains(.discardable))
    }

    @Test func leavesOutBFramesIfTold() throws {
        let format = Format(codec: .h264, clockRate: 90_000)
        let frame = Self.units([[0x01, 1, 2, 3]])
        for (policy, count) in [(BFramePolicy.keep, 1), (.drop, 0), (.refuse, 0)] {
            var packetizer = try #require(Packetizer(format: format, bFrames: policy))
            var packets = ItemBatch()
            packetizer.packetize(
                frame.raw, Self.meta([.bidirectional, .discardable]), format: format,
                into: &packets)
            #expect(packets.count == count)
        }
    }

    @Test(arguments: seeds)
    func vp8ComesBack(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let isKey = seed % 2 == 0
        let size: [UInt8] = [isKey ? 0 : 1, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00]
        let frame = size + .random(Int.random(in: 0...6000, using: &random), using: &random)
        let (packets, draft) = try Self.roundTrip(
            frame, Format(codec: .vp8, clockRate: 90_000), flags: isKey ? .key : [])
        #expect(draft.bytes == frame)
        #expect(draft.flags.contains(.key) == isKey)
        #expect(isKey ? draft.width == 320 && draft.height == 240 : draft.width == 0)
        Self.expectFrameMarks(packets)
        #expect(packets.items.allSatisfy { $0.meta.vp8PictureIDOffset == 2 })
    }

    @Test(arguments: seeds)
    func vp9ComesBack(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var format = Format(codec: .vp9, clockRate: 90_000)
        (format.width, format.height) = (1280, 720)
        let isKey = seed % 2 == 0
        let frame = [UInt8].random(Int.random(in: 1...6000, using: &random), using: &random)
        let (packets, draft) = try Self.roundTrip(frame, format, flags: isKey ? .key : [])
        #expect(draft.bytes == frame)
        #expect(draft.flags.contains(.key) == isKey)
        #expect(isKey ? draft.width == 1280 && draft.height == 720 : draft.width == 0)
        Self.expectFrameMarks(packets)
    }

    @Test(arguments: seeds)
    func av1ComesBack(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let isKey = seed % 2 == 0
        let types: [UInt8] = (isKey ? [1] : []) + [5, 6, 4, 4]
        let frame = types.flatMap { type in
            let count = Int.random(in: 0...(type == 6 || type == 4 ? 5000 : 40), using: &random)
            let size =
                count < 128 ? [UInt8(count)] : [0x80 | UInt8(count & 127), UInt8(count >> 7)]
            let hasExtension = type == 4
            return [type << 3 | (hasExtension ? 6 : 2)] + (hasExtension ? [0x20] : []) + size
                + [UInt8].random(count, using: &random)
        }
        let (packets, draft) = try Self.roundTrip(
            frame, Format(codec: .av1, clockRate: 90_000), flags: isKey ? .key : [])
        #expect(draft.bytes == frame)
        #expect(draft.flags.contains(.key) == isKey)
        #expect((draft.sequenceHeader?.lowerBound == 0) == isKey)
        Self.expectFrameMarks(packets)
        let first = packets.array(of: 0)[0]
        #expect(first & 8 == (isKey ? 8 : 0), "N begins a sequence")
    }

    @Test func av1LeavesOutTemporalDelimiters() throws {
        let (packets, draft) = try Self.roundTrip(
            [0x12, 0, 0x32, 2, 7, 8], Format(codec: .av1, clockRate: 90_000))
        #expect(packets.arrays == [[0, 3, 0x30, 7, 8]])
        #expect(draft.bytes == [0x32, 2, 7, 8])
    }

    @Test(arguments: seeds)
    func aacComesBack(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let frame = [UInt8].random(Int.random(in: 1...4000, using: &random), using: &random)
        let (packets, draft) = try Self.roundTrip(frame, Format(codec: .aac, clockRate: 48_000))
        #expect(draft.bytes == frame)
        #expect(draft.cuts.map(\.end) == [frame.count])
        Self.expectFrameMarks(packets)
    }

    @Test func opusIsOnePacketAndASyncPoint() throws {
        let frame = [UInt8](repeating: 3, count: 160)
        let (packets, draft) = try Self.roundTrip(frame, Format(codec: .opus, clockRate: 48_000))
        #expect(packets.arrays == [frame])
        #expect(packets.items[0].meta.flags == [.key, .frameStart, .frameEnd])
        #expect(draft.bytes == frame)
    }

    @Test func longSamplesAreCutInTime() throws {
        let frame = [UInt8](repeating: 0xd5, count: 3000)
        let (packets, draft) = try Self.roundTrip(frame, Format(codec: .pcma, clockRate: 8000))
        #expect(packets.items.map(\.meta.length) == [1000, 1000, 1000])
        #expect(packets.items.map(\.meta.ticks) == [90_000, 91_000, 92_000])
        #expect(draft.bytes == frame)
    }

    @Test func codecsThatNobodyReadsHaveNoPacketizer() {
        #expect(Packetizer(format: Format(codec: .flac, clockRate: 48_000)) == nil)
        #expect(Depacketizer(codec: .data) == nil)
    }
}
