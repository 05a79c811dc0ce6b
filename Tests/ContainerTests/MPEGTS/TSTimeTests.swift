import Codecs
import Containers
import Media
import Stream
import Testing
import Wire

/// Times of 33 bits that wrap, jump and begin anew.
struct TSTimeTests {
    private func apart(_ scene: TSScene) throws -> Int64 {
        let picture = try #require(scene.metas(.video).last).ticks
        let heard = try #require(scene.metas(.audio).last).ticks
        return Timebase.nanoseconds(picture, rate: 90_000)
            - Timebase.nanoseconds(heard, rate: 48_000)
    }

    @Test(arguments: [0, 45_000, 89_000, 90_000] as [Int64])
    func timesGoOnOverTheWrap(before: Int64) throws {
        // Sound and picture may even begin on both sides of it.
        let start = 1 << 33 - TSMuxer.origin - before
        var maker = try TSMaker()
        maker.writeSeconds(3, from: start)
        var scene = TSScene()
        try scene.take(maker.bytes, lasting: .seconds(3))
        let metas = scene.metas(.video)
        #expect(metas.count >= 74)
        #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks - $0.ticks == 3600 })
        #expect(abs(try apart(scene)) < 50_000_000)
        #expect(scene.intake.figures.jumps == 0)
    }

    @Test(arguments: [0, 5_000_000, 8_000_000_000] as [Int64])
    func aSenderThatBeginsAnewKeepsSoundAtThePicture(start: Int64) throws {
        var scene = TSScene()
        var first = try TSMaker()
        first.writeSeconds(4, from: 900_000)
        try scene.take(first.bytes, lasting: .seconds(4))
        let before = try apart(scene)
        var second = try TSMaker()
        second.muxer = first.muxer
        second.writeSeconds(4, from: start)
        try scene.take(second.bytes, lasting: .seconds(4))
        let metas = scene.metas(.video)
        #expect(scene.intake.figures.jumps == 1)
        #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks > $0.ticks })
        let steps = zip(metas, metas.dropFirst()).map { $1.ticks - $0.ticks }
        #expect((steps.max() ?? 0) < 60_000, "no more than the time that has passed")
        let parted = try apart(scene) - before
        #expect(abs(parted) < 25_000_000, "\(parted) ns, and \(before) before")
    }

    @Test func aPacketWithTwoPicturesGivesBothTheirTime() throws {
        // A slice behind a slice, each the first of its picture, in one PES packet.
        var maker = try TSMaker([TSMaker.h264()])
        var scene = TSScene()
        for number in 0..<20 as Range<Int64> {
            let one = TSMaker.picture(100, key: number == 0)
            maker.write(
                one + TSMaker.picture(90, key: false), 0, at: number * 7200, key: number == 0)
        }
        try scene.take(maker.bytes, every: .milliseconds(80))
        let metas = scene.metas(.video)
        #expect(metas.count >= 38)
        #expect(zip(metas, metas.dropFirst()).allSatisfy { $1.ticks > $0.ticks })
    }
}
