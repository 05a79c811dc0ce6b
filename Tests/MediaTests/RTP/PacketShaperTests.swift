import Media
import RTP
import Testing
import Wire

/// What cameras send, and what viewers get of it.
struct PacketShaperTests {
    static let sps: [UInt8] = H264Tests.baseline
    static let pps: [UInt8] = H264Tests.picture
    static let idr: [UInt8] = [0x65, 0x88, 1, 2, 3, 4]
    static let delta: [UInt8] = [0x41, 0x9a, 1, 2, 3, 4]
    static let nonReferenceB: [UInt8] = [0x01, 0xa8, 1, 2, 3, 4]
    static let setsAggregate = aggregate([sps, pps])

    static func aggregate(_ units: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = [0x78]
        for unit in units {
            bytes += [0, UInt8(unit.count)]
            bytes += unit
        }
        return bytes
    }

    static func format(withSets: Bool = true) -> Format {
        var format = Format(codec: .h264, clockRate: 90_000)
        if withSets { format.parameterSets = [sps, pps] }
        return format
    }

    /// Hands packets to a shaper; `nil` is one that was lost.
    struct Camera {
        var shaper: PacketShaper
        var out = ShapedPackets()
        var index: Int64 = 100

        init(
            _ format: Format = PacketShaperTests.format(),
            numbering: PacketShaper.Numbering = .own, bFrames: BFramePolicy = .keep,
            onLoss: PacketShaper.LossPolicy = .proceed
        ) {
            shaper = PacketShaper(
                format: format, numbering: numbering, bFrames: bFrames, onLoss: onLoss)
        }

        mutating func send(_ payload: [UInt8]?, _ ticks: Int64, marker: Bool = false) {
            defer { index += 1 }
            guard let payload else { return }
            let meta = ItemMeta(
                ticks: ticks, arrival: .start, length: payload.count,
                flags: marker ? .marker : [])
            shaper.shape(payload.raw, index, meta, into: &out)
        }

        var payloads: [[UInt8]] { out.batch.arrays }
        var marks: String {
            out.batch.items.map { item in
                (item.meta.startsFrame ? "[" : "") + (item.meta.isKey ? "k" : "p")
                    + (item.meta.flags.contains(.marker) ? "]" : "")
            }.joined()
        }
    }

    @Test func putsTheSetsBeforeAKeyFrameThatCameWithout() {
        var camera = Camera()
        camera.send(Self.idr, 1000, marker: true)
        camera.send(Self.delta, 4000, marker: true)
        #expect(camera.payloads == [Self.setsAggregate, Self.idr, Self.delta])
        #expect(camera.marks == "[kk][p]")
        #expect(camera.out.indices == [1, 2, 3])
        #expect(camera.out.formats.isEmpty)
    }

    /// rtsp.md 7: markers on SPS, PPS and SEI are bogus (Tapo TC70, Reolink Duo 2).
    @Test func aMarkerOnParameterSetsEndsNothing() {
        var camera = Camera(Self.format(withSets: false))
        camera.send(Self.sps, 1000, marker: true)
        camera.send(Self.pps, 1000, marker: true)
        camera.send([6, 5, 1, 7, 0x80], 1000, marker: true)
        camera.send(Self.idr, 1000, marker: true)
        #expect(camera.payloads == [Self.setsAggregate, [6, 5, 1, 7, 0x80], Self.idr])
        #expect(camera.marks == "[kkk]")
        #expect(camera.out.formats.map(\.generation) == [1])
        #expect(camera.out.formats.first?.width ?? 0 > 0)
        #expect(camera.out.batch.items.allSatisfy { $0.meta.formatGeneration == 1 })
    }

    /// rtsp.md 7: SPS, PPS and IDR in one packet with start codes between them.
    @Test(arguments: [false, true])
    func splitsStartCodesInsideAPacket(startsWithOne: Bool) {
        let code: [UInt8] = [0, 0, 0, 1]
        var camera = Camera(Self.format(withSets: false))
        camera.send(
            (startsWithOne ? code : []) + Self.sps + code + Self.pps + code + Self.idr, 1000,
            marker: true)
        #expect(camera.payloads == [Self.setsAggregate, Self.idr])
        #expect(camera.marks == "[kk]")
    }

    @Test func delimitersAndFillerLeaveButTheirMarkersStay() {
        var camera = Camera()
        camera.send([9, 0xf0], 1000)
        camera.send(Self.idr, 1000)
        camera.send([12, 0xff, 0x80], 1000, marker: true)
        #expect(camera.payloads == [Self.setsAggregate, Self.idr])
        #expect(camera.marks == "[kk]")
        // The slice has left before the filler comes: the marker needs a packet.
        camera.out.clear()
        camera.send(Self.delta, 2000)
        camera.out.clear()
        camera.send([9, 0xf0], 2000, marker: true)
        #expect(camera.payloads == [[12, 0xff, 0x80]])
        #expect(camera.marks == "p]")
        #expect(camera.out.indices == [4])
    }

    @Test func splitsWhatIsTooLarge() throws {
        var camera = Camera()
        let large = Self.delta + [UInt8](repeating: 7, count: 3000)
        camera.send(large, 1000, marker: true)
        #expect(camera.out.batch.items.map(\.meta.length) == [1004, 1004, 1003])
        #expect(camera.marks == "[ppp]")

        camera.out.clear()
        camera.send([0x7c, 0x81] + [UInt8](repeating: 7, count: 2000), 2000)
        camera.send([0x7c, 0x01] + [UInt8](repeating: 8, count: 1200), 2000)
        camera.send([0x7c, 0x41] + [UInt8](repeating: 9, count: 2000), 2000, marker: true)
        #expect(camera.payloads.map(\.count) == [1002, 1002, 1202, 1002, 1002])
        #expect(camera.payloads.map { $0[1] } == [0x81, 0x01, 0x01, 0x01, 0x41])
        #expect(camera.marks == "[ppppp]")
        #expect(camera.out.indices == [4, 5, 6, 7, 8])
    }

    /// OpenIPC: a fragment that is all of its unit.
    @Test func aFragmentThatStartsAndEndsIsAUnit() {
        var camera = Camera()
        camera.send([0x5c, 0xc1] + Self.delta.dropFirst(), 1000, marker: true)
        #expect(camera.payloads == [Self.delta])
    }

    @Test func leavesOutBFramesAndClosesTheNumbers() {
        var camera = Camera(bFrames: .drop)
        camera.send(Self.idr, 1000, marker: true)
        for ticks: Int64 in [2000, 3000] { camera.send(Self.nonReferenceB, ticks, marker: true) }
        camera.send(Self.delta, 4000, marker: true)
        #expect(camera.payloads == [Self.setsAggregate, Self.idr, Self.delta])
        #expect(camera.out.indices == [1, 2, 3])
        #expect(camera.out.dropped == 2 && !camera.out.refusesBFrames)

        var refusing = Camera(bFrames: .refuse)
        refusing.send(Self.nonReferenceB, 1000, marker: true)
        #expect(refusing.out.refusesBFrames && refusing.payloads.isEmpty)
        var keeping = Camera()
        keeping.send(Self.nonReferenceB, 1000, marker: true)
        #expect(
            keeping.out.batch.items[0].meta.flags.isSuperset(of: [.discardable, .bidirectional]))
    }

    /// A browser shows a frame only with its marker, and takes the next one only behind it.
    @Test func aBrokenFrameIsClosedAndTheRestGoesOn() {
        var camera = Camera()
        camera.send([0x7c, 0x85, 0x88, 1], 1000)
        camera.out.clear()
        camera.send(nil, 1000)
        camera.send([0x7c, 0x05, 3], 1000)
        camera.send([0x7c, 0x45, 4], 1000, marker: true)
        camera.send(Self.delta, 2000, marker: true)
        #expect(camera.payloads == [[12, 0xff, 0x80], Self.delta])
        #expect(camera.marks == "k][p]")
        #expect(camera.out.indices == [3, 4])
        #expect(camera.out.wantsKeyframe)
    }

    @Test func aFrameWhoseBeginningIsLostDoesNotGoOut() {
        var camera = Camera()
        camera.send(Self.idr, 1000, marker: true)
        camera.send(nil, 2000)
        camera.send([0x7c, 0x41, 4], 2000, marker: true)
        camera.send([0x41, 0x20, 1, 2, 3], 3000, marker: true)
        #expect(camera.payloads == [Self.setsAggregate, Self.idr, [0x41, 0x20, 1, 2, 3]])
        #expect(camera.marks == "[kk][p]")
    }

    @Test func waitsForAKeyFrameIfToldSo() {
        var camera = Camera(onLoss: .waitKey)
        camera.send(Self.idr, 1000, marker: true)
        camera.send(nil, 2000)
        for ticks: Int64 in [3000, 4000] { camera.send(Self.delta, ticks, marker: true) }
        camera.send(Self.idr, 5000, marker: true)
        #expect(camera.marks == "[kk][kk]")
    }

    /// FLIR M400 sets no markers: the next time stamp ends a frame, until its slices are counted.
    @Test func learnsWhereFramesEndWithoutMarkers() {
        var camera = Camera()
        for frame: Int64 in 0..<9 {
            camera.out.clear()
            camera.send(Self.delta, frame * 3000)
        }
        #expect(camera.payloads == [[12, 0xff, 0x80], Self.delta])
        #expect(camera.marks == "p][p]")
        camera.out.clear()
        camera.send(Self.delta, 27_000)
        #expect(camera.marks == "[p]")
    }

    @Test func latePacketsAreCountedAndGone() {
        var camera = Camera()
        camera.send(Self.delta, 1000, marker: true)
        camera.index -= 1
        camera.send(Self.delta, 1000, marker: true)
        #expect(camera.out.late == 1 && camera.payloads.count == 1)
    }

    @Test func aNewParameterSetIsANewFormat() {
        var camera = Camera()
        camera.send(Self.idr, 1000, marker: true)
        let (sps, pps) = (H264Tests.high, H264Tests.picture)
        camera.send(sps, 2000)
        camera.send(pps, 2000)
        camera.send(Self.idr, 2000, marker: true)
        #expect(camera.out.formats.map(\.generation) == [1])
        #expect(camera.shaper.format.parameterSets == [sps, pps])
        #expect(camera.out.batch.items.map(\.meta.formatGeneration) == [0, 0, 1, 1])
    }

    /// WHIP: nothing is changed, nothing is renumbered, holes stay open.
    @Test(arguments: [Codec.h264, .h265, .vp8, .vp9, .av1, .opus])
    func identityOnlyLooks(codec: Codec) throws {
        var format = Format(codec: codec, clockRate: 90_000)
        if codec == .h264 { format.parameterSets = [Self.sps, Self.pps] }
        var packetizer = try #require(Packetizer(format: format))
        var camera = Camera(format, numbering: .publisher)
        for frame in 0..<4 {
            var packets = ItemBatch()
            let isKey = frame % 3 == 0
            let bytes = Self.frame(codec, isKey: isKey)
            let meta = PacketizerTests.meta(isKey ? .key : [], ticks: Int64(frame) * 3000)
            packetizer.packetize(bytes.raw, meta, format: format, into: &packets)
            camera.out.clear()
            let first = camera.index
            for (index, item) in packets.items.enumerated() {
                camera.send(
                    packets.array(of: index), item.meta.ticks,
                    marker: item.meta.flags.contains(.marker))
            }
            #expect(camera.payloads == packets.arrays)
            #expect(camera.out.indices == Array(first..<camera.index))
            #expect(camera.out.batch.items.map(\.meta.flags) == packets.items.map(\.meta.flags))
            camera.send(nil, 0)  // A hole.
        }
    }

    static func frame(_ codec: Codec, isKey: Bool) -> [UInt8] {
        let body = [UInt8](repeating: 0x5a, count: 3000)
        switch codec {
        case .h264: return PacketizerTests.units([(isKey ? idr : delta) + body])
        case .h265: return PacketizerTests.units([[isKey ? 38 : 2, 1, 0xff] + body])
        case .vp8: return [isKey ? 0 : 1] + body
        case .av1:
            return (isKey ? [0x0a, 2, 1, 1] : []) + [0x32, 0xb8, 0x17] + body
        default: return codec == .opus ? [1, 2, 3] : body
        }
    }
}
