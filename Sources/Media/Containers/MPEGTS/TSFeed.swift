import Codecs
import Media
package import Stream
package import Wire

/// A transport stream that all viewers of a stream at one worker share: every item is cut into
/// packets once, by whoever comes to it first.
///
/// All read the same few newest items. Who reads further back (a newcomer, a slow one) has his own
/// packets cut, and is led over by packets that say so where the numbers do not follow.
package final class TSFeed {
    /// Where one viewer is.
    package struct Place: Sendable {
        fileprivate var continuity: TSContinuity?
        package init() {}
    }

    /// What an item has become.
    package enum Packets {
        /// In memory that all share.
        case shared(Chunk)
        case own([UInt8])
    }

    private struct Cut {
        var encoding: EncodingID
        var index: Int64
        var chunk: Chunk
        var before: TSContinuity
        var after: TSContinuity
    }

    private struct Lane {
        var format: Format?
        var newest: (encoding: EncodingID, index: Int64)?
        var cuts: [Cut?] = []
    }

    /// A turn brings one or two items; a burst after a stall some more.
    private static let kept = 16

    private var clock = OutletClock(rate: 90_000)
    private var video = Lane()
    private var audio = Lane()
    private var muxer: TSMuxer?
    private var version: UInt8 = 0

    package init() {}

    /// A viewer begins, with these.
    package func note(_ present: [PresentSlot]) {
        for entry in present where lane(of: entry.slot).format == nil {
            include(entry.format, entry.slot)
        }
    }

    /// - Parameter splice: What goes before it, for this viewer alone; empty but where his packets
    ///   do not follow the ones before.
    /// - Returns: nil for what does not go out this way.
    package func packets(
        _ item: borrowing ReadItem, for place: inout Place, splice: inout [UInt8]
    ) -> Packets? {
        guard item.slot.kind != .data else { return nil }
        if let cut = find(item) ?? cutNext(item) {
            if let at = place.continuity, at != cut.before {
                at.splice(to: cut.before, into: &splice)
            }
            place.continuity = cut.after
            return .shared(cut.chunk)
        }
        return cutAgain(item, for: &place)
    }

    private func lane(of slot: SlotName) -> Lane { slot.kind == .video ? video : audio }

    private func find(_ item: borrowing ReadItem) -> Cut? {
        let cuts = item.slot.kind == .video ? video.cuts : audio.cuts
        guard !cuts.isEmpty, let cut = cuts[Int(item.index) & (Self.kept - 1)],
            cut.index == item.index, cut.encoding == item.encoding
        else { return nil }
        return cut
    }

    /// The packets of an item that is newer than all so far.
    private func cutNext(_ item: borrowing ReadItem) -> Cut? {
        let newest = lane(of: item.slot).newest
        if let newest {
            let isNewer =
                item.encoding == newest.encoding
                ? item.index > newest.index : item.encoding.epoch >= newest.encoding.epoch
            guard isNewer else { return nil }
        }
        let goesOn = newest?.encoding == item.encoding
        if lane(of: item.slot).format?.codec != item.era.format.codec {
            include(item.era.format, item.slot)
        }
        if newest != nil, newest?.encoding.epoch != item.encoding.epoch {
            muxer?.noteDiscontinuity()
        }
        let place = clock.place(item, goesOn: goesOn)
        guard let before = muxer?.continuity else { return nil }
        var bytes: [UInt8] = []
        write(item, place, &muxer, into: &bytes)
        guard let after = muxer?.continuity, !bytes.isEmpty else { return nil }
        let cut = Cut(
            encoding: item.encoding, index: item.index, chunk: Chunk(bytes), before: before,
            after: after)
        let index = item.index
        let id = item.encoding
        if item.slot.kind == .video {
            Self.keep(cut, id, index, &video)
        } else {
            Self.keep(cut, id, index, &audio)
        }
        return cut
    }

    private static func keep(_ cut: Cut, _ id: EncodingID, _ index: Int64, _ lane: inout Lane) {
        if lane.cuts.isEmpty { lane.cuts = Array(repeating: nil, count: kept) }
        lane.cuts[Int(index) & (kept - 1)] = cut
        lane.newest = (id, index)
    }

    private func cutAgain(_ item: borrowing ReadItem, for place: inout Place) -> Packets? {
        let past = clock.past(item)
        let continuity = place.continuity ?? TSContinuity()
        // The first of all finds tables before it: they are written before every key frame.
        var own = muxer?.apart(at: past.time, continuity)
        if place.continuity == nil { own?.beginSegment() }
        var bytes: [UInt8] = []
        write(item, past, &own, into: &bytes)
        guard let own, !bytes.isEmpty else { return nil }
        place.continuity = own.continuity
        return .own(bytes)
    }

    private func write(
        _ item: borrowing ReadItem, _ place: OutletClock.Place, _ muxer: inout TSMuxer?,
        into bytes: inout [UInt8]
    ) {
        let format = item.era.format
        // On the line of the output; the muxer wants it in the format's own ticks.
        var meta = item.meta
        meta.compositionOffset = Int32(
            clamping: Timebase.convert(place.offset, from: 90_000, to: format.clockRate))
        let hasVideo = video.format != nil
        let track = item.slot.kind == .video ? 0 : hasVideo ? 1 : 0
        muxer?.write(
            item.bytes, meta, format, decoding: place.time, track: track, into: &bytes)
    }

    /// A track that was not there, or is something else now: the tables say so.
    private func include(_ format: Format, _ slot: SlotName) {
        if slot.kind == .video { video.format = format } else { audio.format = format }
        let formats = [video.format, audio.format].compactMap { $0 }
        let made = try? TSMuxer(
            formats, version: version, continuity: muxer?.continuity ?? TSContinuity())
        guard let made else { return }
        version = (version &+ 1) & 31
        muxer = made
    }
}
