import Codecs
import Demo
import Foundation
import Media
import Stream
import Testing
import Wire

/// The files in `demo/`, as `scripts/make-demo` made them.
enum DemoFiles {
    static func bytes(_ name: String) throws -> [UInt8] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return [UInt8](try Data(contentsOf: root.appending(path: "demo/\(name)")))
    }

    static func ivf(_ bytes: [UInt8]) throws -> DemoTrack { try DemoTrack(ivf: bytes.raw) }
    static func ogg(_ bytes: [UInt8]) throws -> DemoTrack { try DemoTrack(ogg: bytes.raw) }

    static func vp8() throws -> DemoTrack { try ivf(bytes("demo-vp8.ivf")) }
    static func opus() throws -> DemoTrack { try ogg(bytes("demo-opus.ogg")) }
    static func h264() throws -> DemoTrack {
        let bytes = try bytes("demo-h264.h264")
        return try DemoTrack(h264: bytes.raw, framesPerSecond: 25)
    }
}

struct DemoFilesTests {
    @Test func theyFitIntoAMegabyteTogether() throws {
        var count = 0
        for name in ["demo-vp8.ivf", "demo-h264.h264", "demo-opus.ogg"] {
            count += try DemoFiles.bytes(name).count
        }
        #expect(count <= 1 << 20)
    }

    @Test func vp8IsTenSecondsWithAKeyFrameEveryTwo() throws {
        let track = try DemoFiles.vp8()
        #expect(track.slot == .video)
        #expect(track.format.codec == .vp8)
        #expect(track.format.width == 640 && track.format.height == 360)
        expectVideoLoop(track)
    }

    @Test func h264IsConstrainedBaselineWithoutReordering() throws {
        let track = try DemoFiles.h264()
        #expect(track.format.width == 640 && track.format.height == 360)
        // profile_idc 66, constraint_set0 and 1, level 3.1.
        #expect(track.format.profile == 0x42c01f)
        #expect(!track.format.mayHaveBFrames)
        #expect(track.format.parameterSets.count == 2)
        #expect(track.frames.items.allSatisfy { !$0.meta.flags.contains(.bidirectional) })
        expectVideoLoop(track)
    }

    @Test func opusIsTenSecondsOfTwentyMilliseconds() throws {
        let track = try DemoFiles.opus()
        #expect(track.slot == .audio)
        #expect(track.format.codec == .opus && track.format.channels == 2)
        #expect(track.period == 480_000)
        #expect(track.frames.items.map(\.meta.ticks) == (0..<500).map { Int64($0) * 960 })
    }

    private func expectVideoLoop(_ track: DemoTrack) {
        #expect(track.period == 900_000)
        #expect(track.frames.items.map(\.meta.ticks) == (0..<250).map { Int64($0) * 3600 })
        let keys = track.frames.items.indices.filter { track.frames.items[$0].meta.isKey }
        #expect(keys == [0, 50, 100, 150, 200])
    }

    // MARK: Damage

    @Test func everyTruncationIsRefusedOrShorter() throws {
        let ivf = try DemoFiles.bytes("demo-vp8.ivf")
        let ogg = try DemoFiles.bytes("demo-opus.ogg")
        for count in 0..<3000 {
            #expect(throws: ParseError.self) { try DemoFiles.ivf(Array(ivf.prefix(count))) }
            #expect(throws: ParseError.self) { try DemoFiles.ogg(Array(ogg.prefix(count))) }
        }
    }

    @Test func aDamagedPageIsNoticed() throws {
        var ogg = try DemoFiles.bytes("demo-opus.ogg")
        ogg[1000] ^= 1
        #expect(throws: ParseError.self) { try DemoFiles.ogg(ogg) }
    }

    @Test func pagesOfAnotherStreamAreRefused() throws {
        let ogg = try DemoFiles.bytes("demo-opus.ogg")
        // The first page again: same stream, wrong number.
        let first = Array(ogg.prefix(47))
        #expect(throws: ParseError.self) { try DemoFiles.ogg(first + ogg) }
    }

    @Test func aLoopBeginsWithAKeyFrame() throws {
        let ivf = try DemoFiles.bytes("demo-vp8.ivf")
        var reader = ByteReader(ivf.raw)
        try reader.skip(32)
        let size = Int(try reader.read(UInt32.self).byteSwapped)
        let rest = Array(ivf.prefix(32)) + Array(ivf.dropFirst(32 + 12 + size))
        #expect(throws: ParseError.self) { try DemoFiles.ivf(rest) }
    }

    @Test(arguments: [0, 1, 0xffff_ffff] as [UInt32])
    func frameSizesAreNotBelieved(size: UInt32) throws {
        var ivf = try DemoFiles.bytes("demo-vp8.ivf")
        for byte in 0..<4 {
            ivf[32 + byte] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(byte)))
        }
        #expect(throws: ParseError.self) { try DemoFiles.ivf(ivf) }
    }

    @Test func noTimeBaseOverflows() throws {
        var ivf = try DemoFiles.bytes("demo-vp8.ivf")
        for place in 16..<24 { ivf[place] = 0xff }
        #expect(throws: ParseError.self) { try DemoFiles.ivf(ivf) }
        for place in 16..<24 { ivf[place] = 0 }
        #expect(throws: ParseError.self) { try DemoFiles.ivf(ivf) }
    }
}
