import Glibc
import SRT
import SRTPort
import Settings
import Stream
import System
import Testing
import Wire

@testable import Gateway

/// FFmpeg and srt-live-transmit publish and play by SRT, on real workers.
@Suite(
    .enabled(if: Tool.hasFFmpeg && Tool.path("srt-live-transmit") != nil, "install srt-tools"),
    .serialized)
struct SRTTests {
    static func publish(_ url: String, seconds: Int = 12) throws -> Tool {
        try Tool(
            "ffmpeg -v error -re \(FFmpegTests.picture) \(FFmpegTests.sound) -t \(seconds) "
                + "\(FFmpegTests.h264) -bf 0 \(FFmpegTests.aac) -f mpegts \(url)")
    }

    static func wait(_ seconds: Double = 10, until isSo: () -> Bool) -> Bool {
        for _ in 0..<Int(seconds * 20) {
            if isSo() { return true }
            usleep(50_000)
        }
        return isSo()
    }

    @Test func whatFFmpegPublishesEverybodyPlays() throws {
        let srt = try SRTCrew(workers: 2)
        let publisher = try Self.publish(srt.url("publish:live/a", "&pkt_size=1316"))
        defer { publisher.stop() }
        let (codecs, text) = FFmpegTests.play(srt.url("read:live/a"))
        #expect(Set(codecs) == ["h264", "aac"], "\(text)")
        let (overHTTP, more) = srt.play("live/a.flv")
        #expect(overHTTP == ["h264", "aac"], "\(more)")
        let figures = srt.crew.ask(0) { $0.sessionReports } ?? []
        let others = srt.crew.ask(1) { $0.sessionReports } ?? []
        let report = try #require((figures + others).first { $0.role == .publish })
        #expect(report.protocolName == "srt" && report.stream == "live/a")
        #expect((report.srt?.packets ?? 0) > 50 && report.srt?.latency == .milliseconds(120))
        #expect(srt.office.board.totals.packetsOut > 0)
    }

    @Test func liveTransmitCarriesBothWays() throws {
        let srt = try SRTCrew()
        let publisher = try Self.publish(srt.url("#!::r=live/a,m=publish"))
        defer { publisher.stop() }
        let other = try SRTCrew()
        let from = srt.url("#!::r=live/a,m=request")
        let relay = try Tool(
            "srt-live-transmit", ["-q", from, other.url("#!::r=live/b,m=publish")])
        defer { relay.stop() }
        let (codecs, text) = other.play("live/b.flv")
        #expect(codecs == ["h264", "aac"], "\(text)")
    }

    @Test func anEncryptedStreamIsForThoseWithThePassphrase() throws {
        let srt = try SRTCrew(passphrase: "correct-horse")
        let publisher = try Self.publish(
            srt.url("publish:live/a", "&passphrase=correct-horse"))
        defer { publisher.stop() }
        let (codecs, text) = FFmpegTests.play(
            srt.url("read:live/a", "&passphrase=correct-horse"))
        #expect(Set(codecs) == ["h264", "aac"], "\(text)")
        let probe = try SRTCallerProbe()
        let wrong = try probe.call(srt.port, "read:live/a", passphrase: "wrong-horse-wrong")
        #expect(wrong.contains("passphrase"), "\(wrong)")
        let none = try probe.call(srt.port, "read:live/a")
        #expect(none.contains("assword"), "\(none)")
        let open = try SRTCrew()
        let unwanted = try probe.call(open.port, "read:live/a", passphrase: "correct-horse")
        #expect(unwanted.contains("assword"), "\(unwanted)")
    }

    /// What cannot be read back is not taken for an empty one, and all that may be sent is read.
    @Test func aStreamIDMayBeAsLongAsItGets() throws {
        let srt = try SRTCrew()
        let id = "publish:live/a?fill="
        let filled = id + String(repeating: "x", count: 512 - id.utf8.count)
        let publisher = try Self.publish(srt.url(filled), seconds: 6)
        defer { publisher.stop() }
        #expect(Self.wait { srt.office.board.totals.packetsIn > 20 })
    }

    @Test func callersAreToldWhyTheyAreSentAway() throws {
        let srt = try SRTCrew(gate: Gate(publishKey: Secret("sesame"), loopback: .key))
        let probe = try SRTCallerProbe()
        let told = try [
            "#!:{r=live/a}", "publish:../a", "#!::r=live/a,m=bidirectional",
            "#!::r=live/a,t=file,m=publish", "publish:live/a", "publish:live/a:me:wrong",
        ].map { try probe.call(srt.port, $0) }
        let codes = [1400, 1400, 1405, 1415, 1401, 1401]
        for (words, code) in zip(told, codes) { #expect(words.contains("\(code)"), "\(words)") }
        #expect(try probe.call(srt.port, "publish:live/a:me:sesame") == "")
        #expect(try probe.call(srt.port, "#!::r=live/b,m=publish,s=sesame") == "")
        #expect(srt.office.board.totals.rejected == 6)
    }

    @Test func whoGuessesIsNotLookedAtAnyMore() throws {
        let srt = try SRTCrew()
        let probe = try SRTCallerProbe()
        var told: [String] = []
        for _ in 0..<14 { told.append(try probe.call(srt.port, "publish:../a")) }
        #expect(told.prefix(5).allSatisfy { $0.contains("1400") })
        #expect(told.contains { $0.contains("1402") }, "\(told)")
    }

    @Test func strangeDatagramsDisturbNobody() throws {
        let srt = try SRTCrew()
        let publisher = try Self.publish(srt.url("publish:live/a"))
        defer { publisher.stop() }
        #expect(Self.wait { srt.office.board.totals.packetsIn > 20 })
        var random = SplitMix64(seed: 7)
        let socket = try UDPSocket(bind: SRTCrew.loopback)
        for _ in 0..<2000 {
            let count = Int.random(in: 0...1400, using: &random)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            // Half of them claim to be control packets.
            if count > 0, Bool.random(using: &random) { bytes[0] |= 0x80 }
            socket.send(bytes.raw, to: SRTCrew.loopback.with(port: srt.port))
        }
        let (codecs, text) = srt.play("live/a.flv")
        #expect(codecs == ["h264", "aac"], "\(text)")
    }

    @Test func aPublisherWhoLeavesIsGone() throws {
        let srt = try SRTCrew()
        let publisher = try Self.publish(srt.url("publish:live/a"), seconds: 3)
        #expect(Self.wait { srt.office.board.totals.connections == 1 })
        _ = publisher.end()
        #expect(Self.wait { srt.office.board.totals.connections == 0 })
        let reports = srt.crew.ask(0) { $0.sessionReports } ?? []
        #expect(reports.isEmpty)
    }

    @Test func itEndsCleanlyWithConnectionsOpen() throws {
        let srt = try SRTCrew()
        let publisher = try Self.publish(srt.url("publish:live/a"))
        defer { publisher.stop() }
        #expect(Self.wait { srt.office.board.totals.packetsIn > 20 })
        srt.office.drain()
        let probe = try SRTCallerProbe()
        let told = try probe.call(srt.port, "publish:live/b")
        #expect(!told.isEmpty, "nobody is let in any more")
        srt.office.end()
        #expect(Self.wait { srt.office.isOver })
        let peer = SRTCrew.loopback.with(port: srt.port)
        let isMade = srt.office.call(peer, SRTOptions(), isIncoming: true) != nil
        #expect(!isMade, "there is nobody to make it")
    }
}
