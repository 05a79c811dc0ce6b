package import Media
import RTP
package import Wire

/// One track as it arrives at a player: what came, what is missing, what is asked for again.
package struct ViewedTrack: Sendable {
    package struct Figures: Equatable, Sendable {
        package var packets = 0
        package var bytes = 0
        /// Holes that a retransmission has filled.
        package var repaired = 0
        package var lost = 0
        package var duplicates = 0
        package var frames = 0
        package var nacks = 0
        /// The longest time between the beginnings of two frames.
        package var longestPause = Interval.zero

        package init() {}
    }

    package let kind: Codec.Kind
    let formats: [ClientAnswer.Format]
    private(set) var ssrc: UInt32?
    var rtxSSRC: UInt32?
    var nack: NackRequester?
    private var counted = Figures()
    private var statistics: ReceiverStatistics
    private var unwrapper = SequenceUnwrapper()
    private var seen = SeenWindow()
    private var clockRate: Int32
    private var timestamp: UInt32 = 0
    private var ticks: Int64 = 0
    private var frameAt: Instant?
    private var report: (time: Int64, timestamp: UInt32)?

    init(_ track: ClientAnswer.Track) {
        kind = track.kind
        formats = track.formats
        clockRate = track.formats.first?.clockRate ?? 90_000
        statistics = ReceiverStatistics(clockRate: clockRate)
    }

    package var figures: Figures {
        var figures = counted
        figures.lost += Int(statistics.lost)
        return figures
    }

    /// It carries this payload type: as media or as repairs.
    func carries(_ payloadType: UInt8) -> (format: ClientAnswer.Format, isRepair: Bool)? {
        for format in formats {
            if format.payloadType == payloadType { return (format, false) }
            if format.rtx == payloadType { return (format, true) }
        }
        return nil
    }

    /// Another source from now on: numbers begin anew, what was counted stays.
    mutating func begin(_ ssrc: UInt32, _ format: ClientAnswer.Format) {
        counted.lost += Int(statistics.lost)
        self.ssrc = ssrc
        clockRate = format.clockRate
        statistics = ReceiverStatistics(clockRate: clockRate)
        unwrapper = SequenceUnwrapper()
        seen = SeenWindow()
        nack = kind == .video && format.asksAgain ? NackRequester() : nil
        report = nil
    }

    /// - Parameter isRepair: It came by RTX, for the packet with this number.
    /// - Returns: Whether a frame begins with it.
    mutating func receive(
        _ sequence: UInt16, _ timestamp: UInt32, count: Int, isRepair: Bool, at now: Instant
    ) -> Bool {
        let index = unwrapper.unwrap(sequence)
        guard seen.isFirst(index) else {
            counted.duplicates += 1
            return false
        }
        counted.packets += 1
        counted.bytes += count
        if isRepair { counted.repaired += 1 }
        nack?.receive(index, at: now)
        let step = Int64(Int32(bitPattern: timestamp &- self.timestamp))
        let isFirst = frameAt == nil
        if isFirst { self.timestamp = timestamp }
        statistics.receive(
            index, ticks: ticks + (isFirst ? 0 : step), isRepair: isRepair, at: now)
        guard isFirst || step > 0 else { return false }
        if !isFirst { ticks += step }
        self.timestamp = timestamp
        counted.frames += 1
        if let frameAt { counted.longestPause = max(counted.longestPause, now - frameAt) }
        frameAt = now
        return !isRepair
    }

    /// A sender report: which time stamp was when.
    mutating func receive(_ info: RTCPSenderInfo, at now: Instant) {
        statistics.receive(info, at: now)
        report = (info.ntp.unixNanoseconds, info.timestamp)
    }

    mutating func reportBlock(at now: Instant) -> RTCPReportBlock? {
        ssrc.map { statistics.report(ssrc: $0, at: now) }
    }

    /// When the newest frame was taken, by the sender's clock; `nil` before the first report.
    var captured: Int64? {
        guard let report else { return nil }
        let ticks = Int64(Int32(bitPattern: timestamp &- report.timestamp))
        return report.time + ticks * 1_000_000_000 / Int64(clockRate)
    }

    mutating func noteNack() { counted.nacks += 1 }
}
