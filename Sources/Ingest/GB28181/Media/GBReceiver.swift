package import Containers
import Media
import RTP
package import Stream
package import Wire

/// The media of one call: RTP packets in any order, with gaps, until frames come out.
package struct GBReceiver: Sendable {
    /// UDP overtakes; what is later than this is lost.
    static let reorderPatience = Interval.milliseconds(100)
    private static let reorderCapacity = 256
    /// Hikvision's platforms and some cameras end a stream that nobody reports on.
    static let reportTime = Interval.seconds(5)
    /// Key frames are asked for at most so often.
    static let keyTime = Interval.seconds(2)
    /// No packet for so long: the camera is gone.
    package static let silence = Interval.seconds(10)

    package private(set) var ssrc: UInt32?
    package private(set) var figures = Figures()
    package private(set) var lastPacket: Instant
    private var intake: PSIntake
    private var unwrapper = SequenceUnwrapper()
    private var expected: Int64?
    private var reorder: ReorderBuffer?
    private var stored: [UInt8] = []
    private var clock = TimestampUnwrap(.bits32)
    private var statistics = ReceiverStatistics(clockRate: 90_000)
    private var reportAt: Instant
    private var keyAt = Instant.start
    /// By a viewer.
    private var keyIsWanted = false

    package struct Figures: Equatable, Sendable {
        package var packets: UInt64 = 0
        package var bytes: UInt64 = 0
        package var lost: UInt64 = 0
        /// What is no RTP.
        package var unknown: UInt64 = 0
        package var restarts: UInt64 = 0

        package init() {}
    }

    /// - Parameter isOrdered: TCP: nothing waits, and a gap is what the camera has lost itself.
    package init(channel: ChannelID, isOrdered: Bool, at now: Instant) {
        intake = PSIntake(channel: channel)
        lastPacket = now
        reportAt = now + Self.reportTime
        if !isOrdered {
            reorder = ReorderBuffer(
                patience: Self.reorderPatience, capacity: Self.reorderCapacity)
        }
    }

    package var media: PSIntake.Report { intake.report }
    package var hasMedia: Bool { intake.lastMedia != nil }
    package var leftOut: [String] { intake.leftOut }

    // MARK: - Packets

    package mutating func receive(
        _ packet: RawSpan, at now: Instant, into effects: inout Effects
    ) {
        if RTPHeader.isRTCP(packet) { return takeReport(packet, at: now) }
        guard let header = try? RTPHeader(packet) else {
            figures.unknown &+= 1
            return
        }
        if let ssrc, ssrc != header.ssrc { restart() }
        ssrc = header.ssrc
        lastPacket = now
        figures.packets &+= 1
        figures.bytes &+= UInt64(packet.byteCount)
        let index = unwrapper.unwrap(header.sequence)
        statistics.receive(
            index, ticks: clock.unwrap(UInt64(header.timestamp)), at: now)
        let payload = packet.extracting(header.payload)
        guard reorder != nil else {
            return pass(payload, index, isMarked: header.marker, at: now, &effects)
        }
        if reorder?.passes(index) == true {
            return intake.receive(payload, isMarked: header.marker, at: now, into: &effects)
        }
        reorder?.receive(
            payload, index,
            ItemMeta(
                ticks: 0, arrival: now, length: payload.byteCount,
                flags: header.marker ? .marker : []))
        release(at: now, &effects)
    }

    /// In the order of the connection.
    private mutating func pass(
        _ payload: RawSpan, _ index: Int64, isMarked: Bool, at now: Instant,
        _ effects: inout Effects
    ) {
        if let expected, index != expected {
            // Not far back: sent twice.
            if index < expected, expected - index < SequenceUnwrapper.jumpMaximum { return }
            lose(index - expected)
        }
        expected = index + 1
        intake.receive(payload, isMarked: isMarked, at: now, into: &effects)
    }

    private mutating func release(at now: Instant, _ effects: inout Effects) {
        while let packet = reorder?.next(at: now, into: &stored) {
            if packet.lost > 0 { lose(packet.lost) }
            var bytes: [UInt8] = []
            swap(&bytes, &stored)
            intake.receive(
                bytes.raw, isMarked: packet.meta.flags.contains(.marker), at: now,
                into: &effects)
            swap(&bytes, &stored)
        }
    }

    private mutating func lose(_ count: Int64) {
        figures.lost &+= UInt64(clamping: max(1, min(count, SequenceUnwrapper.jumpMaximum)))
        intake.lose(Int(clamping: count))
    }

    /// Another SSRC on the same way: the encoder began anew.
    private mutating func restart() {
        figures.restarts &+= 1
        unwrapper = SequenceUnwrapper()
        expected = nil
        clock = TimestampUnwrap(.bits32)
        statistics = ReceiverStatistics(clockRate: 90_000)
        if reorder != nil {
            reorder = ReorderBuffer(
                patience: Self.reorderPatience, capacity: Self.reorderCapacity)
        }
        intake.lose(1)
    }

    // MARK: - Reports

    private mutating func takeReport(_ compound: RawSpan, at now: Instant) {
        guard var reader = try? RTCPReader(compound) else { return }
        while let item = reader.next() {
            guard case .senderInfo(let info) = item, info.ssrc == ssrc else { continue }
            statistics.receive(info, at: now)
        }
    }

    /// What the camera is to be told, now and then; nil: nothing is due.
    package mutating func takeReceiverReport(at now: Instant) -> [UInt8]? {
        guard now >= reportAt, let ssrc else { return nil }
        reportAt = now + Self.reportTime
        let block = statistics.report(ssrc: ssrc, at: now)
        var bytes = [UInt8](repeating: 0, count: 32)
        var span = bytes.mutableSpan
        var writer = ByteWriter(unsafe span.mutableBytes)
        let blocks = [block]
        // Our own number is of no use to anybody, as we send nothing.
        RTCPWriter.receiverReport(from: 1, blocks.span, into: &writer)
        return bytes
    }

    /// True when the camera should be asked for a key frame: at once after a loss, and again while
    /// none comes, for the request or its answer may have been lost as well.
    package mutating func takeKeyRequest(at now: Instant) -> Bool {
        guard keyIsWanted || intake.wantsKey, now >= keyAt else { return false }
        (keyIsWanted, keyAt) = (false, now + Self.keyTime)
        return true
    }

    /// A viewer wants one.
    package mutating func wantKey() { keyIsWanted = true }

    // MARK: - Time

    package var deadline: Instant {
        var next = min(intake.deadline, lastPacket + Self.silence)
        next = min(next, reorder?.deadline ?? .distantFuture)
        if keyIsWanted || intake.wantsKey { next = min(next, keyAt) }
        return ssrc == nil ? next : min(next, reportAt)
    }

    package mutating func expire(at now: Instant, into effects: inout Effects) {
        release(at: now, &effects)
        intake.expire(at: now, into: &effects)
    }
}
