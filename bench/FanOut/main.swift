import CYardstick
import Crypto
import Glibc
import Wire

// What it costs to number, stamp and protect a stream's packets for its viewers, beside a C program
// that only writes headers and calls the library:
//     swift run -c release FanOutBench [--rounds N] [--only K]
// Ours and the yardstick take turns; thread CPU time, minimum of the rounds.

func argument(_ name: String) -> Int? {
    let all = CommandLine.arguments
    return all.firstIndex(of: name)
        .flatMap { all.indices.contains($0 + 1) ? Int(all[$0 + 1]) : nil }
}

let rounds = argument("--rounds") ?? 101
/// One length of runs only, and GCM only: for a profiler.
let only = argument("--only")

func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

func measure(_ name: String, _ profile: SRTPProfile, _ kind: Int32, packets: Int) throws {
    let ours = try FanOutRow(profile, packets: packets)
    let size = FanOutRow.size
    let payloads = [UInt8](repeating: 7, count: size * packets)
    let c = unsafe yardstick_srtp_new(kind, UInt32(FanOutRow.viewers), size)
    defer { if let c = unsafe c { unsafe yardstick_srtp_free(c) } }
    var best = (ours: UInt64.max, c: UInt64.max)
    for _ in 0...rounds {
        best.ours = min(best.ours, ours.run())
        let start = yardstick_thread_time()
        if let c = unsafe c {
            for _ in 0..<FanOutRow.frames {
                unsafe yardstick_srtp_fan(c, payloads, size, UInt32(packets))
            }
        }
        best.c = min(best.c, yardstick_thread_time() - start)
    }
    let count = UInt64(FanOutRow.viewers * FanOutRow.frames * packets)
    let (own, other) = (best.ours / count, best.c / count)
    let ratio = own > 0 ? Double(other * 100 / own) / 100 : 0
    print(
        "\(name), runs of \(packets)" + right("\(own)", 8) + right("\(other)", 8)
            + right("\(ratio)", 8) + right("\(ours.allocations())", 8)
            + right("\(ours.sent / max(1, ours.runs))", 8))
}

do {
    yardstick_pin(0)
    print("ns per packet, \(FanOutRow.viewers) viewers     ours       C   ratio  allocs  run")
    for packets in only.map({ [$0] }) ?? [1, 3, 8] {
        try measure("AES-128-GCM ", .aes128GCM, 2, packets: packets)
        if only == nil {
            try measure("AES-CM SHA-1", .aes128SHA1, 3, packets: packets)
        }
    }
} catch {
    print("bench: \(error)")
    exit(1)
}
