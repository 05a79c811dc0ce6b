import Glibc
import System
import Wire

/// What is going on, for whoever waits: one line that is written over, or, where there is no
/// terminal, one line every five seconds.
struct BenchProgress {
    private let options: BenchOptions
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var round = 1
    private var told = Clock.now
    private var packets = 0
    private var bytes = 0
    private var server: Interval?

    init(_ options: BenchOptions) { self.options = options }

    mutating func begin(_ round: Int) {
        self.round = round
        (packets, bytes) = (0, 0)
    }

    mutating func tell(_ viewers: [some BenchClient], _ pid: Int?, at now: Instant) {
        guard now - told >= (isTerminal ? .seconds(1) : .seconds(5)) else { return }
        let span = (now - told).seconds
        told = now
        var counts = BenchCounts()
        var (playing, failed) = (0, 0)
        for viewer in viewers {
            counts += viewer.counts
            if viewer.isPlaying { playing += 1 }
            if viewer.failure != nil { failed += 1 }
        }
        let rate = Double(counts.packets - packets) / span
        let megabits = Double(counts.bytes - bytes) * 8 / 1e6 / span
        (packets, bytes) = (counts.packets, counts.bytes)
        var text = options.rounds > 1 ? "round \(round)/\(options.rounds): " : ""
        text += "\(playing) of \(options.viewers) play, \(failed) failed, "
        text += "\(Int(max(0, rate))) packets/s, \(max(0, megabits).text(1)) Mbit/s, "
        text += "\(counts.lost) lost"
        if let pid, let time = ProcessLoad(pid: pid).time {
            if let server {
                text += ", server \(((time - server).seconds * 100 / span).text(0)) %"
            }
            server = time
        }
        Console.note(isTerminal ? "\r\u{1b}[K" + text : text + "\n")
    }

    func end() { if isTerminal { Console.note("\r\u{1b}[K") } }
}

extension Double {
    /// With so many digits behind the point.
    func text(_ digits: Int) -> String {
        guard isFinite, magnitude < 1e15 else { return "?" }
        let scale = (0..<digits).reduce(1.0) { scale, _ in scale * 10 }
        let rounded = Int64((self * scale).rounded())
        guard digits > 0 else { return "\(rounded)" }
        let (whole, rest) = rounded.magnitude.quotientAndRemainder(dividingBy: UInt64(scale))
        let tail = String(rest)
        let zeros = String(repeating: "0", count: digits - tail.count)
        return "\(rounded < 0 ? "-" : "")\(whole).\(zeros)\(tail)"
    }
}
