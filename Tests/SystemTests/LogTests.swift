import Foundation
import Synchronization
import System
import Testing
import Wire

struct LogTests {
    /// A log whose lines and time the test holds.
    final class Desk: Sendable {
        private let written = Mutex<[String]>([])
        let now = Atomic<Int64>(0)
        /// 2026-11-20T13:05:07.123Z
        static let utc: Int64 = 1_795_179_907_123_000_000

        func sink(_ level: Log.Level = .info, _ format: LogFormat = .text) -> LogSink {
            let clock = LogSink.Clock(
                now: { Instant(nanoseconds: self.now.load(ordering: .relaxed)) },
                utc: { Self.utc })
            return LogSink(
                level: level, format: format, clock: clock,
                delivery: .direct { bytes in
                    self.written.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
                })
        }

        var lines: [String] { written.withLock { $0 } }
    }

    @Test func aLineSaysWhenWhoAndWhat() {
        let desk = Desk()
        let log = Log(desk.sink(), "webrtc").with("session", "ab12").with("stream", "live/cam1")
        log.info("publishing H264")
        log.error(code: "ice-timeout", "no media for 10 s", ["peer": "192.0.2.1:5000"])
        #expect(
            desk.lines == [
                "2026-11-20T13:05:07.123Z INF webrtc session=ab12 stream=live/cam1 "
                    + "publishing H264\n",
                "2026-11-20T13:05:07.123Z ERR webrtc session=ab12 stream=live/cam1 "
                    + "peer=192.0.2.1:5000 code=ice-timeout no media for 10 s\n",
            ])
    }

    @Test func jsonIsOneObjectALine() throws {
        let desk = Desk()
        Log(desk.sink(.info, .json), "http").with("session", "a\"b")
            .warning("said \"no\"\n", ["ip": "192.0.2.1"])
        let object = try JSONSerialization.jsonObject(with: Data(desk.lines[0].utf8))
        let expected = [
            "ts": "2026-11-20T13:05:07.123Z", "level": "warning", "module": "http",
            "session": "a\"b", "ip": "192.0.2.1", "msg": "said \"no\"\n",
        ]
        #expect(object as? [String: String] == expected)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"),
        (1_772_323_199_999, "2026-02-28T23:59:59.999Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
    ])
    func datesAreRight(milliseconds: Int64, text: String) {
        let written = Mutex("")
        let clock = LogSink.Clock(now: { .start }, utc: { milliseconds * 1_000_000 })
        let sink = LogSink(
            level: .info, format: .text, clock: clock,
            delivery: .direct { bytes in
                written.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
            })
        Log(sink, "m").info("x")
        #expect(written.withLock { $0 } == "\(text) INF m x\n")
    }

    /// A stream's name, a user agent, a reason: all of them may come from somebody who wants to
    /// write log lines of his own.
    @Test func noTextOfAPeerCanForgeALineOrAField() {
        let desk = Desk()
        let log = Log(desk.sink(), "http").with("stream", "a b=c\nERR")
        log.info("agent x\r\n2026 ERR\u{1b}[2J\u{202e}", ["reason": "\"; code=1"])
        #expect(desk.lines.count == 1)
        #expect(
            desk.lines[0].dropFirst(25)
                == "INF http stream=\"a b=c\\nERR\" reason=\"\\\"; code=1\" "
                + "agent x\\r\\n2026 ERR\\u001b[2J\\u202e\n")
    }

    @Test func whatIsBelowTheLevelIsNotEvenPutTogether() {
        let desk = Desk()
        let sink = desk.sink(.warning)
        let log = Log(sink, "m")
        var made = 0
        func text() -> String {
            made += 1
            return "x"
        }
        log.debug(text())
        log.info(text(), ["key": text()])
        #expect(made == 0 && desk.lines.isEmpty)
        sink.set(level: .debug)
        log.debug(text())
        #expect(made == 1 && desk.lines.count == 1)
    }

    @Test func aRepeatedLineIsCountedInstead() {
        let desk = Desk()
        let sink = desk.sink()
        let log = Log(sink, "ice").with("worker", "1")
        func flood(_ count: Int) {
            for index in 0..<count { log.warning("forged check \(index)", every: .seconds(10)) }
        }
        flood(215)
        log.warning("another place", every: .seconds(10))
        #expect(desk.lines.count == 2)
        desk.now.store(9_999_999_999, ordering: .relaxed)
        #expect(sink.closeWindows() == Instant.start + .seconds(10))
        #expect(desk.lines.count == 2)
        desk.now.store(10_000_000_000, ordering: .relaxed)
        #expect(sink.closeWindows() == nil)
        #expect(desk.lines.count == 3, "the other place held nothing back")
        #expect(
            desk.lines[2].hasSuffix("WRN ice worker=1 …and 214 more in 10 s: forged check 0\n"))
        flood(3)
        desk.now.store(30_000_000_000, ordering: .relaxed)
        flood(1)
        #expect(desk.lines.count == 6)
        #expect(desk.lines[4].contains("…and 2 more in 10 s"))
    }

    @Test func aSlowOutputLosesLinesAndSaysHowMany() {
        let woken = Atomic<Int>(0)
        let clock = LogSink.Clock(now: { .start }, utc: { 0 })
        let sink = LogSink(
            level: .info, format: .text, clock: clock,
            delivery: .queued { woken.add(1, ordering: .relaxed) })
        let log = Log(sink, "m")
        let text = String(repeating: "x", count: 1000)
        for _ in 0..<2000 { log.info(text) }
        #expect(woken.load(ordering: .relaxed) == 1, "one ring for all")
        let lines = String(decoding: sink.take(), as: UTF8.self).split(separator: "\n")
        let lost = 2000 - (lines.count - 1)
        #expect(lost > 0)
        #expect(
            lines.last?.hasSuffix("WRN log \(lost) lines lost: the log's output is too slow")
                == true)
        #expect(sink.take().isEmpty)
    }
}
