package import Media
package import Wire

/// How much a history keeps. The figures are those of numbers.md "Bounds".
package struct HistoryLimits: Equatable, Sendable {
    /// The youngest items stay this long whatever else happens: NACKs ask for them.
    package var retention = Interval.seconds(2)
    package var bytes: Int
    /// Indexes covered, holes included: bounds the records where items are small, and the jump a
    /// publisher's numbers may make.
    package var items: Int
    /// Audio and data can begin anywhere: nothing is kept for the sake of a key frame.
    package var beginsAnywhere: Bool

    /// 8 MiB: 16 s of 4 Mbit/s; 16,384 packets of 512 bytes fill it.
    package static let video = HistoryLimits(
        bytes: 8 << 20, items: 16_384, beginsAnywhere: false)
    /// 1 MiB: far more than 2 s of any audio; 4,096 packets are 10 s of 2.5 ms Opus frames.
    package static let audio = HistoryLimits(bytes: 1 << 20, items: 4_096, beginsAnywhere: true)
    /// Messages: 64 KiB/s are let in, 2 s kept, and room for one message of the largest size.
    package static let data = HistoryLimits(bytes: 512 << 10, items: 1_024, beginsAnywhere: true)

    package init(bytes: Int, items: Int, beginsAnywhere: Bool) {
        self.bytes = bytes
        self.items = items
        self.beginsAnywhere = beginsAnywhere
    }

    package init(of codec: Codec) {
        switch codec.kind {
        case .video: self = .video
        case .audio: self = .audio
        case .data: self = .data
        }
    }

    /// Where a history begins to grow from: a few packets of a small camera.
    var bytesAtFirst: Int { min(bytes, beginsAnywhere ? 16 << 10 : 64 << 10) }
    var itemsAtFirst: Int { min(items, 256) }
    /// What a history holds of `media.memory` before anything is stored.
    var footprintAtFirst: Int { bytesAtFirst + RecordRing.footprint(itemsAtFirst) }
}
