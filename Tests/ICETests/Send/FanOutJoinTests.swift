import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

struct FanOutJoinTests {
    /// So many frames at 25 a second, the first a key frame, before anybody looks.
    private func past(
        _ scene: FanOutScene, frames: Int64, size: Int = 1000, from first: Int64 = 0
    ) {
        for number in first..<first + frames {
            scene.frame(
                100 + number, size: size, key: number == first, ticks: number * 3600)
            scene.sound(10 + number, ticks: number * 1920)
            scene.flush()
            scene.pass(40)
        }
    }

    private func live(_ scene: FanOutScene, _ range: Range<Int64>, key: Int64? = nil) {
        for number in range {
            scene.frame(100 + number, key: number == key, ticks: number * 3600)
            scene.sound(10 + number, ticks: number * 1920)
            scene.flush()
            scene.pass(40)
        }
    }

    @Test func aBurstIsCompressedUntilLive() throws {
        let scene = try FanOutScene()
        try scene.publish()
        past(scene, frames: 40)
        let end = try scene.view()
        live(scene, 40..<80)
        #expect(end.video.count == 80)
        let steps = zip(end.video, end.video.dropFirst()).map {
            Int($1.header.timestamp &- $0.header.timestamp)
        }
        #expect(steps.allSatisfy { $0 > 0 })
        // Until the burst has been sent: its time shrunk, afterwards as the source has it.
        #expect(steps[..<39].allSatisfy { $0 < 3600 / 8 })
        #expect(steps[40...].allSatisfy { $0 == 3600 })
        let spread = end.video[39].at - end.video[0].at
        #expect(spread <= .milliseconds(300))
        #expect(end.reused == 0 && end.unreadable == 0)
    }

    @Test func aBurstHasNoCaptureTimeAndNoReportBeforeLive() throws {
        let scene = try FanOutScene()
        try scene.publish([FanOutScene.video()])
        past(scene, frames: 40)
        let end = try scene.view()
        scene.flush()
        scene.pass(30)
        #expect(end.video.count == 40)
        #expect(end.video.allSatisfy { $0.extensions.absoluteCaptureTime == nil })
        #expect(end.video.contains { $0.extensions.playoutDelay == 0 })
        #expect(end.reports.isEmpty)
        live(scene, 40..<60)
        #expect(end.video[40].extensions.absoluteCaptureTime != nil)
        #expect(end.video[41].extensions.playoutDelay == 50)
        #expect(!end.reports.isEmpty)
        // The report speaks of the live run.
        let report = try #require(end.reports.first)
        let distance = Int32(bitPattern: report.timestamp &- end.video[40].header.timestamp)
        #expect(abs(distance) < 3600 * 2)
    }

    @Test func soundBeginsLive() throws {
        let scene = try FanOutScene()
        try scene.publish()
        past(scene, frames: 40)
        let end = try scene.view()
        scene.flush()
        #expect(end.audio.isEmpty)
        live(scene, 40..<42)
        #expect(end.audio.count == 2)
        #expect(end.reports.contains { $0.ssrc == FanOutScene.audioSSRC })
    }

    @Test func whatIsTooLongToCatchUpWithWaitsForANewKeyFrame() throws {
        let scene = try FanOutScene()
        try scene.publish()
        past(scene, frames: 90)
        scene.orders.clear()
        let end = try scene.view()
        live(scene, 90..<95)
        #expect(end.video.isEmpty && !end.audio.isEmpty)
        #expect(scene.takeOrders().contains(.keyFrame(1, .video, layer: 0)))
        live(scene, 95..<100, key: 95)
        #expect(end.video.count == 5)
        let report = try #require(scene.fanOut.report(try scene.id(end)))
        #expect(report.decisions.map(\.what).contains(.askedForKey))
        #expect(report.decisions.map(\.what).contains(.joined))
    }

    @Test func aPublisherThatDoesNotAnswerIsNotWaitedForLong() throws {
        let scene = try FanOutScene()
        try scene.publish()
        past(scene, frames: 90)
        let end = try scene.view()
        live(scene, 90..<107)
        #expect(end.video.isEmpty)
        live(scene, 107..<120)
        // 700 ms were enough: the whole cached part, at its true spacing.
        #expect(end.video.count == 120)
        let steps = zip(end.video, end.video.dropFirst()).map {
            $1.header.timestamp &- $0.header.timestamp
        }
        #expect(steps.allSatisfy { $0 == 3600 })
    }

    @Test func nobodyIsAskedWhoCannotAnswer() throws {
        let scene = try FanOutScene()
        try scene.publish(pli: false)
        past(scene, frames: 90)
        scene.orders.clear()
        let end = try scene.view()
        live(scene, 90..<92)
        #expect(end.video.count == 92)
        #expect(!scene.takeOrders().contains { if case .keyFrame = $0 { true } else { false } })
    }

    @Test func aStillIsShownWhenTheNextKeyFrameIsNear() throws {
        let scene = try FanOutScene()
        try scene.publish(pli: false)
        // Somebody who watches: so the period is known.
        _ = try scene.view()
        past(scene, frames: 90)
        past(scene, frames: 80, from: 90)
        let end = try scene.view()
        live(scene, 170..<173)
        #expect(end.video.count == 1, "the key frame alone")
        live(scene, 173..<185, key: 180)
        #expect(end.video.count == 1 + 5)
        let gap = end.video[1].header.timestamp &- end.video[0].header.timestamp
        #expect(gap == 90 * 3600)
    }

    @Test func aBurstThatThePathLosesIsGivenUp() throws {
        let scene = try FanOutScene()
        try scene.publish()
        past(scene, frames: 40, size: 1400)
        let end = try scene.view()
        scene.flush()
        #expect((5..<40).contains(end.video.count), "it is spread")
        let first = end.video[0].header.sequence
        try scene.nack(end, (0..<10).map { first &+ $0 })
        let before = end.video.count
        scene.pass(100)
        #expect(end.video.count == before)
        scene.orders.clear()
        live(scene, 40..<60, key: 50)
        #expect(end.video.count == before + 10)
    }

    @Test func aKeyFrameIsSpreadAndOrdinaryFramesAreNot() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        var at: Int64 = 100
        for number: Int64 in 0..<10 {
            let count = number == 5 ? 80 : 3
            scene.frame(at, packets: count, key: number % 5 == 0, ticks: number * 3000)
            at += Int64(count)
            scene.flush()
            if number == 5 { #expect(end.video.count < 12 + 40) }
            if number != 5 { #expect(end.video.count == Int(at - 100)) }
            scene.pass(100)
        }
        #expect(end.video.count == 9 * 3 + 80)
        #expect(end.reused == 0)
    }
}

struct FanOutSlotTests {
    @Test func soundAloneWorks() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.audio()])
        for number: Int64 in 0..<50 {
            scene.sound(10 + number, ticks: number * 960)
            scene.flush()
            scene.pass(20)
        }
        #expect(end.audio.count == 50 && end.video.isEmpty)
    }

    @Test func pictureThatComesLateIsFound() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.audio()])
        scene.sound(10, ticks: 0)
        scene.flush()
        scene.pass(20)
        try scene.stream.announce(
            FanOutScene.video(), epoch: scene.epoch, at: scene.now, into: &scene.orders)
        #expect(scene.takeOrders().contains(.changed))
        scene.changed()
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        #expect(end.video.count == 1)
    }

    @Test func aViewerMayComeBeforeThePublisher() throws {
        let scene = try FanOutScene()
        let end = try scene.view()
        scene.flush()
        scene.pass(1000)
        #expect(scene.fanOut.deadline == .distantFuture)
        try scene.publish()
        scene.changed()
        scene.frame(100, key: true, ticks: 0)
        scene.sound(10, ticks: 0)
        scene.flush()
        #expect(end.video.count == 1 && end.audio.count == 1)
    }

    @Test func whatIsGivenGoesBeforeWhatMustBeMade() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.audio(.pcma)])
        scene.sound(10, ticks: 0)
        scene.flush()
        #expect(end.audio.first?.header.payloadType == 8)
    }

    @Test func aCodecThatWasNotNegotiatedIsSaidOnce() throws {
        let scene = try FanOutScene()
        try scene.publish()
        let end = try scene.view(FanOutScene.negotiated([.h264]))
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        #expect(end.video.count == 1)
        try scene.publish([FanOutScene.video(.vp8), FanOutScene.audio()])
        scene.changed()
        scene.changed()
        #expect(
            scene.fanOut.takeEvents() == [.codecChanged(try scene.id(end), .video, .vp8)])
        scene.frame(100, key: true, ticks: 0, codec: .vp8)
        scene.flush()
        #expect(end.video.count == 1)
    }

    @Test func nothingComesAfterRemoval() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        let other = try scene.view()
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        let id = try scene.id(end)
        _ = scene.fanOut.remove(id, in: scene.stream, at: scene.now, into: &scene.orders)
        for number: Int64 in 1..<10 {
            scene.frame(100 + number, ticks: number * 3000)
            scene.flush()
            scene.pass(1000)
        }
        #expect(end.video.count == 1 && other.video.count == 10)
        #expect(scene.fanOut.report(id) == nil)
        // Its place is taken by another; the old name finds nobody.
        let third = try scene.view()
        scene.fanOut.pause(id, .video, at: scene.now)
        scene.frame(120, key: true, ticks: 90_000)
        scene.flush()
        #expect(third.video.count >= 1)
    }

    @Test func theLastViewerLetsTheRenditionGo() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        scene.frame(100, key: true, ticks: 0)
        scene.flush()
        #expect(scene.stream.readerCount == 2)
        _ = scene.fanOut.remove(
            try scene.id(end), in: scene.stream, at: scene.now, into: &scene.orders)
        #expect(scene.stream.readerCount == 0 && scene.fanOut.isEmpty)
    }
}
