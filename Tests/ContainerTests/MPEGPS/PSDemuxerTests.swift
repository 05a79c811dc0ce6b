import Containers
import Testing
import Wire

/// The container by itself, with the vectors of the standard's fields.
struct PSDemuxerTests {
    static let pack: [UInt8] = [
        0, 0, 1, 0xba, 0x44, 0, 0x16, 0xfc, 0x84, 1, 3, 0x0d, 0x43, 0xf8,
    ]
    static let system: [UInt8] = [
        0, 0, 1, 0xbb, 0, 0x0c, 0x81, 0x86, 0xa1, 5, 0xe1, 0x7f, 0xe0, 0xe1, 0x90, 0xc0, 0xc0, 0x20,
    ]
    static let map: [UInt8] = [
        0, 0, 1, 0xbc, 0, 0x12, 0xe1, 0xff, 0, 0, 0, 8, 0x1b, 0xe0, 0, 0, 0x90, 0xc0, 0, 0, 0xb9,
        0x28,
        0x7f, 0x16,
    ]
    static let other: [UInt8] = [
        0, 0, 1, 0xbc, 0, 0x12, 0xe1, 0xff, 0, 0, 0, 8, 0x24, 0xe0, 0, 0, 0x0f, 0xc0, 0, 0, 0xad,
        0x32,
        0x2a, 0xdc,
    ]
    static let empty: [UInt8] = [0, 0, 1, 0xe0, 0, 8, 0x84, 0x80, 5, 0x21, 0, 5, 0xbf, 0x21]

    /// Pieces with their bytes, neighbours joined: the same however the input is cut.
    private func pieces(_ payloads: [[UInt8]]) -> [String] {
        var demuxer = PSDemuxer()
        var words: [String] = []
        var data: (UInt8, [UInt8])?
        for payload in payloads {
            var pieces: [PSPiece] = []
            demuxer.receive(payload.raw, into: &pieces)
            for piece in pieces {
                if case .data(let stream, let range) = piece {
                    data = (stream, (data?.1 ?? []) + demuxer.bytes[range])
                    continue
                }
                if let (stream, bytes) = data { words.append("data \(stream) \(bytes)") }
                data = nil
                switch piece {
                case .pack: words.append("pack")
                case .map(let map): words.append("map \(map.entries.map(\.name))")
                case .begin(let head):
                    words.append("begin \(head.streamID) \(head.stamp?.presentation ?? 0)")
                case .end(let stream): words.append("end \(stream)")
                case .cut(let stream): words.append("cut \(stream)")
                case .data: break
                }
            }
        }
        return words
    }

    @Test func theVectorsAreRead() {
        #expect(
            pieces([Self.pack + Self.system + Self.map + Self.empty]) == [
                "pack", "map [\"H.264\", \"G.711 A-law\"]", "begin 224 90000", "end 224",
            ])
        #expect(pieces([Self.pack + Self.other]) == ["pack", "map [\"H.265\", \"AAC\"]"])
    }

    @Test func whereItIsCutDoesNotMatter() {
        let camera = CameraStream()
        var whole = Self.pack + Self.system + Self.map
        whole += camera.pes(0xe0, [0, 0, 0, 1, 0x67, 1, 2, 3], 1234)
        whole += camera.pes(0xc0, [9, 8, 7], 99)
        whole += Self.pack + camera.pes(0xe0, [0, 0, 1, 0x41, 5], 7, isUnbounded: true) + Self.pack
        let expected = pieces([whole])
        for cut in 1..<whole.count {
            // A payload that begins with a pack header is the only place that means something.
            #expect(
                pieces([Array(whole[..<cut]), Array(whole[cut...])]) == expected, "cut at \(cut)")
        }
        #expect(pieces(whole.map { [$0] }) == expected)
    }

    @Test func aLengthDoesNotSwallowTheNextPack() {
        let camera = CameraStream()
        var lying = camera.pes(0xe0, [1, 2, 3, 4], 5)
        lying[4] = 0x40
        #expect(
            pieces([Self.pack + lying, Self.pack]) == [
                "pack", "begin 224 5", "data 224 [1, 2, 3, 4]", "cut 224", "pack",
            ])
    }

    @Test func afterALossOnlyATrustedPlaceCounts() {
        let camera = CameraStream()
        var demuxer = PSDemuxer()
        var pieces: [PSPiece] = []
        let audio = camera.pes(0xc0, [1, 2], nil)
        demuxer.receive(([7, 7] + audio + Self.pack + audio).raw, into: &pieces)
        #expect(pieces.first == .pack)
        #expect(pieces.count == 4)
    }

    @Test func headersOfTheFirstFormAreRead() throws {
        // ISO/IEC 11172-1: stuffing, a buffer size, a time.
        let old: [UInt8] = [
            0, 0, 1, 0xe0, 0, 12, 0xff, 0x60, 0x20, 0x21, 0, 5, 0xbf, 0x21, 1, 2, 3, 4, 5, 6, 7, 8,
        ]
        let read = PSPacketHead.read(old.raw)
        let head = try #require(read)
        #expect(head.stamp == PSStamp(presentation: 90_000))
        #expect(head.count == 14 && head.payloadCount == 4)
    }

    @Test func aMapWithLengthsThatContradictEachOtherIsRead() throws {
        // The program information claims more than there is.
        var body = Array(Self.map[6...])
        body[2] = 0x7f
        var read = try PSProgramMap(body.raw)
        #expect(!read.entries.isEmpty)
        body[2] = 0
        body[5] = 0xff
        read = try PSProgramMap(body.raw)
        #expect(read.entries.count == 2)
    }
}
