import Media
package import RTP
package import Stream
package import Wire

/// The clock of one player: all its tracks are stamped by the moment they were taken, counted from
/// the first item it got. So what RTP-Info says of one track holds for the others.
package struct RTSPOutletClock: Equatable, Sendable {
    package var start: Instant
    /// UTC less the monotonic clock: for sender reports.
    package var wall: Interval

    package init(start: Instant, wall: Interval) {
        self.start = start
        self.wall = wall
    }
}

/// One track on its way to a player: numbers, stamps and reports of an RTP stream of its own.
package struct RTSPOutlet: Sendable {
    package let payloadType: UInt8
    package let clockRate: Int32
    package let ssrc: UInt32
    /// The next packet's.
    package private(set) var sequence: UInt16
    /// The stamp of the player's first moment.
    package let base: UInt32
    private var packets: UInt32 = 0
    private var octets: UInt32 = 0
    /// Where the present run of one-to-one stamps began: source ticks and ours.
    private var anchor: (ticks: Int64, out: Int64)?
    private var last: (out: Int64, capture: Instant)?
    /// The last packet was not the last of its frame.
    private var isInFrame = false

    package init(_ track: RTSPDescription.Track, dice: inout SplitMix64) {
        payloadType = track.payloadType
        clockRate = track.clockRate
        ssrc = UInt32(truncatingIfNeeded: dice.next())
        sequence = UInt16(truncatingIfNeeded: dice.next())
        // Far from the wrap: some players do not expect it in the first minute.
        base = UInt32(truncatingIfNeeded: dice.next()) >> 1
    }

    package static let headerCount = 12

    /// Writes one RTP packet; `out` has room for its header and the item.
    @_lifetime(out: copy out)
    package mutating func write(
        _ item: borrowing ReadItem, _ clock: RTSPOutletClock, into out: inout ByteWriter
    ) {
        let payload = item.bytes.extracting(
            ..<max(0, item.bytes.byteCount - Int(item.meta.padding)))
        // A frame that was left in the middle: the hole tells the player not to decode it.
        if item.jump != nil, isInFrame { sequence &+= 1 }
        isInFrame = !item.meta.endsFrame
        let stamp = self.stamp(item, clock)
        let writer = RTPHeaderWriter(
            payloadType: payloadType, marker: item.meta.flags.contains(.marker),
            sequence: sequence, timestamp: base &+ UInt32(truncatingIfNeeded: stamp), ssrc: ssrc,
            into: &out)
        _ = writer.finish(into: &out)
        out.write(payload)
        sequence &+= 1
        packets &+= 1
        octets &+= UInt32(truncatingIfNeeded: payload.byteCount)
    }

    /// Inside a run the source's own spacing; a new run lies where its capture says, and after all
    /// that was sent.
    private mutating func stamp(
        _ item: borrowing ReadItem, _ clock: RTSPOutletClock
    ) -> Int64 {
        let ticks = Timebase.convert(
            item.meta.ticks, from: item.format.clockRate, to: clockRate)
        let out: Int64
        if let anchor, item.jump == nil {
            out = anchor.out &+ (ticks &- anchor.ticks)
        } else {
            let byCapture = Timebase.ticks(
                nanoseconds: (item.capture - clock.start).nanoseconds, rate: clockRate)
            out = last.map { max($0.out &+ 1, byCapture) } ?? byCapture
            anchor = (ticks, out)
        }
        if out > last?.out ?? .min { last = (out, item.capture) }
        return out
    }

    package var hasBegun: Bool { packets > 0 }

    /// A sender report with the canonical name: without, players do not know how sound lies to
    /// pictures.
    package func report(at now: Instant, _ clock: RTSPOutletClock) -> [UInt8] {
        let elapsed =
            last.map {
                Timebase.nanoseconds($0.out, rate: clockRate) &+ (now - $0.capture).nanoseconds
            } ?? (now - clock.start).nanoseconds
        let stamp = Timebase.ticks(nanoseconds: elapsed, rate: clockRate)
        let info = RTCPSenderInfo(
            ssrc: ssrc,
            ntp: NTPTime(unixNanoseconds: now.nanoseconds &+ clock.wall.nanoseconds),
            timestamp: base &+ UInt32(truncatingIfNeeded: stamp), packets: packets,
            octets: octets)
        var bytes = [UInt8](repeating: 0, count: 64)
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        RTCPWriter.senderReport(info, Span(), into: &writer)
        RTCPWriter.sourceDescription(
            ssrc: ssrc, cname: RTSPReports.name.raw, into: &writer)
        let count = writer.offset
        bytes.removeLast(64 - count)
        return bytes
    }
}

package enum RTSPReports {
    static let name = Array("gateway".utf8)

    /// What a publisher or camera is told of its track.
    package static func receiver(
        from ssrc: UInt32, _ block: RTCPReportBlock
    ) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 64)
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        let blocks = [block]
        RTCPWriter.receiverReport(from: ssrc, blocks.span, into: &writer)
        RTCPWriter.sourceDescription(ssrc: ssrc, cname: name.raw, into: &writer)
        let count = writer.offset
        bytes.removeLast(64 - count)
        return bytes
    }
}

extension Outbox {
    /// `$`, channel, length, packet.
    package mutating func appendInterleaved(_ packet: [UInt8], channel: UInt8) {
        let count = UInt16(truncatingIfNeeded: packet.count)
        append([UInt8(ascii: "$"), channel, UInt8(count >> 8), UInt8(count & 0xff)])
        append(packet)
    }
}
