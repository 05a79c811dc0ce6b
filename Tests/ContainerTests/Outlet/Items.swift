import Codecs
import Media
import Stream
import Wire

/// Items as a reader hands them to an outlet, made by hand.
struct Items {
    static let sps = Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    static let pps = Hex.decode("68eae3cb22c0") ?? []

    let video: Encoding.FormatEra
    let audio: Encoding.FormatEra
    /// Who publishes: another one counts anew.
    var epoch: Epoch = 1

    init() throws {
        video = .init(try Format(h264: Self.sps, parameterSets: [Self.sps, Self.pps]))
        audio = .init(try Format(AACConfiguration(sampleRate: 48_000, channels: 2)))
    }

    var present: [PresentSlot] {
        [
            PresentSlot(slot: .video, format: video.format),
            PresentSlot(slot: .audio, format: audio.format),
        ]
    }

    /// One frame: a unit of a slice behind its length.
    static func frame(_ count: Int = 2000, key: Bool) -> [UInt8] {
        let length = UInt32(count - 4)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> UInt32($0)) }
            + [key ? 0x65 : 0x41] + [UInt8](repeating: 0x5a, count: count - 5)
    }

    /// - Parameter milliseconds: When it was taken; its ticks are the same time unless told.
    func show(
        _ slot: SlotName, _ index: Int64, at milliseconds: Int64, ticks: Int64? = nil,
        key: Bool = false, offset: Int32 = 0, jump: Jump? = nil,
        to body: (borrowing ReadItem) throws -> Void
    ) rethrows {
        let era = slot == .video ? video : audio
        let bytes =
            slot == .video
            ? Self.frame(key: key) : [UInt8](repeating: UInt8(index & 0xff), count: 300)
        let own = ticks ?? Timebase.convert(milliseconds, from: 1000, to: era.format.clockRate)
        let taken = Instant.start + .milliseconds(5000 + milliseconds)
        let meta = ItemMeta(
            ticks: own, arrival: taken, length: bytes.count, flags: key ? .key : [],
            compositionOffset: offset)
        try body(
            ReadItem(
                bytes.raw, meta, era, at: index, of: EncodingID(epoch: epoch, layer: 0),
                slot: slot, channel: 0, jump: jump, capture: taken))
    }
}
