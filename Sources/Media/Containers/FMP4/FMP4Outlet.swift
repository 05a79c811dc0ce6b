import Codecs
import Media
package import Stream
import Wire

/// From items to fragments of one sample, for one viewer: its own time, which begins at 0, and the
/// init segments that say what comes. The item's own bytes follow as they are.
package struct FMP4Outlet: Sendable {
    /// What a player needs before the first fragment, and whenever something else comes.
    package struct Start: Equatable, Sendable {
        /// What a browser's SourceBuffer is opened with.
        package var type: String
        package var segment: [UInt8]
    }

    private struct Lane: Sendable {
        var format: Format?
        /// Of the sample before: the next one is expected to be as long.
        var duration: Int64 = 0
        var last: Int64?
    }

    private static let videoTrack: UInt32 = 1
    private static let audioTrack: UInt32 = 2

    private var clock = OutletClock(rate: nil)
    private var sent = SentFormats()
    private var video = Lane()
    private var audio = Lane()
    private var sequence: UInt32 = 0

    package init() {}

    /// What comes at the start.
    ///
    /// - Throws: If a track cannot be written: its configuration is not known.
    package mutating func begin(_ present: [PresentSlot]) throws(FMP4Error) -> Start {
        for entry in present {
            withLane(entry.slot) { $0.format = entry.format }
        }
        sent.note(present)
        return try start()
    }

    /// - Parameter mayAdd: Whether a track that was not announced at the start may still come: a
    ///   player that is told so opens a new buffer.
    /// - Returns: What goes before the item, if anything; nil: it does not go out this way.
    package mutating func prepare(
        _ item: borrowing ReadItem, mayAdd: Bool
    ) throws(FMP4Error) -> Start? {
        guard mayAdd || sent.has(item.slot), sent.change(to: item) else { return nil }
        let format = item.era.format
        let isSame = withLane(item.slot) { lane in
            // A decoder that is told the same again loses nothing but time.
            let isSame = lane.format.map { Self.areAlike($0, format) } ?? false
            lane.format = format
            return isSame
        }
        return isSame ? nil : try start()
    }

    private static func areAlike(_ one: Format, _ other: Format) -> Bool {
        var one = one
        one.generation = other.generation
        return one == other
    }

    /// - Returns: nil for a slot that does not go out this way.
    package mutating func next(_ item: borrowing ReadItem) -> FMP4Sample? {
        guard item.slot.kind != .data, sent.has(item.slot) else { return nil }
        let place = clock.place(item, goesOn: OutletClock.goesOn(item.jump))
        let isVideo = item.slot.kind == .video
        let follows = item.jump == nil
        let usual = Self.usualDuration(item.era.format)
        let duration = withLane(item.slot) { lane in
            if follows, let last = lane.last { lane.duration = place.time &- last }
            lane.last = place.time
            // Behind a gap nothing is as long as the gap.
            if lane.duration <= 0 || lane.duration > 8 * usual { lane.duration = usual }
            return lane.duration
        }
        sequence &+= 1
        return FMP4Sample(
            track: isVideo ? Self.videoTrack : Self.audioTrack, sequence: sequence,
            time: place.time, duration: UInt32(clamping: duration),
            compositionOffset: Int32(clamping: place.offset),
            isSync: item.meta.isKey || !isVideo)
    }

    /// Of the first sample, whose successor is not known.
    private static func usualDuration(_ format: Format) -> Int64 {
        switch format.codec {
        case .aac: 1024
        case .opus: 960
        default: format.codec.kind == .video ? Int64(format.clockRate) / 30 : 1152
        }
    }

    private mutating func withLane<T>(_ slot: SlotName, _ body: (inout Lane) -> T) -> T {
        slot.kind == .video ? body(&video) : body(&audio)
    }

    private func start() throws(FMP4Error) -> Start {
        var tracks: [FMP4Track] = []
        if let format = video.format { tracks.append(FMP4Track(id: Self.videoTrack, format)) }
        if let format = audio.format { tracks.append(FMP4Track(id: Self.audioTrack, format)) }
        let names = tracks.compactMap { CodecsText.text(for: $0.format) }
        let kind = video.format == nil ? "audio" : "video"
        var start = Start(
            type: "\(kind)/mp4; codecs=\"\(names.joined(separator: ","))\"", segment: [])
        try FMP4Init.write(tracks, into: &start.segment)
        return start
    }
}
