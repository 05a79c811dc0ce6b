package import Media
import Wire

/// Writes a transport stream (ISO/IEC 13818-1): for `.ts` over HTTP, segments of HLS, and SRT.
///
/// Packets go behind what is in the caller's array, 188 bytes each, and each frame ends with a
/// packet of its own: nothing of it waits for the next one. Tables come first, before every key
/// frame, and a few times a second.
package struct TSMuxer: Sendable {
    package static let packetSize = 188
    /// Players give up a channel without tables after half a second or so.
    private static let tableInterval: Int64 = 90_000 / 4
    /// The clock is told this often (§2.7.2 allows 100 ms).
    private static let clockInterval: Int64 = 90_000 / 25
    /// The clock runs this far behind decoding: what a receiver may buffer.
    private static let clockDelay: Int64 = 90_000 * 7 / 10
    /// Times begin here, so that the clock is never negative.
    package static let origin: Int64 = 90_000 * 14 / 10

    private struct Track {
        let pid: UInt16
        let format: Format
        let streamID: UInt8
    }

    private var tracks: [Track]
    private let clockTrack: Int
    private let association: [UInt8]
    private let map: [UInt8]
    /// What the next packet of each table and track is numbered.
    package private(set) var continuity = TSContinuity()
    private var tablesAt: Int64?
    private var clockAt: Int64?
    private var marksDiscontinuity = false
    private var payload = PESPayload()

    /// - Parameters:
    ///   - version: Goes up whenever the tracks of the same connection change.
    ///   - continuity: Where the tables and tracks before it have come to.
    package init(
        _ formats: [Format], version: UInt8 = 0, continuity: TSContinuity = TSContinuity()
    ) throws(TSError) {
        tracks = []
        self.continuity = continuity
        for (place, format) in formats.enumerated() {
            guard PESPayload.carries(format.codec) else { throw .unsupported(format.codec) }
            tracks.append(
                Track(
                    pid: TSTables.firstPID + UInt16(place), format: format,
                    streamID: Self.streamID(of: format.codec, place)))
        }
        clockTrack = formats.firstIndex { $0.codec.kind == .video } ?? 0
        let entries = tracks.map { TSTables.Entry(pid: $0.pid, format: $0.format) }
        association = TSTables.association(version: version)
        map = TSTables.map(
            entries, clockPID: TSTables.firstPID + UInt16(clockTrack), version: version)
    }

    private static func streamID(of codec: Codec, _ place: Int) -> UInt8 {
        switch codec {
        case .h264, .h265: 0xe0
        case .opus, .ac3, .eac3: 0xbd
        default: 0xc0 | UInt8(place & 31)
        }
    }

    /// The next packets say that time and numbers do not follow (a publisher came back).
    package mutating func noteDiscontinuity() {
        marksDiscontinuity = true
        tablesAt = nil
        clockAt = nil
    }

    /// A segment begins: it must be readable alone.
    package mutating func beginSegment() { tablesAt = nil }

    /// The same tracks for one receiver, who is elsewhere in the stream.
    package func apart(at decoding: Int64, _ continuity: TSContinuity) -> TSMuxer {
        var muxer = self
        muxer.continuity = continuity
        muxer.tablesAt = decoding + Self.origin
        muxer.clockAt = nil
        muxer.marksDiscontinuity = false
        return muxer
    }

    /// - Parameters:
    ///   - frame: In the normal form of the house.
    ///   - decoding: At 90 kHz, on one line for all tracks; `origin` is added here.
    ///   - format: Of this frame: parameter sets go before its key frames.
    package mutating func write(
        _ frame: RawSpan, _ meta: ItemMeta, _ format: Format, decoding: Int64, track: Int,
        into out: inout [UInt8]
    ) {
        let isKey = meta.isKey && format.codec.kind == .video
        let decoding = decoding + Self.origin
        if isKey || tablesAt.map({ decoding - $0 >= Self.tableInterval || decoding < $0 }) ?? true {
            writeTables(into: &out)
            tablesAt = decoding
        }
        let shift = Timebase.convert(
            Int64(meta.compositionOffset), from: format.clockRate, to: 90_000)
        payload.begin(
            tracks[track].streamID, presentation: decoding + shift, decoding: decoding,
            isUnbounded: format.codec.kind == .video)
        guard payload.add(frame, format, isKey: isKey) else { return }
        payload.end()
        var clock: Int64?
        if track == clockTrack,
            isKey || clockAt.map({ decoding - $0 >= Self.clockInterval || decoding < $0 }) ?? true
        {
            clock = decoding - Self.clockDelay
            clockAt = decoding
        }
        cut(track, clock: clock, isKey: isKey, into: &out)
    }

    private mutating func writeTables(into out: inout [UInt8]) {
        Self.write(
            association, TSTables.associationPID, continuity.take(TSContinuity.association),
            into: &out)
        Self.write(map, TSTables.mapPID, continuity.take(TSContinuity.map), into: &out)
    }

    /// A section fits into one packet: 16 streams with descriptors have 150 bytes.
    private static func write(
        _ section: [UInt8], _ pid: UInt16, _ number: UInt8, into out: inout [UInt8]
    ) {
        let end = out.count + packetSize
        out += [0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 0xff), 0x10 | number]
        out += section
        out.append(contentsOf: repeatElement(0xff, count: max(0, end - out.count)))
    }

    /// Cuts the payload into packets; adaptation fields carry clock and marks, and fill the last.
    private mutating func cut(
        _ track: Int, clock: Int64?, isKey: Bool, into out: inout [UInt8]
    ) {
        let bytes = payload.bytes
        var start = 0
        var isFirst = true
        while start < bytes.count {
            let isMarked = isFirst && (clock != nil || isKey || marksDiscontinuity)
            // Length, flags, and six bytes of clock.
            var field = isMarked ? (clock != nil ? 8 : 2) : 0
            let room = Self.packetSize - 4 - field
            let count = min(room, bytes.count - start)
            let filling = room - count
            field += filling
            writeHead(track, isFirst: isFirst, hasField: field > 0, into: &out)
            if field > 0 {
                writeField(
                    field, isMarked: isMarked, clock: isFirst ? clock : nil, isKey: isKey,
                    into: &out)
            }
            out.append(contentsOf: bytes[start..<start + count])
            start += count
            isFirst = false
        }
        marksDiscontinuity = false
    }

    private mutating func writeHead(
        _ track: Int, isFirst: Bool, hasField: Bool, into out: inout [UInt8]
    ) {
        let pid = tracks[track].pid
        out.append(0x47)
        out.append((isFirst ? 0x40 : 0) | UInt8(pid >> 8))
        out.append(UInt8(pid & 0xff))
        out.append((hasField ? 0x30 : 0x10) | continuity.take(TSContinuity.tables + track))
    }

    /// §2.4.3.4; `count` bytes with the length byte itself.
    private func writeField(
        _ count: Int, isMarked: Bool, clock: Int64?, isKey: Bool, into out: inout [UInt8]
    ) {
        let end = out.count + count
        out.append(UInt8(truncatingIfNeeded: count - 1))
        guard count > 1 else { return }
        var flags: UInt8 = 0
        if isMarked, marksDiscontinuity { flags |= 0x80 }
        if isMarked, isKey { flags |= 0x40 }
        if clock != nil { flags |= 0x10 }
        out.append(flags)
        if let clock {
            let base = UInt64(truncatingIfNeeded: clock) & 0x1_ffff_ffff
            for shift: UInt64 in [25, 17, 9, 1] {
                out.append(UInt8(truncatingIfNeeded: base >> shift))
            }
            out.append(UInt8(base & 1) << 7 | 0x7e)
            out.append(0)
        }
        out.append(contentsOf: repeatElement(0xff, count: max(0, end - out.count)))
    }
}

package enum TSError: Error, Equatable, Sendable {
    /// MPEG-TS has no place for it, or none that players know.
    case unsupported(Codec)
}
