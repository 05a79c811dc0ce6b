import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

struct FanOutRunTests {
    private func live(
        _ scene: FanOutScene, _ range: Range<Int64>, keys: Set<Int64> = [0],
        codec: Codec = .h264, base: Int64 = 0, layer: UInt8 = 0, picture: UInt16 = 0,
        temporal: Bool = false
    ) {
        for number in range {
            let level: UInt8 = temporal && number % 2 == 1 ? 1 : 0
            scene.frame(
                100 + number, key: keys.contains(number), ticks: base + number * 3600,
                codec: codec, layer: layer,
                picture: picture &+ UInt16(truncatingIfNeeded: number) & 0x7fff,
                tl0: UInt8(truncatingIfNeeded: temporal ? number / 2 : number), temporal: level)
            scene.flush()
            scene.pass(40)
        }
    }

    private func isContinuous(_ packets: [Opened]) -> Bool {
        zip(packets, packets.dropFirst()).allSatisfy {
            $1.index == $0.index + 1
                && Int32(bitPattern: $1.header.timestamp &- $0.header.timestamp) > 0
        }
    }

    @Test func aRepublishGoesOnWithoutASeam() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<25)
        let last = try #require(end.video.last)
        scene.stream.unpublish(
            epoch: scene.epoch, .done, at: scene.now, into: &scene.orders)
        scene.changed()
        scene.pass(2000)
        try scene.publish([FanOutScene.video()])
        scene.changed()
        live(scene, 0..<25, base: 77_000_000)
        #expect(end.video.count == 50)
        #expect(isContinuous(end.video))
        // Two seconds of nothing are two seconds in its time stamps.
        let gap = end.video[25].header.timestamp &- last.header.timestamp
        #expect(abs(Int64(gap) - 90 * 2040) < 90 * 60)
        #expect(end.reused == 0 && end.unreadable == 0)
    }

    @Test func anotherCodecIsAnotherPayloadTypeAtAKeyFrame() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        try scene.publish([FanOutScene.video(.vp8)])
        scene.changed()
        live(scene, 0..<5, codec: .vp8)
        #expect(end.video.map(\.header.payloadType) == [96, 96, 96, 96, 96, 98, 98, 98, 98, 98])
        #expect(isContinuous(end.video))
    }

    @Test func aSwitchBetweenStreamsKeepsNumbersAndRepairs() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<20)
        let left = scene.fanOut.remove(
            try scene.id(end), in: scene.stream, at: scene.now, into: &scene.orders)
        guard let state = left else {
            Issue.record("it was there")
            return
        }
        let other = FanOut(dice: SplitMix64(seed: 4))
        end.id.value = other.add(state, at: scene.now)
        scene.fanOut = other
        scene.stream = Stream(
            name: "live/y", rules: StreamRules(), memory: MediaMemory(limit: 1 << 28))
        try scene.publish([FanOutScene.video()])
        live(scene, 0..<20, base: 5_000_000)
        #expect(end.video.count == 40)
        #expect(isContinuous(end.video))
        // What was lost just before is repaired from the stream before.
        try scene.nack(end, [end.video[18].header.sequence])
        scene.flush()
        #expect(
            Array(try #require(end.repairs.first).payload.dropFirst(2)) == end.video[18].payload)
        #expect(end.reused == 0 && end.unreadable == 0)
    }

    @Test func pictureNumbersGoOnOverEverySeam() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(.vp8)])
        live(scene, 0..<10, codec: .vp8, picture: 32_760)
        try scene.publish([FanOutScene.video(.vp8)])
        scene.changed()
        live(scene, 0..<10, codec: .vp8, picture: 500)
        let ids = end.video.map { UInt16($0.payload[2] & 0x7f) << 8 | UInt16($0.payload[3]) }
        #expect(ids == (0..<20).map { (ids[0] + $0) & 0x7fff })
        let layers = end.video.map { $0.payload[4] }
        #expect(layers == (0..<20).map { layers[0] &+ $0 })
        #expect(end.video[15].payload[2] & 0x80 != 0)
        // Everything else is as it came.
        let source = FanOutScene.payload(
            .vp8, 105, 1000, isKey: false, isFirst: true, isLast: true, 505, 5, 0)
        #expect(end.video[15].payload[5...] == source[5...])
        #expect(end.reused == 0 && end.unreadable == 0)
    }

    @Test(arguments: [SRTPProfile.aes128GCM, .aes128SHA1])
    func aPacketThatComesLateGetsTheNumberThatWasKept(profile: SRTPProfile) throws {
        let (scene, end) = try FanOutScene.watched(profile: profile)
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        scene.frame(101, packets: 4, ticks: 3000, without: [1])
        scene.flush()
        #expect(end.video.map { $0.index - end.video[0].index } == [0, 1, 3, 4])
        scene.frame(105, ticks: 6000)
        scene.flush()
        scene.frame(101, packets: 4, ticks: 3000, without: [0, 2, 3])
        scene.flush()
        scene.frame(106, ticks: 9000)
        scene.flush()
        #expect(end.video.map { $0.index - end.video[0].index } == [0, 1, 3, 4, 5, 2, 6])
        #expect(end.video[5].header.timestamp == end.video[1].header.timestamp)
        #expect(end.reused == 0 && end.unreadable == 0)
    }

    @Test func whoIsHalfASecondBehindGoesToTheNextKeyFrame() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        let id = try scene.id(end)
        scene.fanOut.setWritable(id, false, at: scene.now)
        live(scene, 5..<30, keys: [28])
        #expect(end.video.count == 5)
        scene.fanOut.setWritable(id, true, at: scene.now)
        live(scene, 30..<32)
        #expect(end.video.count == 5 + 4)
        #expect(isContinuous(end.video))
        let report = try #require(scene.fanOut.report(id))
        #expect(report.decisions.contains { $0.what == .skippedToKey && $0.detail > 500 })
    }

    @Test func withoutAKeyFrameAheadItWaitsAndAsks() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        let id = try scene.id(end)
        scene.fanOut.setWritable(id, false, at: scene.now)
        live(scene, 5..<30)
        scene.orders.clear()
        scene.fanOut.setWritable(id, true, at: scene.now)
        live(scene, 30..<33)
        #expect(end.video.count == 5)
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
        live(scene, 33..<36, keys: [33])
        #expect(end.video.count == 8)
        #expect(isContinuous(end.video))
    }

    @Test func pauseAndResumeKeepTheNumbers() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        scene.fanOut.pause(try scene.id(end), .video, at: scene.now)
        live(scene, 5..<10)
        #expect(end.video.count == 5)
        scene.fanOut.resume(try scene.id(end), .video, at: scene.now)
        live(scene, 10..<20, keys: [12])
        #expect(end.video.count == 5 + 8)
        #expect(isContinuous(end.video))
        let gap = end.video[5].header.timestamp &- end.video[4].header.timestamp
        #expect(gap == 8 * 3600)
    }

    @Test func higherLayersInTimeAreLeftOutWithoutAGap() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(.vp8)])
        live(scene, 0..<10, codec: .vp8, temporal: true)
        scene.fanOut.limit(try scene.id(end), temporal: 0, at: scene.now)
        live(scene, 10..<30, codec: .vp8, temporal: true)
        #expect(end.video.count == 10 + 10)
        #expect(isContinuous(end.video))
        let steps = zip(end.video[10...], end.video[11...]).map {
            $1.header.timestamp &- $0.header.timestamp
        }
        #expect(steps.allSatisfy { $0 == 7200 })
        let ids = end.video.map { UInt16($0.payload[2] & 0x7f) << 8 | UInt16($0.payload[3]) }
        #expect(ids == (0..<20).map { ids[0] + $0 })
        let layers = end.video[10...].map { $0.payload[4] }
        #expect(zip(layers, layers.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    }

    @Test func keyFramesOnly() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        scene.fanOut.limit(try scene.id(end), keyFramesOnly: true, at: scene.now)
        live(scene, 5..<30, keys: [10, 20])
        #expect(end.video.count == 7)
        #expect(isContinuous(end.video))
        scene.fanOut.limit(try scene.id(end), at: scene.now)
        live(scene, 30..<40, keys: [33])
        #expect(isContinuous(end.video))
    }

    @Test func eightFormatsLaterNoRepairGoesAstray() throws {
        let (scene, end) = try FanOutScene.watched()
        for _ in 0..<12 {
            try scene.publish([FanOutScene.video()])
            scene.changed()
            live(scene, 0..<3)
        }
        #expect(end.video.count == 36)
        let originals = end.video
        for packet in originals {
            try scene.nack(end, [packet.header.sequence])
            scene.flush()
            scene.pass(10)
        }
        for repair in end.repairs {
            let lost = UInt16(repair.payload[0]) << 8 | UInt16(repair.payload[1])
            let original = try #require(originals.first { $0.header.sequence == lost })
            #expect(Array(repair.payload.dropFirst(2)) == original.payload)
            #expect(repair.header.timestamp == original.header.timestamp)
        }
        #expect(end.repairs.count == RunList.capacity * 3)
    }
}

struct FanOutLayerTests {
    /// Three layers at 25 frames a second; those of `alive` send.
    private func live(
        _ scene: FanOutScene, _ range: Range<Int64>, keys: Set<Int64> = [0],
        alive: Set<UInt8> = [0, 1, 2]
    ) {
        for number in range {
            for layer in alive.sorted() {
                scene.frame(
                    100 + number, size: 200 + 400 * Int(layer), key: keys.contains(number),
                    ticks: number * 3600 + Int64(layer) * 1_000_000, layer: layer)
            }
            scene.flush()
            scene.pass(40)
        }
    }

    private func sizes(_ end: FarEnd) -> [Int] { end.video.map(\.payload.count) }

    @Test func autoTakesTheHighestAndFollowsItDown() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video(rids: ["q", "h", "f"])])
        live(scene, 0..<25)
        let end = try scene.view()
        live(scene, 25..<50, keys: [25])
        #expect(sizes(end).last == 1000)
        // The top layer stops without a word; its viewers go down at a key frame of the next.
        scene.orders.clear()
        live(scene, 50..<100, alive: [0, 1])
        #expect(sizes(end).last == 1000)
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 1)))
        live(scene, 100..<110, keys: [100], alive: [0, 1])
        #expect(sizes(end).last == 600)
        let numbers = end.video.map(\.index)
        #expect(numbers == (0..<numbers.count).map { numbers[0] + UInt64($0) })
        #expect(end.reused == 0)
    }

    @Test func aChosenLayerComesAtItsKeyFrame() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video(rids: ["q", "h", "f"])])
        live(scene, 0..<25)
        let end = try scene.view(layer: .rid("h"))
        live(scene, 25..<30, keys: [25])
        #expect(sizes(end).last == 600)
        scene.fanOut.select(try scene.id(end), layer: .rid("q"), at: scene.now)
        scene.orders.clear()
        live(scene, 30..<35)
        #expect(sizes(end).last == 600)
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
        live(scene, 35..<40, keys: [35])
        #expect(sizes(end).last == 200)
        scene.fanOut.select(try scene.id(end), layer: .off, at: scene.now)
        let count = end.video.count
        live(scene, 40..<45, keys: [41])
        #expect(end.video.count == count)
        scene.fanOut.select(try scene.id(end), layer: .auto, at: scene.now)
        live(scene, 45..<50, keys: [46])
        #expect(sizes(end).last == 1000)
    }
}
