import Codecs
import Glibc
import Media
import Transcode
import Wire

// What converting sound costs: CPU time of one stream, as a share of a core.
//     swift run -c release TranscodeBench [--rounds N]
// Each round converts ten seconds; thread CPU time, minimum and median of the rounds.

let arguments = CommandLine.arguments
let rounds =
    arguments.firstIndex(of: "--rounds")
    .flatMap { arguments.indices.contains($0 + 1) ? Int(arguments[$0 + 1]) : nil } ?? 15

/// Something that encoders have work with: three tones that move, and noise.
func music(rate: Int32, channels: Int32, seconds: Int) -> [[UInt8]] {
    var dice = SplitMix64(seed: 1)
    let size = Int(rate) / 50
    return (0..<seconds * 50).map { frame in
        (0..<size).flatMap { at -> [UInt8] in
            let time = Double(frame * size + at) / Double(rate)
            return (0..<channels).flatMap { channel -> [UInt8] in
                let pitch = 220 * (1 + Double(channel) / 4 + 0.1 * sin(time * 3))
                let noise = Double(dice.next() % 2000) / 1000 - 1
                let value =
                    0.2 * sin(6.283185 * pitch * time) + 0.1 * sin(6.283185 * 3.1 * pitch * time)
                    + 0.05 * sin(6.283185 * 7.3 * pitch * time) + 0.02 * noise
                let sample = Int16(value * 32_767)
                return [UInt8(truncatingIfNeeded: sample >> 8), UInt8(truncatingIfNeeded: sample)]
            }
        }
    }
}

func linear(_ rate: Int32, _ channels: Int32) -> Format {
    var format = Format(codec: .l16, clockRate: rate)
    (format.sampleRate, format.channels) = (rate, channels)
    return format
}

/// Converts, and says what came out and what it cost.
func convert(
    _ frames: [[UInt8]], _ source: Format, step: Int64, to codec: Codec,
    _ options: AudioBridge.Options
) throws(TranscodeError) -> (frames: [[UInt8]], nanoseconds: Int64, format: Format) {
    var bridge = try AudioBridge(from: source, to: codec, options)
    var batch = ItemBatch()
    var made: [[UInt8]] = []
    var spent: Int64 = 0
    for (number, frame) in frames.enumerated() {
        let meta = ItemMeta(
            ticks: Int64(number) * step, arrival: .start, length: frame.count, flags: [])
        let before = threadTime()
        bridge.receive(frame.raw, meta, into: &batch)
        spent += threadTime() - before
        for index in 0..<batch.count { made.append([UInt8](copying: batch.bytes(of: index))) }
        batch.clear()
    }
    return (made, spent, bridge.format)
}

func threadTime() -> Int64 {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

func row(
    _ name: String, _ frames: [[UInt8]], _ source: Format, step: Int64, to codec: Codec,
    _ options: AudioBridge.Options = .init()
) throws(TranscodeError) {
    var costs: [Double] = []
    for _ in 0..<rounds {
        let result = try convert(frames, source, step: step, to: codec, options)
        let seconds =
            Double(frames.count) * Double(step) / Double(source.clockRate)
        costs.append(Double(result.nanoseconds) / 1e9 / seconds * 100)
    }
    costs.sort()
    func text(_ value: Double) -> String { "\((value * 1000).rounded() / 1000) %" }
    print("\(name): \(text(costs[0])) of a core (median \(text(costs[costs.count / 2])))")
}

do throws(TranscodeError) {
    let stereo48 = music(rate: 48_000, channels: 2, seconds: 10)
    let stereo44 = music(rate: 44_100, channels: 2, seconds: 10)
    let mono8 = music(rate: 8000, channels: 1, seconds: 10)
    let aac48 = try convert(stereo48, linear(48_000, 2), step: 960, to: .aac, .init())
    let aac44 = try convert(stereo44, linear(44_100, 2), step: 882, to: .aac, .init())
    let opus = try convert(stereo48, linear(48_000, 2), step: 960, to: .opus, .init())
    var low = AudioBridge.Options()
    low.stereoBitrate = 64_000
    try row(
        "AAC 48 kHz stereo to Opus 64 kb/s", aac48.frames, aac48.format, step: 1024, to: .opus, low)
    try row(
        "AAC 44.1 kHz stereo to Opus 64 kb/s", aac44.frames, aac44.format, step: 1024, to: .opus,
        low)
    try row(
        "AAC 44.1 kHz stereo to Opus 96 kb/s", aac44.frames, aac44.format, step: 1024, to: .opus)
    try row("Opus stereo to AAC 128 kb/s", opus.frames, opus.format, step: 960, to: .aac)
    try row("16 bits 8 kHz mono to Opus 48 kb/s", mono8, linear(8000, 1), step: 160, to: .opus)
    try row("16 bits 8 kHz mono to AAC 64 kb/s", mono8, linear(8000, 1), step: 160, to: .aac)
} catch {
    print("bench: \(error)")
    exit(1)
}
