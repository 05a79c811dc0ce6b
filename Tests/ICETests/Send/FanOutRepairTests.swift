import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

/// So many frames, one each 40 ms; the first is a key frame.
private func live(_ scene: FanOutScene, _ range: Range<Int64>, size: Int = 1000) {
    for number in range {
        scene.frame(100 + number, size: size, key: number == 0, ticks: number * 3600)
        scene.flush()
        scene.pass(40)
    }
}

struct FanOutRepairTests {
    @Test func onePacketIsRepeatedOnceInHalfARoundTrip() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<20)
        let lost = end.video[10].header.sequence
        for _ in 0..<5 {
            try scene.nack(end, [lost])
            scene.flush()
        }
        #expect(end.repairs.count == 1)
        scene.pass(60)
        try scene.nack(end, [lost])
        scene.flush()
        #expect(end.repairs.count == 2)
        #expect(end.repairs[0].index + 1 == end.repairs[1].index)
    }

    @Test func aFloodOfRequestsCostsAShareOfTheRate() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<50)
        let numbers = end.video.map(\.header.sequence)
        for _ in 0..<100 {
            try scene.nack(end, numbers)
            scene.flush()
            scene.pass(10)
        }
        // 200 kbit/s: half of it may be repeated, and a start of 24,000 bytes.
        #expect((20...50).contains(end.repairs.count))
        let report = try #require(scene.fanOut.report(try scene.id(end)))
        #expect(report.repairsRefused > 100)
        #expect(report.decisions.contains { $0.what == .repairRefused })
    }

    @Test(arguments: [SRTPProfile.aes128GCM, .aes128SHA1])
    func withoutRTXTheSamePacketComesAgainToTheLastByte(profile: SRTPProfile) throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video()])
        let end = try scene.view(FanOutScene.negotiated(hasRTX: false), profile: profile)
        live(scene, 0..<20)
        // The first carries the mid, later ones do not once a report has come.
        let block = RTCPReportBlock(
            ssrc: FanOutScene.videoSSRC, fractionLost: 0, cumulativeLost: 0, highestSequence: 0,
            jitter: 0, lastReport: 0, delay: 0)
        scene.fanOut.feedback(
            try scene.id(end), .report(block), bytes: [UInt8]().raw, at: scene.now)
        live(scene, 20..<40)
        for place in [2, 30] {
            try scene.nack(end, [end.video[place].header.sequence])
            scene.flush()
            #expect(end.repeats.last?.raw == end.video[place].raw)
        }
        #expect(end.repeats.count == 2)
        #expect(end.video[2].extensions.mid != nil && end.video[30].extensions.mid == nil)
        #expect(end.video.allSatisfy { $0.extensions.absoluteCaptureTime == nil })
        #expect(end.reused == 0)
    }

    @Test func whatWasNeverSentIsNeverRepeated() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<10)
        let last = try #require(end.video.last).header.sequence
        scene.frame(110, ticks: 36_000)
        try scene.nack(end, [last &+ 1, last &+ 2, last &- 100])
        scene.flush()
        #expect(end.repairs.isEmpty)
        #expect(end.video.count == 11)
        let report = try #require(scene.fanOut.report(try scene.id(end)))
        #expect(report.repairsMissing == 1)
    }

    /// The hole is asked for before it is filled, and again afterwards.
    @Test func aHoleIsRepairedOnceItIsFilled() throws {
        let (scene, end) = try FanOutScene.watched()
        live(scene, 0..<5)
        scene.frame(106, ticks: 6 * 3600)
        scene.flush()
        let hole = try #require(end.video.last).header.sequence &- 1
        try scene.nack(end, [hole])
        scene.flush()
        #expect(end.repairs.isEmpty)
        scene.pass(40)
        scene.frame(105, ticks: 5 * 3600)
        scene.flush()
        #expect(end.video.last?.header.sequence == hole)
        try scene.nack(end, [hole])
        scene.flush()
        #expect(end.repairs.count == 1)
        #expect(end.reused == 0)
    }

    @Test func firefoxGetsNoMidOnRepetitions() throws {
        for isFirefox in [true, false] {
            let scene = try FanOutScene()
            try scene.publish([FanOutScene.video()])
            let end = try scene.view(FanOutScene.negotiated(isFirefox: isFirefox))
            live(scene, 0..<5)
            try scene.nack(end, [end.video[3].header.sequence])
            scene.flush()
            #expect((end.repairs.first?.extensions.mid == nil) == isFirefox)
            #expect(end.video[3].extensions.mid != nil)
            let delays = end.video.compactMap(\.extensions.playoutDelay)
            #expect(delays.isEmpty == isFirefox)
        }
    }

    @Test func repetitionsAreSentInTheOrderOfTheTransport() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        for number: Int64 in 0..<40 {
            scene.frame(100 + number, key: number == 0, ticks: number * 3600)
            scene.sound(10 + number, ticks: number * 1920)
            if number > 5, let lost = end.video.last { try scene.nack(end, [lost.header.sequence]) }
            scene.flush()
            scene.pass(40)
        }
        let transports = end.media.compactMap(\.extensions.transportSequence)
        #expect(transports.count == end.media.count && end.repairs.count > 20)
        #expect(zip(transports, transports.dropFirst()).allSatisfy { $1 == $0 &+ 1 })
    }

    @Test func aRepairOfPatchedPicturesIsPatchedToo() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(.vp8)])
        for epoch in 0..<2 {
            for number: Int64 in 0..<5 {
                scene.frame(
                    100 + number, key: number == 0, ticks: number * 3600, codec: .vp8,
                    picture: UInt16(epoch) * 700 + UInt16(number), tl0: UInt8(number))
                scene.flush()
                scene.pass(40)
            }
            if epoch == 0 {
                try scene.publish([FanOutScene.video(.vp8)])
                scene.changed()
            }
        }
        try scene.nack(end, [end.video[7].header.sequence])
        scene.flush()
        #expect(Array(try #require(end.repairs.first).payload.dropFirst(2)) == end.video[7].payload)
    }
}

struct FanOutPathTests {
    @Test func anUnprovenPathGetsThreeTimesWhatCame() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video()])
        let end = try scene.view(isValidated: false)
        scene.frame(100, packets: 5, key: true, ticks: 0)
        scene.flush()
        #expect(end.media.isEmpty, "nothing came from there at all")
        scene.fanOut.validated(
            try scene.id(end), Route(remote: Address.any(port: 1), local: FanOutScene.local))
        scene.flush()
        #expect(end.media.isEmpty, "another route")
        scene.fanOut.validated(try scene.id(end), end.route)
        scene.flush()
        #expect(end.video.count == 5 && end.reused == 0)
    }

    /// It gets the key frame, and then its connection takes nothing while so many frames pass.
    private func block(
        _ end: FarEnd, _ scene: FanOutScene, frames: Int64
    ) throws -> ViewerID {
        live(scene, 0..<1)
        let id = try scene.id(end)
        scene.fanOut.setWritable(id, false, at: scene.now)
        live(scene, 1..<frames)
        return id
    }

    @Test func aConnectionThatIsFullGetsNothing() throws {
        let (scene, end) = try FanOutScene.watched(tcp: true)
        let id = try block(end, scene, frames: 40)
        #expect(end.video.count == 1)
        scene.fanOut.setWritable(id, true, at: scene.now)
        scene.flush()
        scene.pass(100)
        // A second and a half behind is nothing to a connection: all of it comes.
        #expect(end.video.count == 40)
        #expect(end.unreadable == 0)
    }

    @Test func aConnectionTenSecondsBehindIsHopeless() throws {
        let (scene, end) = try FanOutScene.watched(tcp: true)
        let id = try block(end, scene, frames: 300)
        scene.fanOut.setWritable(id, true, at: scene.now)
        scene.flush()
        scene.flush()
        #expect(scene.fanOut.takeEvents() == [.hopeless(id)])
    }

    @Test func oneTurnHandsAConnectionNoMoreThanTheKernelKeeps() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video()], pli: false)
        for number: Int64 in 0..<200 {
            scene.frame(100 + number, size: 1100, key: number == 0, ticks: number * 900)
        }
        let end = try scene.view(tcp: true)
        scene.flush()
        let bytes = end.media.reduce(0) { $0 + $1.raw.count }
        #expect(bytes <= 66_000)
        scene.pass(1000)
        #expect(end.video.count == 200)
    }

    @Test func mediaFollowsTheChosenPath() throws {
        let (scene, end) = try FanOutScene.watched()
        let elsewhere = try scene.view()
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        let count = elsewhere.video.count
        scene.fanOut.move(
            try scene.id(end), to: elsewhere.route, isValidated: true, at: scene.now)
        scene.fanOut.pause(try scene.id(elsewhere), .video, at: scene.now)
        (elsewhere.key, elsewhere.receiver) = (end.key, end.receiver)
        scene.frame(101, ticks: 3000)
        scene.flush()
        #expect(end.video.count == 1 && elsewhere.video.count == count + 1)
    }
}
