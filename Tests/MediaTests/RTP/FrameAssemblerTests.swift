import Codecs
import Media
import RTP
import Testing
import Wire

/// Packets to frames: order, loss, what cameras do, and real streams all the way round.
struct FrameAssemblerTests {
    static let format = PacketShaperTests.format()

    struct Receiver {
        var assembler: FrameAssembler
        var out = AssembledFrames()
        var index: Int64 = 65_530
        var now = Instant.start

        init(
            _ format: Format = FrameAssemblerTests.format, answersNACK: Bool = true,
            onLoss: PacketShaper.LossPolicy = .proceed, facts: PayloadFacts = PayloadFacts()
        ) throws {
            assembler = try #require(
                FrameAssembler(
                    format: format, facts: facts, answersNACK: answersNACK, onLoss: onLoss))
        }

        mutating func send(_ payload: [UInt8], _ ticks: Int64, marker: Bool = false) {
            receive(payload, index, ticks, marker: marker)
            index += 1
        }

        mutating func receive(
            _ payload: [UInt8], _ index: Int64, _ ticks: Int64, marker: Bool = false
        ) {
            let meta = ItemMeta(
                ticks: ticks, arrival: now, length: payload.count,
                flags: marker ? .marker : [])
            assembler.receive(payload.raw, index, meta, at: now, into: &out)
        }

        mutating func wait(_ milliseconds: Int64) {
            now = now + .milliseconds(milliseconds)
            assembler.expire(at: now, into: &out)
        }
    }

    static let idr = PacketShaperTests.idr
    static let delta = PacketShaperTests.delta

    @Test func aFrameIsEmittedWithItsMarkerOrTheNextTimeStamp() throws {
        var receiver = try Receiver()
        receiver.send(Self.idr, 0, marker: true)
        #expect(receiver.out.frames.arrays == [PacketizerTests.units([Self.idr])])
        #expect(receiver.out.frames.items[0].meta.isKey)
        receiver.send(Self.delta, 3000)
        #expect(receiver.out.frames.count == 1)
        receiver.send(Self.delta, 6000)
        #expect(receiver.out.frames.count == 2)
        #expect(receiver.out.frames.items.map(\.meta.ticks) == [0, 3000])
    }

    @Test func beginsWithAKeyFrame() throws {
        var receiver = try Receiver()
        receiver.send(Self.delta, 0, marker: true)
        #expect(receiver.out.frames.isEmpty && receiver.out.wantsKeyframe)
        receiver.send(Self.idr, 3000, marker: true)
        #expect(receiver.out.frames.count == 1)
    }

    @Test func waitsForAMissingPacketAndPutsItInOrder() throws {
        var receiver = try Receiver()
        receiver.send(Self.idr, 0, marker: true)
        receiver.receive([0x7c, 0x01, 2], 65_532, 3000)
        receiver.receive([0x7c, 0x41, 3], 65_533, 3000, marker: true)
        #expect(receiver.out.frames.count == 1)
        #expect(receiver.assembler.deadline == .start + .milliseconds(150))
        receiver.receive([0x7c, 0x81, 1], 65_531, 3000)
        #expect(receiver.out.frames.arrays.last == PacketizerTests.units([[0x61, 1, 2, 3]]))
        #expect(receiver.out.dropped == 0)
    }

    @Test func dropsWhatLostAPieceAndGoesOn() throws {
        var receiver = try Receiver()
        receiver.send(Self.idr, 0, marker: true)
        receiver.receive([0x7c, 0x41, 3], 65_532, 3000, marker: true)
        receiver.receive([0x41, 0x9a, 9], 65_533, 6000, marker: true)
        receiver.wait(149)
        #expect(receiver.out.frames.count == 1)
        receiver.wait(1)
        #expect(receiver.out.dropped == 1 && receiver.out.wantsKeyframe)
        #expect(receiver.out.frames.items.map(\.meta.ticks) == [0, 6000])
    }

    @Test func waitsForAKeyFrameIfToldSo() throws {
        var receiver = try Receiver(answersNACK: false, onLoss: .waitKey)
        receiver.send(Self.idr, 0, marker: true)
        receiver.index += 1
        receiver.send(Self.delta, 3000, marker: true)
        receiver.wait(20)
        receiver.send(Self.delta, 6000, marker: true)
        receiver.send(Self.idr, 9000, marker: true)
        #expect(receiver.out.frames.items.map(\.meta.ticks) == [0, 9000])
    }

    /// rtsp.md 7: markers on parameter sets do not end the frame they belong to.
    @Test func aMarkerOnParameterSetsEndsNothing() throws {
        var receiver = try Receiver(PacketShaperTests.format(withSets: false))
        receiver.send(PacketShaperTests.sps, 0, marker: true)
        receiver.send(PacketShaperTests.pps, 0, marker: true)
        receiver.send(Self.idr, 0, marker: true)
        #expect(receiver.out.frames.arrays == [PacketizerTests.units([Self.idr])])
        #expect(receiver.out.formats.map(\.generation) == [1])
        #expect(receiver.out.frames.items[0].meta.formatGeneration == 1)
    }

    @Test func aFrameThatNeverEndsIsForgotten() throws {
        var receiver = try Receiver()
        receiver.send([0x7c, 0x85, 1], 0)
        #expect(receiver.assembler.deadline == .start + .seconds(2))
        receiver.wait(2000)
        #expect(receiver.out.dropped == 1)
        #expect(receiver.assembler.deadline == .distantFuture)
        for _ in 0..<2100 { receiver.send([0x7c, 0x05, 1], 3000) }
        receiver.send([0x7c, 0x45, 1], 3000, marker: true)
        #expect(receiver.out.frames.isEmpty && receiver.out.dropped == 2)
    }

    @Test func audioComesAtOnce() throws {
        var receiver = try Receiver(Format(codec: .opus, clockRate: 48_000))
        receiver.send([1, 2, 3], 960)
        receiver.index += 3
        receiver.send([4], 1920)
        receiver.wait(150)
        #expect(receiver.out.frames.arrays == [[1, 2, 3], [4]])
        #expect(receiver.out.frames.items.allSatisfy { $0.meta.isKey })
    }

    /// Several access units in one packet: each has its own time.
    @Test func aacUnitsHaveTheirTimes() throws {
        var receiver = try Receiver(Format(codec: .aac, clockRate: 48_000))
        receiver.send([0, 32, 0, 16, 0, 24, 1, 2, 3, 4, 5], 5000, marker: true)
        #expect(receiver.out.frames.arrays == [[1, 2], [3, 4, 5]])
        #expect(receiver.out.frames.items.map(\.meta.ticks) == [5000, 6024])
    }

    /// Streams of a real encoder: frames to packets, through repaired bad weather, and back.
    @Test(arguments: [
        ("h264-high-bframes.h264", NALCodec.h264), ("h264-baseline-slices.h264", .h264),
        ("h265-main.h265", .h265),
    ])
    func realStreamsComeBack(name: String, codec: NALCodec) throws {
        let stream = try Vector.bytes(name)
        var sets = ParameterSets(codec)
        for unit in AnnexBTests.units(stream) { sets.note(unit.raw) }
        let format = try #require(sets.format)
        let (_, frames) = AccessUnitTests.frames(of: stream, codec)
        var packetizer = try #require(Packetizer(format: format))
        var packets = ItemBatch()
        for (number, item) in frames.items.enumerated() {
            var meta = item.meta
            meta.ticks = Int64(number) * 3000
            packetizer.packetize(frames.bytes(of: number), meta, format: format, into: &packets)
        }
        var receiver = try Receiver(format)
        var random = SplitMix64(seed: 7)
        var order = Array(packets.items.indices.dropFirst())
        for start in stride(from: 0, to: order.count - 8, by: 8) {
            order[start..<start + 8].shuffle(using: &random)
        }
        for index in [0] + order {
            let meta = packets.items[index].meta
            receiver.receive(
                packets.array(of: index), Int64(index), meta.ticks,
                marker: meta.flags.contains(.marker))
        }
        #expect(receiver.out.frames.arrays == frames.arrays)
        #expect(receiver.out.dropped == 0 && receiver.out.formats.isEmpty)
        let times = receiver.out.frames.items.map(\.meta.ticks)
        #expect(times == times.sorted())
    }

    /// Attack R11 and R12: whatever comes, in whatever order, no trap and no growth.
    @Test(
        arguments: [Codec.h264, .h265, .vp8, .vp9, .av1, .aac, .mp3, .mjpeg], 0..<8 as Range<UInt64>
    )
    func survivesDamage(codec: Codec, seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let format = Format(codec: codec, clockRate: 90_000)
        var packets = ItemBatch()
        if var packetizer = Packetizer(format: format) {
            let frame = PacketShaperTests.frame(codec, isKey: true)
            let meta = PacketizerTests.meta(.key)
            packetizer.packetize(frame.raw, meta, format: format, into: &packets)
        } else {
            let head: [UInt8] =
                codec == .mjpeg ? [0, 0, 0, 0, 1, 50, 4, 4] : [0, 0, 0, 0, 0xff, 0xfb]
            packets.append(
                (head + [UInt8](repeating: 0x90, count: 600)).raw, PacketizerTests.meta())
        }
        var receiver = try Receiver(format)
        var shaper = PacketShaper(format: format, numbering: .own)
        var shaped = ShapedPackets()
        for step: Int64 in 0..<400 {
            var bytes = packets.array(of: Int(step) % packets.count)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            let index = step + Int64.random(in: -5000...5, using: &random) / 4990 * 2500
            let ticks = Int64.random(in: 0...9, using: &random) == 0 ? .max - step : step / 3
            let marker = Bool.random(using: &random)
            receiver.receive(bytes, index, ticks, marker: marker)
            let meta = ItemMeta(
                ticks: ticks, arrival: .start, length: 0, flags: marker ? .marker : [])
            shaper.shape(bytes.raw, index, meta, into: &shaped)
            if step % 50 == 0 { receiver.wait(40) }
        }
        let numbers = (0..<shaped.indices.count).map { Int64($0) + 1 }
        #expect(shaped.indices == numbers)
        #expect(shaped.batch.items.allSatisfy { $0.meta.length <= 1338 || codec != .h264 })
        #expect(receiver.out.frames.count <= 3000)
    }
}
