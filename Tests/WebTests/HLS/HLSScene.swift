import Codecs
import HLS
import Media
import Stream
import Testing
import Wire

/// A stream that is cut for HLS, in its own time: frames go in, the shelf is looked at.
struct HLSScene {
    static let sps = Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    static let pps = Hex.decode("68eae3cb22c0") ?? []
    /// 2026-11-21 15:00:00 UTC.
    static let began: Int64 = 1_795_273_200_000_000_000

    var segmenter: HLSSegmenter
    var video: Format?
    var sound: Format?
    /// Of the stream, in milliseconds.
    var time: Int64 = 0
    /// Frames since the last key frame.
    private var sinceKey = 0
    /// Frames of sound, from the stream's beginning on.
    var soundSent: Int64 = 0
    var jump: Jump?
    /// Every change of the shelf, as a client that reloads at once would see it.
    var changes = 0
    var watch = HLSWatch()
    var findings: [HLSFinding] = []

    init(_ rules: HLSRules = HLSRules(), hasVideo: Bool = true, hasSound: Bool = true) throws {
        segmenter = HLSSegmenter(rules, firstNumber: 1000)
        if hasVideo { video = try Format(h264: Self.sps, parameterSets: [Self.sps, Self.pps]) }
        if hasSound { sound = try Format(AACConfiguration(sampleRate: 48_000, channels: 2)) }
        var present: [PresentSlot] = []
        if let video { present.append(PresentSlot(slot: .video, format: video)) }
        if let sound { present.append(PresentSlot(slot: .audio, format: sound)) }
        segmenter.begin(present)
    }

    var shelf: HLSShelf { segmenter.shelf }

    /// - Parameters:
    ///   - step: Milliseconds from picture to picture.
    ///   - interval: Pictures from key frame to key frame; 0: as the segmenter wants.
    ///   - jitter: Told each picture's number, in microseconds.
    mutating func run(
        milliseconds: Int64, step: Int64 = 40, keyEvery interval: Int = 50,
        jitter: (Int64) -> Int64 = { _ in 0 }
    ) {
        let end = time + milliseconds
        while time < end {
            if let video {
                let isKey =
                    sinceKey == 0 || interval > 0 && sinceKey >= interval
                    || interval == 0 && segmenter.wantsKey
                sinceKey = isKey ? 1 : sinceKey + 1
                let late = jitter(time / step)
                add(.video, video, ticks: time * 90 + late * 90 / 1000, isKey, late)
            }
            if let sound {
                while soundSent * 1024 * 1000 / 48_000 <= time {
                    add(.audio, sound, ticks: soundSent * 1024, true, 0)
                    soundSent += 1
                }
            }
            time += step
        }
    }

    /// The publisher is gone for so long, and another one comes.
    mutating func republish(after milliseconds: Int64) {
        time += milliseconds
        soundSent = time * 48_000 / 1000 / 1024 + 1
        sinceKey = 0
        jump = .epoch
    }

    private mutating func add(
        _ slot: SlotName, _ format: Format, ticks: Int64, _ isKey: Bool, _ late: Int64
    ) {
        var flags: ItemMeta.Flags = [.frameStart, .frameEnd]
        if isKey { flags.insert(.key) }
        let bytes: [UInt8] =
            slot.kind == .video ? [0, 0, 0, 5, isKey ? 0x65 : 0x41, 1, 2, 3, 4] : [0x21, 1, 2, 3]
        let capture =
            Instant.start + .seconds(100)
            + Interval(nanoseconds: Timebase.nanoseconds(ticks, rate: format.clockRate))
        let item = ReadItem(
            bytes.raw,
            ItemMeta(
                ticks: ticks, arrival: capture, length: bytes.count, flags: flags,
                formatGeneration: format.generation),
            Encoding.FormatEra(format), at: ticks, of: EncodingID(epoch: 1, layer: 0),
            slot: slot, channel: 0, jump: jump, capture: capture)
        if slot == .video || video == nil { jump = nil }
        let utc = Self.began + (capture - Instant.start).nanoseconds
        guard segmenter.add(item, utc: utc) else { return }
        changes += 1
        guard shelf.isReady else { return }
        let document = watch.read(HLSPlaylist.media(shelf), at: Double(time) / 1000)
        findings += document.findings
    }

    var playlist: String { HLSPlaylist.media(shelf) }
    var lines: [Substring] { playlist.split(separator: "\n") }
}
