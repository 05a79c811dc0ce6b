import CAllocationCount
import Media
import RTP
import Simulation
import Testing
import Wire

/// The packet path allocates nothing once it is warm. Counted for this thread, so that tests beside
/// this one do not matter; in release only: without the optimiser an option set is an array.
@Suite(.enabled(if: Build.isOptimised, "counts mean something in release only"))
struct AllocationTests {
    /// Twice the same work: the first time memory grows, the second time it may not.
    static func allocations(_ work: () -> Void) -> UInt64 {
        for _ in 0..<3 { work() }
        let before = allocation_count_thread()
        work()
        return allocation_count_thread() - before
    }

    @Test func readingAndWritingHeaders() throws {
        let map = RTPExtensionsTests.map
        let bytes = try RTPExtensionsTests().packet(twoByte: false)
        var window = [UInt8](repeating: 0, count: 1500)
        var sum = 0
        let count = Self.allocations {
            for number: UInt16 in 0..<100 {
                guard let header = try? RTPHeader(bytes.raw),
                    let extensions = try? RTPExtensions(header, of: bytes.raw, by: map)
                else { continue }
                sum += Int(extensions.transportSequence ?? 0)
                var span = window.mutableSpan
                var out = ByteWriter(unsafe span.mutableBytes)
                var writer = RTPHeaderWriter(
                    payloadType: 96, marker: true, sequence: number, timestamp: 1, ssrc: 2,
                    into: &out)
                writer.write(id: 3, uint16: number, into: &out)
                sum += writer.finish(into: &out)
            }
        }
        #expect(count == 0 && sum > 0)
    }

    static func packets(_ codec: Codec) throws -> ItemBatch {
        let format = Format(codec: codec, clockRate: 90_000)
        var packetizer = try #require(Packetizer(format: format))
        var packets = ItemBatch()
        for number in 0..<30 {
            let frame = PacketShaperTests.frame(codec, isKey: number == 0)
            let meta = PacketizerTests.meta(number == 0 ? .key : [], ticks: Int64(number) * 3000)
            packetizer.packetize(frame.raw, meta, format: format, into: &packets)
        }
        return packets
    }

    @Test(arguments: [
        (Codec.h264, PacketShaper.Numbering.publisher), (.h264, .own), (.vp8, .publisher),
        (.vp9, .publisher), (.av1, .publisher),
    ])
    func shaping(codec: Codec, numbering: PacketShaper.Numbering) throws {
        let packets = try Self.packets(codec)
        var shaper = PacketShaper(
            format: Format(codec: codec, clockRate: 90_000), numbering: numbering)
        var out = ShapedPackets()
        var index: Int64 = 0
        var base: Int64 = 0
        var shaped = 0
        let count = Self.allocations {
            out.clear()
            for number in 0..<packets.count {
                var meta = packets.items[number].meta
                meta.ticks += base
                shaper.shape(packets.bytes(of: number), index, meta, into: &out)
                index += 1
            }
            base += 90_000
            shaped += out.batch.count
        }
        #expect(count == 0)
        #expect(shaped >= packets.count * 4)
    }

    @Test(arguments: [Codec.h264, .h265, .vp8, .vp9, .av1, .aac, .opus, .pcma])
    func packetizing(codec: Codec) throws {
        var format = Format(codec: codec, clockRate: 90_000)
        if codec == .h264 { format.parameterSets = [PacketShaperTests.sps, PacketShaperTests.pps] }
        var packetizer = try #require(Packetizer(format: format))
        let frame = PacketShaperTests.frame(codec, isKey: true)
        var out = ItemBatch()
        let count = Self.allocations {
            out.clear()
            for _ in 0..<30 {
                packetizer.packetize(
                    frame.raw, PacketizerTests.meta(.key), format: format, into: &out)
            }
        }
        #expect(count == 0)
        #expect(out.count >= 30)
    }

    @Test func receiving() {
        var nack = NackRequester()
        var recorder = TWCCRecorder()
        var statistics = ReceiverStatistics(clockRate: 90_000)
        var index: Int64 = 0
        var window = [UInt8](repeating: 0, count: 1500)
        let count = Self.allocations {
            for _ in 0..<100 {
                let now = Instant.start + .milliseconds(index)
                index += index % 10 == 0 ? 2 : 1
                nack.receive(index, at: now)
                recorder.receive(UInt16(truncatingIfNeeded: index), at: now)
                statistics.receive(index, ticks: index * 90, at: now)
                while nack.poll(at: now) != nil {}
            }
            var span = window.mutableSpan
            var out = ByteWriter(unsafe span.mutableBytes)
            _ = recorder.write(from: 1, media: 2, at: .start, into: &out)
        }
        #expect(count == 0)
    }

    @Test func assembling() throws {
        let packets = try Self.packets(.h264)
        var receiver = try FrameAssemblerTests.Receiver()
        var base: Int64 = 0
        let count = Self.allocations {
            receiver.out.clear()
            for number in 0..<packets.count {
                var meta = packets.items[number].meta
                meta.ticks += base
                receiver.assembler.receive(
                    packets.bytes(of: number), receiver.index, meta, at: .start,
                    into: &receiver.out)
                receiver.index += 1
            }
            base += 90_000
        }
        #expect(count == 0)
        #expect(receiver.out.frames.count == 30)
    }
}
