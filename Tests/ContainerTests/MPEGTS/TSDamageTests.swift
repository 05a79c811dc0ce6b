import Containers
import Media
import Simulation
import Stream
import Testing
import Wire

/// Streams that lost, gained or changed bytes.
struct TSDamageTests {
    @Test(arguments: [1, 5, 94, 187, 500, 1000])
    func packetsAreFoundAgainBehindLostBytes(count: Int) throws {
        var maker = try TSMaker()
        maker.writeSeconds(3)
        var bytes = maker.bytes
        bytes.removeSubrange(20_000..<20_000 + count)
        var scene = TSScene()
        try scene.take(bytes)
        #expect(scene.intake.figures.damaged >= 1)
        let frames = scene.metas(.video).count
        #expect(frames >= 68, "\(frames) of 75")
    }

    @Test(arguments: [1, 7, 16, 188, 3000])
    func packetsAreFoundAgainBehindStrangeBytes(count: Int) throws {
        var maker = try TSMaker()
        maker.writeSeconds(3)
        var bytes = maker.bytes
        var random = SplitMix64(seed: UInt64(count))
        let strange = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes.insert(contentsOf: strange, at: 20_010)
        bytes.insert(contentsOf: strange, at: 0)
        var scene = TSScene()
        try scene.take(bytes)
        let frames = scene.metas(.video).count
        #expect(frames >= 66, "\(frames) of 75")
    }

    @Test(arguments: 0..<28 as Range<UInt64>)
    func damageNeverStopsIt(seed: UInt64) throws {
        let names = TSIntakeTests.files.map(\.name)
        let file = TSScene.file(names[Int(seed) % names.count])
        var random = SplitMix64(seed: seed)
        for _ in 0..<2 {
            var scene = TSScene()
            var bytes = file
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                bytes = Damage.damaged(bytes, using: &random)
            }
            // A damaged table may say that there is nothing to play: that is an end as well.
            try? scene.take(bytes, piece: Int.random(in: 1...5000, using: &random))
            let metas = scene.metas(.video)
            #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks > $0.ticks })
            #expect(scene.intake.figures.packets > 0)
        }
    }

    @Test(arguments: 0..<10 as Range<UInt64>)
    func lostPacketsCostTheirPicturesOnly(seed: UInt64) throws {
        var maker = try TSMaker()
        maker.writeSeconds(8)
        var random = SplitMix64(seed: seed)
        var bytes: [UInt8] = []
        var lost = 0
        for start in stride(from: 0, to: maker.bytes.count, by: 188) {
            if start > 4000, Int.random(in: 0..<100, using: &random) == 0 {
                lost += 1
                continue
            }
            bytes += maker.bytes[start..<start + 188]
        }
        var plain = TSScene()
        try plain.take(maker.bytes)
        var scene = TSScene()
        try scene.take(bytes)
        let whole = Set(plain.frames(.video))
        let frames = scene.frames(.video)
        // A hole between two pictures may cost both: it is not said whose packet it was.
        #expect(frames.count >= 200 - 2 * lost - 1 && lost > 0)
        #expect(frames.allSatisfy { whole.contains($0) })
    }

    @Test func aPictureWithoutAnEndIsGivenUp() throws {
        var scene = TSScene()
        try scene.take(TSMaker.association + TSMaker.map([(0x1b, 0x100, [])]))
        let start: [UInt8] = [0x47, 0x41, 0, 0x10, 0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5]
        let head = start + [UInt8](repeating: 0x21, count: 188 - start.count)
        try scene.take(head)
        // Nine million bytes and no end of it.
        for number in 1..<50_000 {
            let packet: [UInt8] = [0x47, 0x01, 0, 0x10 | UInt8(number & 15)]
            let bytes = packet + [UInt8](repeating: 0x80, count: 184)
            try scene.intake.receive(bytes.raw, at: scene.now, into: &scene.effects)
        }
        #expect(scene.metas(.video).isEmpty)
    }
}
