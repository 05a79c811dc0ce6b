import CYardstick
import Glibc
import System
import Wire

// What the way to the wire costs against a C program that does the same:
//     swift run -c release EngineBench [--json] [--rounds N] [--only UDP|TCP]
// The sender is pinned to core 0, the receivers' drain to core 1.

let arguments = CommandLine.arguments
let isJSON = arguments.contains("--json")
let rounds = option("--rounds").flatMap { Int($0) } ?? 21
let only = option("--only")

func option(_ name: String) -> String? {
    guard let index = arguments.firstIndex(of: name) else { return nil }
    return arguments.dropFirst(index + 1).first
}

func contests() -> [() throws -> any Contest] {
    let udp: [() throws -> any Contest] = [
        { try FanOut(perPeer: 1, name: "UDP, 1 x 1200 B to 1000", drainCPU: 1) },
        { try FanOut(perPeer: 8, name: "UDP, runs of 8 x 1200 B to 1000", drainCPU: 1) },
        {
            try FanOut(
                perPeer: 8, source: Address(ipv4: 0x7f00_0001, port: 0),
                name: "the same, source address named", drainCPU: 1)
        },
    ]
    let tcp: [() throws -> any Contest] = [
        { try Tags(size: 1500, drainCPU: 1) }, { try Tags(size: 15_000, drainCPU: 1) },
    ]
    return (only == "TCP" ? [] : udp) + (only == "UDP" ? [] : tcp)
}

do {
    yardstick_more_files()
    yardstick_pin(0)
    var lines: [String] = []
    if !isJSON { print(Figures.head) }
    for make in contests() {
        let figures = try Figures(try make(), rounds: rounds)
        if isJSON { lines.append(figures.json) } else { print(figures.line) }
    }
    if isJSON { print("[\(lines.joined(separator: ",\n "))]") }
} catch {
    print("bench: \(error)")
    exit(1)
}
