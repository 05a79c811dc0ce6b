import CYardstick
import Crypto
import Glibc
import Wire

// What a packet costs on its way to hundreds of viewers, beside a C program that does the least
// that can be done with the same library and the same socket:
//     swift run -c release FanOutBench [--rounds N] [--part fan|send|stages|flat|memory|histogram]
//     swift run -c release FanOutBench --only K      one length of runs, ours alone: for a profiler
// Ours and the yardsticks take turns; thread CPU time, minimum of the rounds. The bare yardstick
// writes twelve bytes of header and protects; the other also writes the transport-wide number and
// keeps a record of each packet, as whoever answers NACKs has to.

func argument(_ name: String) -> String? {
    let all = CommandLine.arguments
    return all.firstIndex(of: name)
        .flatMap { all.indices.contains($0 + 1) ? all[$0 + 1] : nil }
}

let rounds = argument("--rounds").flatMap { Int($0) } ?? 101
let part = argument("--part")

func isAsked(_ name: String) -> Bool { part == nil || part == name }

func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

func right(_ number: UInt64, _ width: Int) -> String { right("\(number)", width) }

/// C / ours: above 1, ours is cheaper.
func ratio(_ ours: UInt64, _ other: UInt64) -> String {
    let hundredths = ours > 0 ? other * 100 / ours : 0
    return "\(hundredths / 100).\(hundredths / 10 % 10)\(hundredths % 10)"
}

let profiles: [(name: String, profile: SRTPProfile)] = [
    ("AES-128-GCM", .aes128GCM), ("AES-CM SHA-1", .aes128SHA1),
]

/// Ours, then the bare yardstick, then the one with records: nanoseconds per packet.
func contest(_ load: Load, to outlet: Outlet? = nil) throws -> (times: [UInt64], row: FanOutRow) {
    let ours = try FanOutRow(load, to: outlet)
    let others = [false, true].map { Yardstick(load, keepsRecords: $0, to: outlet) }
    var best = [UInt64](repeating: .max, count: 3)
    for _ in 0...rounds {
        best[0] = min(best[0], ours.run())
        outlet?.settle()
        for (place, other) in others.enumerated() {
            guard let other else { continue }
            best[place + 1] = min(best[place + 1], other.run())
            outlet?.settle(other.bytes)
        }
    }
    return (best.map { $0 == .max ? 0 : $0 / load.packetsPerRound }, ours)
}

func compare(sends: Bool) throws {
    print(
        pad(sends ? "rewrite, protect, send" : "rewrite, protect", 34)
            + "   ours    bare  ratio records  ratio  allocs  runs")
    let outlet = sends ? try Outlet(receivers: Load().viewers) : nil
    for (name, profile) in profiles {
        for packets in [1, 3, 8] {
            var load = Load(profile: profile, packets: packets)
            if sends { load.frames = 4 }
            let (times, row) = try contest(load, to: outlet)
            var line = pad("\(name), \(packets) to each viewer", 34) + right(times[0], 7)
            for other in times[1...] { line += right(other, 8) + right(ratio(times[0], other), 7) }
            print(line + right(row.allocations(), 8) + "  \(row.histogram)")
        }
    }
}

/// A frame of Chrome's comes in bursts of three, and the last packet is one byte longer: one byte
/// of padding on the others would make one run of two.
func padding() throws {
    let outlet = try Outlet(receivers: Load().viewers)
    var times: [UInt64] = []
    for isUneven in [true, false] {
        let row = try FanOutRow(Load(packets: 3, isUneven: isUneven, frames: 4), to: outlet)
        var best = UInt64.max
        for _ in 0...rounds {
            best = min(best, row.run())
            outlet.settle()
        }
        times.append(best / row.load.packetsPerRound)
        print("3 packets, last \(isUneven ? "one byte longer" : "as long"): runs \(row.histogram)")
    }
    print("ns per packet: \(times[0]) in two runs, \(times[1]) in one")
}

func stages() throws {
    print("ns per packet of 1,100 B, 8 to each of 500 viewers")
    for (name, profile) in profiles {
        let load = Load(profile: profile)
        let steps = try Stages(load)
        for _ in 0...rounds { steps.run() }
        let fan = try contest(load).times
        var sent = load
        sent.frames = 4
        let send = try contest(sent, to: Outlet(receivers: load.viewers)).times
        let protect = steps.nanoseconds(\.protect)
        print(pad(name, 26) + "   ours       C")
        for (stage, time) in [
            ("demux", steps.nanoseconds(\.demux)), ("unprotect", steps.nanoseconds(\.unprotect)),
            ("parse", steps.nanoseconds(\.parse)), ("store", steps.nanoseconds(\.store)),
        ] {
            print("  " + pad(stage, 24) + right(time, 7))
        }
        func row(_ stage: String, _ ours: UInt64, _ other: UInt64) {
            print("  " + pad(stage, 24) + right(ours, 7) + right(other, 8))
        }
        row("rewrite, record, run", fan[0] - min(fan[0], protect), fan[2] - min(fan[1], fan[2]))
        row("protect", protect, fan[1])
        row("batch, send", send[0] - min(send[0], fan[0]), send[2] - min(send[2], fan[2]))
        row("all of one viewer's", send[0], send[2])
    }
}

/// The same work spread over more viewers, or over more streams, in turns.
func flat(_ name: String, _ few: Load, _ many: Load) throws {
    let rows = try [FanOutRow(few), FanOutRow(many)]
    var best = [UInt64](repeating: .max, count: 2)
    for _ in 0...rounds {
        for (place, row) in rows.enumerated() { best[place] = min(best[place], row.run()) }
    }
    let each = zip(best, rows).map { $0 / $1.load.packetsPerRound }
    print("\(name): \(each[0]) and \(each[1]) ns per packet, \(ratio(each[0], each[1]))")
}

do {
    yardstick_more_files()
    yardstick_pin(0)
    if let packets = argument("--only").flatMap({ Int($0) }) {
        let row = try FanOutRow(Load(packets: packets))
        var best = UInt64.max
        for _ in 0...rounds { best = min(best, row.run()) }
        let each = best / row.load.packetsPerRound
        let all = row.load.packetsPerRound * UInt64(rounds + 1)
        print("runs of \(packets): \(each) ns per packet, \(all) packets")
        exit(0)
    }
    if isAsked("fan") { try compare(sends: false) }
    if isAsked("send") { try compare(sends: true) }
    if isAsked("stages") { try stages() }
    if isAsked("histogram") { try padding() }
    if isAsked("flat") {
        try flat(
            "64 kbit/s to 100 and to 5,000 viewers",
            Load(packets: 1, size: 160, viewers: 100, frames: 50),
            Load(packets: 1, size: 160, viewers: 5000, frames: 1))
        try flat(
            "500 viewers of 1 stream and of 500", Load(packets: 1, viewers: 500, frames: 4),
            Load(packets: 1, viewers: 1, frames: 4, streams: 500))
    }
    if isAsked("memory") { print(try ViewerMemory().measure(1000)) }
} catch {
    print("bench: \(error)")
    exit(1)
}
