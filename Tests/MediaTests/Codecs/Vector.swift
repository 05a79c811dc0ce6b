import Foundation
import Testing
import Wire

/// Files under Tests/Vectors/codecs: elementary streams of a test picture, made with ffmpeg.
enum Vector {
    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = folder.appending(path: "Vectors/codecs/\(name)")
        return Array(try Data(contentsOf: file))
    }
}

/// Damage for parsers: the same for the same seed.
enum Damage {
    /// Calls `parse` with a thousand copies of `bytes`, up to four bytes of each changed.
    static func of(_ bytes: [UInt8], seed: UInt64, _ parse: ([UInt8]) -> Void) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<1000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: damaged.indices, using: &random)] =
                    UInt8.random(in: 0...255, using: &random)
            }
            parse(damaged)
        }
    }

    static let seeds: Range<UInt64> = 0..<8
}
