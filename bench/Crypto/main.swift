import CYardstick
import Crypto
import Glibc
import Wire

// What protection and handshakes cost, protection against a C program that only calls the library:
//     swift run -c release CryptoBench [--rounds N]
// Ours and the yardstick take turns; thread CPU time, minimum of the rounds.

let arguments = CommandLine.arguments
let rounds =
    arguments.firstIndex(of: "--rounds")
    .flatMap { arguments.indices.contains($0 + 1) ? Int(arguments[$0 + 1]) : nil } ?? 21

do {
    yardstick_pin(0)
    print("ns per packet, 256 keys                    ours      C   ratio")
    for size in [1200, 160] {
        for row in ProtectRow.all {
            guard let figures = try row.run(size: size, rounds: rounds) else { continue }
            print(figures)
        }
    }
    let handshakes = try HandshakeBench()
    print(handshakes.run(rounds: rounds))
    print(handshakes.halfOpen())
} catch {
    print("bench: \(error)")
    exit(1)
}
