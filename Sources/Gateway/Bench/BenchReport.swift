import ICE
import Wire

/// What is printed at the end.
struct BenchReport {
    let options: BenchOptions
    let tally: BenchTally

    /// A row each: a word, and what there is to say.
    var table: String {
        var rows: [(String, String)] = [
            ("viewers", "\(tally.asked) asked, \(tally.joins) joined, \(tally.failed) failed"),
            ("join", times(tally.joinTimes) + ", \(rate) joins/s"),
            ("first packet", times(tally.firstPackets)),
            (
                "received",
                "\(tally.counts.packets) \(options.kind.unit) in "
                    + "\(tally.playLength.seconds.text(1)) s, "
                    + "\(tally.packetsPerSecond.text(0)) per second, "
                    + "\(tally.megabits.text(1)) Mbit/s, "
                    + "\(tally.framesPerViewer.text(1)) frames/s each"
            ),
            (
                "lost",
                "\(tally.counts.lost) (\(tally.lostPercent.text(3)) %), "
                    + "repaired by RTX \(tally.counts.repaired), "
                    + "twice \(tally.counts.duplicates)"
            ),
            (
                "opened",
                "\(tally.counts.opened) packets (\(share)), \(tally.counts.forged) forged, "
                    + "\(tally.counts.strays) strays"
            ),
            ("longest pause", times(tally.longestPauses)),
            ("delay", delay),
        ]
        if let server { rows.append(("server", server)) }
        rows.append(
            (
                "bench",
                "\(tally.ownPerThousand.text(2)) ms of CPU per 1,000 packets; "
                    + "load of this host \(ProcessLoad(pid: 1).hostLoad)"
            ))
        if tally.unanswered > 0 { rows.append(("left", "\(tally.unanswered) without an answer")) }
        var text = ""
        for (name, value) in rows {
            text += name + String(repeating: " ", count: 15 - name.count) + value + "\n"
        }
        return text + failures
    }

    private var share: String {
        options.checkEach == 1 ? "all viewers" : "each \(options.checkEach)th viewer"
    }

    private var rate: String {
        let sorted = tally.rates.sorted()
        return (sorted.isEmpty ? 0 : sorted[sorted.count / 2]).text(1)
    }

    private func times(_ histogram: Histogram) -> String {
        guard histogram.count > 0 else { return "-" }
        let named = [50, 95, 99].map { "p\($0) \(Self.text(histogram.percentile($0)))" }
        return (named + ["max \(Self.text(histogram.maximum))"]).joined(separator: "  ")
    }

    private static func text(_ length: Interval?) -> String {
        guard let length else { return "-" }
        let milliseconds = length.seconds * 1e3
        return "\(milliseconds.text(milliseconds < 10 ? 2 : milliseconds < 100 ? 1 : 0)) ms"
    }

    private var delay: String {
        guard let (source, lengths) = tally.delay else {
            return "unknown: no stamps, no abs-capture-time, no sender reports"
        }
        let warning = lengths.negative > 0 ? ", \(lengths.negative) below zero" : ""
        return "\(times(lengths))  (\(source.text), \(lengths.count) frames\(warning))"
    }

    private var server: String? {
        guard let pid = options.pid else { return nil }
        guard let percent = tally.serverPercent, let thousand = tally.serverPerThousand else {
            return "there is no process \(pid)"
        }
        var text = "\(percent.text(1)) % of a core, "
        text += "\(thousand.text(3)) ms per 1,000 \(options.kind.unit)"
        if let each = tally.serverPerClient { text += ", \(each.text(3)) ms per second and viewer" }
        if let join = tally.serverPerJoin { text += ", \(join.text(2)) ms per join" }
        if let memory = tally.memoryPerViewer { text += ", \(memory) KiB per viewer" }
        return text
    }

    private var failures: String {
        tally.failures.sorted { $0.value > $1.value }.map {
            "error: \($0.value) of \(tally.asked): \($0.key)\n"
        }.joined()
    }

    var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.field("bench", options.kind.rawValue)
            json.field("target", options.url.target)
            json.field("rounds", options.rounds)
            json.field("asked", tally.asked)
            json.field("joined", tally.joins)
            json.field("failed", tally.failed)
            json.object("failures") { json in
                for (cause, count) in tally.failures { json.field(cause, count) }
            }
            write(tally.joinTimes, "join_ms", into: &json)
            write(tally.firstPackets, "first_packet_ms", into: &json)
            json.array("joins_per_second") { json in
                for rate in tally.rates { json.value(rate) }
            }
            json.field("seconds", tally.playLength.seconds)
            writeCounts(into: &json)
            write(tally.longestPauses, "longest_pause_ms", into: &json)
            if let (source, lengths) = tally.delay {
                json.field("delay_source", source.text)
                write(lengths, "delay_ms", into: &json)
            }
            writeServer(into: &json)
            json.field("bench_us_per_packet", tally.ownPerThousand)
            json.field("host_load", ProcessLoad(pid: 1).hostLoad)
        }
        return json.bytes + [0x0a]
    }

    private func writeCounts(into json: inout JSONWriter) {
        json.field("packets", tally.counts.packets)
        json.field("packets_per_second", tally.packetsPerSecond)
        json.field("mbit_per_second", tally.megabits)
        json.field("frames_per_second_and_viewer", tally.framesPerViewer)
        json.field("lost", tally.counts.lost)
        json.field("repaired", tally.counts.repaired)
        json.field("duplicates", tally.counts.duplicates)
        json.field("opened", tally.counts.opened)
        json.field("forged", tally.counts.forged)
        json.field("strays", tally.counts.strays)
    }

    private func writeServer(into json: inout JSONWriter) {
        if let percent = tally.serverPercent { json.field("server_cpu_percent", percent) }
        if let each = tally.serverPerThousand { json.field("server_us_per_packet", each) }
        if let each = tally.serverPerClient { json.field("server_ms_per_second_and_viewer", each) }
        if let join = tally.serverPerJoin { json.field("server_ms_per_join", join) }
        if let memory = tally.memoryPerViewer { json.field("server_kib_per_viewer", memory) }
    }

    private func write(_ histogram: Histogram, _ name: String, into json: inout JSONWriter) {
        json.object(name) { json in
            for percent in [50, 95, 99] {
                guard let length = histogram.percentile(percent) else { continue }
                json.field("p\(percent)", length.seconds * 1e3)
            }
            json.field("max", histogram.maximum.seconds * 1e3)
            json.field("count", histogram.count)
        }
    }
}

extension ClientOutput.DelaySource {
    var text: String {
        switch self {
        case .stamp: "stamps in the picture"
        case .capture: "abs-capture-time"
        case .report: "sender reports"
        }
    }
}
