package import Media
import Wire

/// One fragment (a part of LL-HLS, a piece for MSE): samples of all tracks, collected and then
/// written as `moof` and `mdat`. Kept and used again: it allocates only to grow.
package struct FMP4Fragment: Sendable {
    private struct Sample {
        var duration: UInt32
        var count: UInt32
        var flags: UInt32
        var compositionOffset: Int32
    }

    private struct Track {
        let id: UInt32
        /// Of sound every sample can be begun with.
        let isSound: Bool
        var samples: [Sample] = []
        var bytes: [UInt8] = []
        /// Decoding time of the first sample, and of the one after the last.
        var start: Int64 = 0
        var end: Int64 = 0
    }

    /// Depends on no other sample; depends on others and is no sync sample (§8.8.3.1).
    static let syncFlags: UInt32 = 0x0200_0000
    static let otherFlags: UInt32 = 0x0101_0000

    private var tracks: [Track]
    package private(set) var byteCount = 0

    package init(_ tracks: [FMP4Track]) {
        self.tracks = tracks.map {
            Track(id: $0.id, isSound: $0.format.codec.kind == .audio)
        }
    }

    package var isEmpty: Bool { tracks.allSatisfy(\.samples.isEmpty) }
    package func sampleCount(_ track: Int) -> Int { tracks[track].samples.count }
    /// Ticks covered in this track so far.
    package func length(_ track: Int) -> Int64 { tracks[track].end - tracks[track].start }

    /// - Parameters:
    ///   - ticks: Decoding time; that of the first sample begins the fragment.
    ///   - duration: To the next sample. A live writer that does not know it yet says the last one:
    ///     the next fragment's own time puts it right.
    package mutating func add(
        _ sample: RawSpan, ticks: Int64, duration: Int64, _ meta: ItemMeta, track: Int
    ) {
        if tracks[track].samples.isEmpty {
            tracks[track].start = ticks
            tracks[track].end = ticks
        }
        let isSync = meta.isKey || tracks[track].isSound
        tracks[track].samples.append(
            Sample(
                duration: UInt32(clamping: max(0, duration)),
                count: UInt32(truncatingIfNeeded: sample.byteCount),
                flags: isSync ? Self.syncFlags : Self.otherFlags,
                compositionOffset: meta.compositionOffset))
        tracks[track].end += max(0, duration)
        tracks[track].bytes.append(copying: sample)
        byteCount += sample.byteCount
    }

    /// Writes what was collected and is empty again.
    ///
    /// - Parameter sequence: One more than in the fragment before (§8.8.5).
    package mutating func finish(sequence: UInt32, into out: inout [UInt8]) {
        guard !isEmpty else { return }
        out.reserveCapacity(out.count + byteCount + 512)
        var writer = BoxWriter(out)
        out = []
        let start = writer.bytes.count
        var offsets: [Int] = []
        writer.box("moof") { box in
            box.box("mfhd", version: 0, flags: 0) { $0.write(sequence) }
            for track in tracks where !track.samples.isEmpty {
                offsets.append(Self.write(track, &box))
            }
        }
        var data = writer.bytes.count - start + 8
        var next = 0
        for track in tracks where !track.samples.isEmpty {
            writer.patch(UInt32(truncatingIfNeeded: data), at: offsets[next])
            data += track.bytes.count
            next += 1
        }
        writer.box("mdat") { box in
            for track in tracks { box.bytes.append(contentsOf: track.bytes) }
        }
        out = writer.bytes
        clear()
    }

    package mutating func clear() {
        for track in tracks.indices {
            tracks[track].samples.removeAll(keepingCapacity: true)
            tracks[track].bytes.removeAll(keepingCapacity: true)
        }
        byteCount = 0
    }

    /// - Returns: Where the data offset is to be written.
    private static func write(_ track: Track, _ box: inout BoxWriter) -> Int {
        var place = 0
        box.box("traf") { box in
            // Offsets count from the beginning of the moof (§8.8.7.1).
            box.box("tfhd", version: 0, flags: 0x2_0000) { $0.write(track.id) }
            box.box("tfdt", version: 1, flags: 0) { $0.write(max(0, track.start)) }
            // Data offset; per sample: duration, size, flags, composition offset.
            box.box("trun", version: 1, flags: 0xf01) { box in
                box.write(UInt32(truncatingIfNeeded: track.samples.count))
                place = box.bytes.count
                box.write(UInt32(0))
                for sample in track.samples {
                    box.write(sample.duration)
                    box.write(sample.count)
                    box.write(sample.flags)
                    box.write(sample.compositionOffset)
                }
            }
        }
        return place
    }
}
