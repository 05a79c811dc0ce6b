import Media
import RTP
import Stream
import Wire

/// One encoding that a publisher sends: the only one of its slot, or one simulcast layer. It gives
/// packets their lasting number, whatever SSRC they come with.
struct IncomingEncoding: Sendable {
    let slot: SlotName
    let layer: UInt8
    let rid: RTPLabel?
    /// Ours to adopt: the payload types of its m-section.
    private(set) var codec: NegotiatedCodec
    private(set) var ssrc: UInt32?
    var rtxSSRC: UInt32?
    private(set) var statistics: ReceiverStatistics
    var nack: NackRequester?
    var keyframes: KeyframeRequester?
    /// Somebody reads it.
    var isDemanded = true { didSet { keyframes?.isDemanded = isDemanded } }
    /// Of repairs that came: for figures.
    private(set) var repaired = 0
    private(set) var duplicates = 0
    /// When its source said BYE, if nothing has come since.
    private var leftAt: Instant?
    private var seen = SeenWindow()
    /// From the SSRC's own numbers to ours.
    private var offset: Int64 = 0
    private var ticks: Int64?

    init(slot: SlotName, layer: UInt8, rid: RTPLabel?, codec: NegotiatedCodec) {
        (self.slot, self.layer, self.rid, self.codec) = (slot, layer, rid, codec)
        statistics = ReceiverStatistics(clockRate: codec.clockRate)
        reset()
    }

    private mutating func reset() {
        nack = codec.feedback.contains(.nack) ? NackRequester() : nil
        let mayAsk = codec.feedback.contains(.pli) || codec.feedback.contains(.fir)
        keyframes =
            slot.kind == .video && mayAsk
            ? KeyframeRequester(mayFullIntra: codec.feedback.contains(.fir)) : nil
        keyframes?.isDemanded = isDemanded
        keyframes?.want()
    }

    /// Another codec of the same m-section from now on. False: it is the same.
    mutating func adopt(_ codec: NegotiatedCodec) -> Bool {
        guard codec.payloadType != self.codec.payloadType else { return false }
        let rate = self.codec.clockRate
        self.codec = codec
        if rate != codec.clockRate { statistics = ReceiverStatistics(clockRate: codec.clockRate) }
        return true
    }

    /// The encoder began anew with another SSRC: its numbers go on behind ours.
    mutating func begin(_ ssrc: UInt32, at index: UInt64) {
        self.ssrc = ssrc
        leftAt = nil
        // A turn up, so that packets from before the first have numbers, too.
        let first = Int64(clamping: index) + 0x1_0000
        guard let highest = seen.highest else { return offset = 0x1_0000 }
        offset += highest + 1 - (first - 0x1_0000 + offset)
        seen.begin(at: highest + 1)
        statistics = ReceiverStatistics(clockRate: codec.clockRate)
        reset()
    }

    var highest: Int64? { seen.highest }

    var isSilent: Bool { leftAt != nil }
    /// It sends, as far as it says itself.
    var isHeard: Bool { ssrc != nil && !isSilent }

    /// Nothing is asked of a source that has ended.
    mutating func leave(at now: Instant) {
        leftAt = now
        nack = nil
        keyframes = nil
    }

    /// Media after a BYE. - Returns: Whether it was sent after it, too, and not overtaken by it.
    mutating func recover(at now: Instant) -> Bool {
        guard let leftAt, now - leftAt > Self.overtaking else { return false }
        self.leftAt = nil
        reset()
        return true
    }

    /// The widest reordering that is waited for anywhere here.
    private static let overtaking = Interval.milliseconds(500)

    /// Our number of a packet of the media SSRC.
    func number(_ index: UInt64) -> Int64 { Int64(clamping: index) &+ offset }

    /// Our number of the packet that a retransmission repeats; it was lost, so it is not far.
    func number(repaired sequence: UInt16) -> Int64? {
        guard let highest = seen.highest else { return nil }
        return Serial.extend(sequence, near: highest &- offset) &+ offset
    }

    /// The peer's number of a packet that is missing.
    func sequence(_ number: RTCPNack) -> RTCPNack {
        RTCPNack(
            first: number.first &- UInt16(truncatingIfNeeded: offset), mask: number.mask)
    }

    /// Time as ticks that do not wrap, near the newest.
    mutating func unwrap(_ timestamp: UInt32) -> Int64 {
        let value = near(timestamp)
        ticks = value
        return value
    }

    func near(_ timestamp: UInt32) -> Int64 {
        guard let ticks else { return 0x1_0000_0000 + Int64(timestamp) }
        return Serial.extend(timestamp, near: ticks)
    }

    /// - Returns: Whether it is the first of this number.
    mutating func admit(_ number: Int64, ticks: Int64, isRepair: Bool, at now: Instant) -> Bool {
        guard seen.isFirst(number) else {
            duplicates += 1
            return false
        }
        if isRepair { repaired += 1 }
        nack?.receive(number, at: now)
        statistics.receive(number &- offset, ticks: ticks, isRepair: isRepair, at: now)
        return true
    }

    mutating func receive(_ info: RTCPSenderInfo, at now: Instant) {
        statistics.receive(info, at: now)
    }

    mutating func report(at now: Instant) -> RTCPReportBlock? {
        ssrc.map { statistics.report(ssrc: $0, at: now) }
    }

    var deadline: Instant {
        min(nack?.deadline ?? .distantFuture, keyframes?.deadline ?? .distantFuture)
    }
}
