import CAllocationCount
import Crypto
import Media
import RTP
import Simulation
import Stream
import Testing
import Wire

@testable import ICE

/// A stream with all that can happen to one, told by a seed.
private final class Chaos {
    let scene: FanOutScene
    var dice: SplitMix64
    private var frames: Int64 = 0
    private var number: Int64 = 100
    private var sounds: Int64 = 0
    private var codec = Codec.h264
    private var late: [(Int64, Int64, Int, Int, Bool)] = []

    init(seed: UInt64, batch: Int = 160 * 1024, runs: Int = 64) throws {
        scene = try FanOutScene(seed: seed, batch: batch, runs: runs)
        dice = SplitMix64(seed: seed)
        try scene.publish()
        let profiles: [SRTPProfile] = [.aes128GCM, .aes128SHA1, .aes256GCM]
        for place in 0..<6 {
            try scene.view(
                FanOutScene.negotiated(hasRTX: place % 3 != 2), profile: profiles[place % 3],
                tcp: place == 4)
        }
    }

    func chance(_ perMille: UInt64) -> Bool { dice.next() % 1000 < perMille }

    func step() throws {
        let scene = self.scene
        let key = frames == 0 || chance(30)
        let count = key ? 1 + Int(dice.next() % 40) : 1 + Int(dice.next() % 6)
        var without: Set<Int> = []
        if chance(50), count > 1 { without.insert(Int(dice.next() % UInt64(count))) }
        let size = 200 + Int(dice.next() % 900)
        scene.frame(
            number, packets: count, size: size, key: key, ticks: frames * 3000, codec: codec,
            without: without, picture: UInt16(truncatingIfNeeded: frames) & 0x7fff,
            tl0: UInt8(truncatingIfNeeded: frames))
        for part in without where chance(700) {
            late.append((number, frames, count, part, key))
            lateSizes.append(size)
        }
        number += Int64(count)
        frames += 1
        for _ in 0..<2 {
            scene.sound(10 + sounds, ticks: sounds * 960)
            sounds += 1
        }
        try happen()
        scene.flush()
        scene.pass(Int64(dice.next() % 60))
    }

    private var lateSizes: [Int] = []

    private func happen() throws {
        let scene = self.scene
        if chance(300), let (first, frame, count, part, key) = late.first {
            late.removeFirst()
            scene.frame(
                first, packets: count, size: lateSizes.removeFirst(), key: key,
                ticks: frame * 3000, codec: codec,
                without: Set((0..<count).filter { $0 != part }),
                picture: UInt16(truncatingIfNeeded: frame) & 0x7fff,
                tl0: UInt8(truncatingIfNeeded: frame))
        }
        for end in scene.ends where end.id.value != nil {
            let id = try scene.id(end)
            if chance(200), let some = end.video.randomElement(using: &dice) {
                try scene.nack(end, [some.header.sequence, some.header.sequence &+ 1])
            }
            if chance(10) { scene.fanOut.pause(id, .video, at: scene.now) }
            if chance(50) { scene.fanOut.resume(id, .video, at: scene.now) }
            if chance(10) { scene.fanOut.setWritable(id, false, at: scene.now) }
            if chance(50) { scene.fanOut.setWritable(id, true, at: scene.now) }
            if chance(5) {
                scene.fanOut.limit(id, temporal: 7, keyFramesOnly: chance(500), at: scene.now)
            }
            if chance(20) {
                scene.fanOut.feedback(
                    id, .keyframe(media: FanOutScene.videoSSRC), bytes: [UInt8]().raw,
                    at: scene.now)
            }
        }
        if chance(8) { try republish() }
    }

    private func republish() throws {
        codec = chance(300) ? .vp8 : .h264
        try scene.publish([FanOutScene.video(codec), FanOutScene.audio()], nack: chance(700))
        scene.changed()
        (frames, number, sounds) = (0, Int64(dice.next() % 60_000), 0)
        late.removeAll()
        lateSizes.removeAll()
    }
}

struct FanOutChaosTests {
    @Test(arguments: 0..<12 as Range<UInt64>)
    func noNumberIsEverUsedTwice(seed: UInt64) throws {
        let chaos = try Chaos(seed: seed)
        for _ in 0..<200 { try chaos.step() }
        for end in chaos.scene.ends {
            #expect(end.reused == 0 && end.unreadable == 0)
            #expect(end.video.count > 10 && end.audio.count > 50)
            let transports = end.media.compactMap(\.extensions.transportSequence)
            #expect(zip(transports, transports.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
            // What came in order has time that goes on.
            var newest: Opened?
            for packet in end.video where packet.index > newest?.index ?? 0 {
                if let newest {
                    let step = Int32(
                        bitPattern: packet.header.timestamp &- newest.header.timestamp)
                    #expect(step >= 0, "seed \(seed)")
                }
                newest = packet
            }
        }
    }

    /// Small batches, many calls: the same bytes in the same order as in one.
    @Test(arguments: 0..<5 as Range<UInt64>)
    func aFullBatchChangesNothing(seed: UInt64) throws {
        let large = try Chaos(seed: seed, batch: 4 << 20, runs: 4096)
        let small = try Chaos(seed: seed, batch: 6000, runs: 5)
        for _ in 0..<100 {
            try large.step()
            try small.step()
        }
        #expect(large.scene.fullTimes == 0 && small.scene.fullTimes > 100)
        for (a, b) in zip(large.scene.ends, small.scene.ends) {
            // Only the place of the first difference is worth printing.
            let first = zip(a.media, b.media).enumerated().first { $1.0.raw != $1.1.raw }
            #expect(first?.offset == nil && a.media.count == b.media.count)
            let isSame = a.controls == b.controls
            #expect(isSame)
        }
    }
}

struct FanOutAllocationTests {
    /// What one turn with this many packets to this many viewers allocates.
    private func allocated(
        _ scene: FanOutScene, _ number: Int64, packets: Int
    ) -> UInt64 {
        scene.frame(
            1000 + number * Int64(packets), packets: packets, size: 600, key: number == 0,
            ticks: number * 3000)
        let before = allocation_count_thread()
        while scene.fanOut.flush(
            at: scene.now, wall: scene.wall, in: scene.stream, engine: &scene.engine,
            batch: &scene.batch, framed: &scene.framed, orders: &scene.orders) == .batchFull
        {
            scene.batch.clear()
        }
        let after = allocation_count_thread()
        scene.batch.clear()
        scene.framed.clear()
        return after - before
    }

    @Test(arguments: [SRTPProfile.aes128GCM, .aes128SHA1])
    func sendingToManyAllocatesNothing(profile: SRTPProfile) throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video()])
        for _ in 0..<40 { try scene.view(profile: profile) }
        var few: UInt64 = 0
        for number: Int64 in 0..<60 {
            let count = allocated(scene, number, packets: 8)
            if number >= 30 { few = max(few, count) }
            scene.now = scene.now + .milliseconds(10)
        }
        // 320 packets a turn to 40 viewers: nothing at all where the compiler optimises, and
        // where it does not, no more than what it then keeps on the heap for a viewer and a job.
        let most: UInt64 = Build.isOptimised ? 0 : 2 * 40 + 8 + (profile.isGCM ? 0 : 320)
        #expect(few <= most, "\(few)")
    }
}
