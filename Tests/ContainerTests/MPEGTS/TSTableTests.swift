import Codecs
import Containers
import Media
import Stream
import Testing
import Wire

/// What the tables say, and what they say next.
struct TSTableTests {
    private func elements(
        _ streams: [(type: UInt8, pid: Int, descriptors: [UInt8])]
    ) throws -> [TSElement] {
        var scene = TSScene()
        try scene.take(TSMaker.association + TSMaker.map([(0x1b, 0x1fe, [])] + streams))
        return Array(scene.intake.elements.dropFirst())
    }

    static func registration(_ name: String) -> [UInt8] { [5, 4] + Array(name.utf8) }

    @Test func everyKindOfStreamIsNamed() throws {
        let known = try elements([
            (0x24, 0x101, []), (0x0f, 0x102, []), (0x11, 0x103, []), (0x03, 0x104, []),
            (0x81, 0x105, []), (0x87, 0x106, []), (0x90, 0x107, []),
            (0x06, 0x108, Self.registration("Opus") + [0x7f, 2, 0x80, 1]),
            (0x06, 0x109, [0x6a, 1, 0]), (0x06, 0x10a, [0x7a, 1, 0]),
        ])
        #expect(
            known.map(\.codec) == [
                .h265, .aac, .aac, .mp3, .ac3, .eac3, .pcma, .opus, .ac3, .eac3,
            ])
        #expect(known[2].isLATM && known[7].channels == 1)
        let others = try elements([
            (0x06, 0x101, Self.registration("KLVA")), (0x15, 0x102, Self.registration("KLVA")),
            (0x86, 0x103, []), (0x06, 0x104, [0x56, 0]), (0x06, 0x105, [0x59, 0]),
            (0x02, 0x106, []),
            (0x06, 0x107, Self.registration("AV01")), (0x33, 0x108, []), (0xea, 0x109, []),
        ])
        #expect(others.allSatisfy { $0.codec == nil })
        #expect(
            others.map(\.name) == [
                "KLV", "KLV", "SCTE-35", "teletext", "subtitles", "MPEG-2 video", "AV1", "H.266",
                "stream type 234",
            ])
    }

    @Test func aStreamOfWhichNothingCanBePlayedIsRefusedByName() throws {
        var scene = TSScene()
        let refusal = #expect(throws: Refusal.self) { try scene.take(TSScene.file("mpeg2")) }
        #expect(refusal?.code == .unsupportedCodec)
        #expect(refusal?.sentence.contains("MPEG-2 video") == true)
    }

    @Test func aTableWithAWrongChecksumChangesNothing() throws {
        var scene = TSScene()
        var map = TSMaker.map([(0x1b, 0x100, [])])
        map[20] ^= 1
        try scene.take(TSMaker.association + map)
        #expect(scene.intake.elements.isEmpty && scene.intake.figures.damaged == 1)
        try scene.take(TSMaker.map([(0x1b, 0x100, [])], continuity: 1))
        #expect(scene.intake.elements.count == 1)
    }

    @Test func ofSeveralProgramsTheFirstOrTheOneThatIsAskedForIsTaken() throws {
        let association = TSMaker.table(
            [0, 0xb0, 21, 0, 1, 0xc1, 0, 0]
                + [0, 0, 0xe0, 0x10, 0, 7, 0xf0, 0x10, 0, 1, 0xf0, 0], pid: 0)
        let map = TSMaker.map([(0x1b, 0x100, [])])
        var first = TSScene()
        try first.take(association + map)
        #expect(first.intake.elements.isEmpty, "program 7 comes first, and its map did not come")
        var wanted = TSScene()
        wanted.intake = TSIntake(channel: 1, program: 1)
        try wanted.take(association + map)
        #expect(wanted.intake.elements.count == 1)
    }

    @Test func aTableOverTwoPacketsIsPutTogether() throws {
        // Descriptors of 200 bytes: the section does not fit into one packet.
        let filler: [UInt8] = [0x80, 198] + [UInt8](repeating: 1, count: 198)
        var body: [UInt8] = [0xe1, 0, 0xf0, 0, 0x1b, 0xe1, 0x00, 0xf0, 200] + filler
        body = [2, 0xb0, UInt8(body.count + 9), 0, 1, 0xc1, 0, 0] + body
        let sum = MPEGCheck.remainder(body[...])
        for shift: UInt32 in [24, 16, 8, 0] {
            body.append(UInt8(truncatingIfNeeded: sum >> shift))
        }
        let first = [0x47, 0x50, 0, 0x10, 0] + body[..<183]
        let second = [0x47, 0x10, 0, 0x11] + body[183...]
        var scene = TSScene()
        try scene.take(
            TSMaker.association + first + second
                + [UInt8](repeating: 0xff, count: 188 - second.count))
        #expect(scene.intake.elements.map(\.codec) == [.h264])
    }

    @Test func anotherCodecInTheSamePlaceIsAnnounced() throws {
        var scene = TSScene()
        var one = try TSMaker([TSMaker.h264()])
        one.writeSeconds(1)
        try scene.take(one.bytes)
        let h265 = TSScene.file("h265-mp2")
        try scene.take(h265)
        #expect(scene.announced.map(\.codec) == [.h264, .mp2])
        #expect(scene.formats.map(\.codec) == [.h265])
        let metas = scene.metas(.video)
        #expect(metas.count > 60)
        #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks > $0.ticks })
    }

    @Test func aStreamThatNobodyCarriesDoesNotDisturbTheOthers() throws {
        var scene = TSScene()
        let map = TSMaker.map([
            (0x1b, 0x100, []), (0x06, 0x1f0, Self.registration("KLVA")), (0x0f, 0x101, []),
        ])
        var maker = try TSMaker()
        maker.writeSeconds(1)
        // Its own tables are left out.
        let own = Set(
            TSMaker.packets(of: 0, in: maker.bytes) + TSMaker.packets(of: 0x1000, in: maker.bytes))
        var bytes = TSMaker.association + map
        for start in stride(from: 0, to: maker.bytes.count, by: 188) where !own.contains(start) {
            bytes += maker.bytes[start..<start + 188]
            bytes += [0x47, 0x41, 0xf0, 0x10] + [UInt8](repeating: 0x55, count: 184)
            bytes += [0x47, 0x1f, 0xff, 0x10] + [UInt8](repeating: 0, count: 184)
        }
        try scene.take(bytes)
        #expect(scene.metas(.video).count >= 24 && scene.metas(.audio).count > 40)
    }
}
