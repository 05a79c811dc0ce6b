import Codecs
import Containers
import Media
import Stream
import Testing
import Wire

/// From a transport stream to frames on the timeline (brief of SRT and MPEG-TS, 3).
struct TSIntakeTests {
    @Test func whatTheMuxerWritesIsReadAsItWas() throws {
        var maker = try TSMaker()
        maker.writeSeconds(2)
        var scene = TSScene()
        try scene.take(maker.bytes)
        #expect(Set(scene.announced.map(\.codec)) == [.h264, .aac])
        let announced = scene.announced.first { $0.codec == .h264 }
        #expect(announced?.parameterSets == [TSMaker.sps, TSMaker.pps])
        let pictures = scene.frames(.video)
        #expect(pictures.count >= 49)
        for (number, picture) in pictures.enumerated() {
            let isKey = number % 25 == 0
            let expected = TSMaker.picture(
                isKey ? 2000 : 500, key: isKey, seed: UInt8(number & 63))
            #expect(picture == expected, "picture \(number)")
        }
        let metas = scene.metas(.video)
        #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks - $0.ticks == 3600 })
        let sound = scene.metas(.audio)
        #expect(zip(sound, sound.dropFirst()).allSatisfy { $1.ticks - $0.ticks == 1024 })
        #expect(scene.effects.list.contains(.tracksComplete(1)))
        #expect(scene.intake.figures.gaps == 0 && scene.intake.figures.broken == 0)
    }

    struct File: CustomTestStringConvertible, Sendable {
        var name: String
        var codecs: [Codec]
        var pictures = 0
        var sounds: Int
        var step: Int64
        var testDescription: String { name }
    }

    static let files = [
        File(
            name: "h264-bframes-aac", codecs: [.h264, .aac], pictures: 49, sounds: 88, step: 1024),
        File(name: "h265-mp2", codecs: [.h265, .mp2], pictures: 49, sounds: 84, step: 1152),
        File(name: "h264-latm", codecs: [.h264, .aac], pictures: 49, sounds: 95, step: 1024),
        File(name: "opus", codecs: [.opus], sounds: 101, step: 960),
        File(name: "ac3", codecs: [.ac3], sounds: 63, step: 1536),
        File(name: "eac3", codecs: [.eac3], sounds: 63, step: 1536),
        File(name: "mp3", codecs: [.mp3], sounds: 85, step: 1152),
    ]

    @Test(arguments: files) func aFileOfFFmpegIsTakenWhole(_ file: File) throws {
        var scene = TSScene()
        try scene.take(TSScene.file(file.name))
        #expect(Set(scene.announced.map(\.codec)) == Set(file.codecs))
        let pictures = scene.metas(.video)
        // Sound is collected by FFmpeg: the last PES packet of all ends with the file.
        let sounds = scene.metas(.audio)
        #expect(pictures.count >= file.pictures && pictures.count <= file.pictures + 1)
        #expect(sounds.count >= file.sounds - 12 && sounds.count <= file.sounds)
        #expect(zip(sounds, sounds.dropFirst()).allSatisfy { $1.ticks - $0.ticks == file.step })
        #expect(scene.intake.figures.broken == 0)
        if file.pictures > 0 {
            #expect(scene.announced.first { $0.codec.kind == .video }?.width == 160)
            #expect(pictures.filter(\.isKey).count == 2)
            #expect(zip(pictures, pictures.dropFirst()).allSatisfy { $1.ticks > $0.ticks })
        }
    }

    @Test func picturesInAnotherOrderKeepBothTimes() throws {
        var scene = TSScene()
        try scene.take(TSScene.file("h264-bframes-aac"))
        let metas = scene.metas(.video)
        #expect(metas.contains { $0.flags.contains(.bidirectional) })
        let shown = metas.map { $0.ticks + Int64($0.compositionOffset) }.sorted()
        #expect(zip(shown, shown.dropFirst()).allSatisfy { $1 - $0 == 3600 })
    }

    @Test(arguments: [1, 13, 100, 187, 188, 189, 1000, 1316, 65_000])
    func bytesMayBeCutAnywhere(piece: Int) throws {
        let file = TSScene.file("h264-bframes-aac")
        var whole = TSScene()
        try whole.take(file, piece: file.count)
        var cut = TSScene()
        try cut.take(file, piece: piece, every: .zero)
        #expect(cut.frames(.video) == whole.frames(.video))
        #expect(cut.frames(.audio) == whole.frames(.audio))
    }

    @Test func aPictureIsOutWithItsLastPacketOnceTheWriterIsKnown() throws {
        var maker = try TSMaker([TSMaker.h264()])
        var scene = TSScene()
        for number in 0..<40 as Range<Int64> {
            maker.bytes.removeAll()
            let isKey = number == 0
            maker.write(
                TSMaker.picture(700, key: isKey), 0, at: number * 3600, key: isKey)
            try scene.take(maker.bytes)
            let late = Int(number) + 1 - scene.metas(.video).count
            #expect(late == (number < 8 ? 1 : 0), "picture \(number)")
        }
    }

    @Test func aWriterThatFillsUpInTheMiddleIsNotMisunderstoodTwice() throws {
        var maker = try TSMaker([TSMaker.h264()])
        var scene = TSScene()
        var count: UInt8 = 0
        for number in 0..<60 as Range<Int64> {
            maker.bytes.removeAll()
            maker.write(
                TSMaker.picture(700, key: number == 0), 0, at: number * 3600, key: number == 0)
            if number >= 20 { maker.bytes = Self.refilled(maker.bytes) }
            for start in TSMaker.packets(of: 0x100, in: maker.bytes) {
                maker.bytes[start + 3] = maker.bytes[start + 3] & 0xf0 | count
                count = (count + 1) & 15
            }
            try scene.take(maker.bytes)
        }
        let frames = scene.frames(.video)
        let whole = TSMaker.picture(700, key: false)
        #expect(frames.dropFirst().count { $0 != whole } <= 1, "one, from which it learns")
        #expect(frames.count >= 58)
    }

    /// The last packet of a picture as two, the first of them filled up as well.
    private static func refilled(_ bytes: [UInt8]) -> [UInt8] {
        let start = bytes.count - 188
        let field = Int(bytes[start + 4])
        let payload = Array(bytes[(start + 5 + field)...])
        func packet(_ payload: ArraySlice<UInt8>) -> [UInt8] {
            let filling = 188 - 4 - 2 - payload.count
            return bytes[start..<start + 3] + [0x30, UInt8(filling + 1), 0]
                + [UInt8](repeating: 0xff, count: filling) + payload
        }
        let half = payload.count / 2
        return bytes[..<start] + packet(payload[..<half]) + packet(payload[half...])
    }

    @Test func aPacketThatComesTwiceCountsOnce() throws {
        var maker = try TSMaker()
        maker.writeSeconds(1)
        var doubled: [UInt8] = []
        for start in stride(from: 0, to: maker.bytes.count, by: 188) {
            doubled += maker.bytes[start..<start + 188]
            doubled += maker.bytes[start..<start + 188]
        }
        var plain = TSScene()
        try plain.take(maker.bytes)
        var scene = TSScene()
        try scene.take(doubled)
        #expect(scene.frames(.video) == plain.frames(.video))
        #expect(scene.intake.figures.gaps == 0)
    }

    @Test func aPictureWithAHoleIsLeftOutAndTheRestGoesOn() throws {
        var maker = try TSMaker()
        maker.writeSeconds(2)
        let lost = TSMaker.packets(of: 0x100, in: maker.bytes)[100]
        var bytes = maker.bytes
        bytes.removeSubrange(lost..<lost + 188)
        var plain = TSScene()
        try plain.take(maker.bytes)
        var scene = TSScene()
        try scene.take(bytes)
        let expected = plain.frames(.video)
        let frames = scene.frames(.video)
        #expect(frames.count == expected.count - 1)
        #expect(frames.allSatisfy { expected.contains($0) }, "none is patched together")
        #expect(scene.intake.figures.gaps == 1 && scene.intake.figures.broken == 1)
        #expect(scene.frames(.audio) == plain.frames(.audio))
    }

    @Test func soundBeforeAHoleIsKept() throws {
        let file = TSScene.file("h264-bframes-aac")
        var plain = TSScene()
        try plain.take(file)
        // A packet in the middle of a run of sound.
        let places = TSMaker.packets(of: 0x101, in: file)
        let lost = try #require(
            places.indices.first { $0 > 12 && file[places[$0] + 1] & 0x40 == 0 })
        var bytes = file
        bytes.removeSubrange(places[lost]..<places[lost] + 188)
        var scene = TSScene()
        try scene.take(bytes)
        let expected = plain.frames(.audio)
        #expect(scene.frames(.audio).allSatisfy { expected.contains($0) })
        #expect(scene.frames(.audio).count > expected.count - 25)
    }
}
