import Crypto
import Media
import RTP
import Stream
import Testing
import Wire

@testable import ICE

struct FanOutReportTests {
    /// Ten seconds of picture and sound at their true rates.
    private func play(_ scene: FanOutScene, seconds: Int64 = 10) {
        for number in 0..<(seconds * 50) {
            if number % 2 == 0 {
                let frame = number / 2
                scene.frame(100 + frame, key: frame % 50 == 0, ticks: frame * 3600)
            }
            scene.sound(10 + number, ticks: number * 960)
            scene.flush()
            scene.pass(20)
        }
    }

    @Test func reportsComeOnceASecondWithOneNameAndOneClock() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        play(scene)
        let video = end.reports.filter { $0.ssrc == FanOutScene.videoSSRC }
        let audio = end.reports.filter { $0.ssrc == FanOutScene.audioSSRC }
        #expect((9...13).contains(video.count) && audio.count >= 9)
        // 90 kHz against the clock of the reports, over the whole time.
        let first = try #require(video.first)
        let last = try #require(video.last)
        let seconds = Double(last.ntp.bits &- first.ntp.bits) / 4_294_967_296
        let ticks = Double(last.timestamp &- first.timestamp)
        #expect(abs(ticks / seconds - 90_000) < 20)
        // Sound and picture were taken together, and the reports say so.
        let offset = try sync(video: last, audio: try #require(audio.last), end)
        #expect(abs(offset) < 0.005)
        #expect(last.packets == UInt32(end.video.count) || last.packets > 200)
    }

    /// How far apart the reports put a picture and a sound of the same moment, in seconds.
    private func sync(
        video: RTCPSenderInfo, audio: RTCPSenderInfo, _ end: FarEnd
    ) throws -> Double {
        let picture = try #require(end.video.last)
        let sound = try #require(end.audio.last { $0.at == picture.at })
        func moment(_ info: RTCPSenderInfo, _ timestamp: UInt32, _ rate: Double) -> Double {
            Double(info.ntp.bits >> 16) / 65_536
                + Double(Int32(bitPattern: timestamp &- info.timestamp)) / rate
        }
        return moment(video, picture.header.timestamp, 90_000)
            - moment(audio, sound.header.timestamp, 48_000)
    }

    @Test func aReportProvesAPathAndTellsTheRoundTrip() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        play(scene, seconds: 3)
        let info = try #require(end.reports.last { $0.ssrc == FanOutScene.videoSSRC })
        let at = try #require(end.controlAt.last)
        scene.now = at + .milliseconds(70)
        var block = RTCPReportBlock(
            ssrc: FanOutScene.videoSSRC, fractionLost: 0, cumulativeLost: 0, highestSequence: 0,
            jitter: 0, lastReport: info.ntp.middle, delay: 65_536 / 50)
        let proves = scene.fanOut.feedback(
            try scene.id(end), .report(block), bytes: [UInt8]().raw, at: scene.now)
        #expect(!proves, "it was proven before")
        let report = try #require(scene.fanOut.report(try scene.id(end)))
        let roundTrip = try #require(report.roundTrip)
        #expect((49...51).contains(roundTrip.milliseconds))
        scene.fanOut.move(
            try scene.id(end), to: end.route, isValidated: false, at: scene.now)
        block.lastReport = 77
        #expect(
            !scene.fanOut.feedback(
                try scene.id(end), .report(block), bytes: [UInt8]().raw, at: scene.now))
        block.lastReport = info.ntp.middle
        #expect(
            scene.fanOut.feedback(
                try scene.id(end), .report(block), bytes: [UInt8]().raw, at: scene.now))
    }

    @Test func aGoodbyeNamesAllStreams() throws {
        let (scene, end) = try FanOutScene.watched([FanOutScene.video(), FanOutScene.audio()])
        play(scene, seconds: 1)
        scene.fanOut.goodbye(try scene.id(end), engine: &scene.engine, into: &scene.framed)
        scene.flush()
        let gone = end.controls.compactMap { if case .bye(let ssrc) = $0 { ssrc } else { nil } }
        #expect(
            Set(gone) == [FanOutScene.videoSSRC, FanOutScene.rtxSSRC, FanOutScene.audioSSRC])
    }
}
