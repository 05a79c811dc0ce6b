import Browser
import Foundation
import FuzzTargets
import Testing
import Wire

/// Every fuzz target over its corpus and over seeded damage of it: no libFuzzer needed, so it runs
/// on each change, under the sanitizers too.
struct CorpusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/fuzz")

    /// Damaged inputs for each target and run. `GATEWAY_FUZZ_MUTATIONS` raises it.
    static let mutations =
        ProcessInfo.processInfo.environment["GATEWAY_FUZZ_MUTATIONS"].flatMap(Int.init) ?? 2000

    static func corpus(of target: FuzzTarget) -> [[UInt8]] {
        let top = folder.appending(path: target.rawValue)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: top.path)) ?? []
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: top.appending(path: name))).map { [UInt8]($0) }
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func hasACorpus(target: FuzzTarget) { #expect(!Self.corpus(of: target).isEmpty) }

    @Test(arguments: FuzzTarget.allCases.filter { $0 != .sctp })
    func survivesItsCorpusAndEveryTruncation(target: FuzzTarget) {
        for input in Self.corpus(of: target) {
            for count in stride(from: input.count, through: 0, by: -max(1, input.count / 200)) {
                target.run(Array(input.prefix(count)).raw)
            }
        }
    }

    /// Its library is one for the process.
    @Test func sctpSurvivesBoth() async throws {
        try await OneEngine.shared.alone {
            survivesItsCorpusAndEveryTruncation(target: .sctp)
            survivesDamage(target: .sctp)
        }
    }

    @Test(arguments: FuzzTarget.allCases.filter { $0 != .sctp })
    func survivesDamage(target: FuzzTarget) {
        let corpus = Self.corpus(of: target)
        var random = SplitMix64(seed: 0x5eed)
        for _ in 0..<(corpus.isEmpty ? 0 : Self.mutations) {
            let input = corpus.randomElement(using: &random) ?? []
            target.run(Self.damaged(input, &random).raw)
        }
    }

    /// Flipped bits, interesting numbers, cut and doubled pieces: what libFuzzer does, more simply.
    static func damaged(_ input: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = input
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let at = Int.random(in: bytes.indices, using: &random)
            switch UInt8.random(in: 0..<6, using: &random) {
            case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes[at] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + 8))
            case 4: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 8)], at: at)
            default: bytes.removeLast(bytes.count - at)
            }
        }
        return bytes
    }
}
