/// One statement of an RTCP compound. A reader gives them one after the other, so that whoever
/// listens has one loop and one `switch`.
package enum RTCPItem: Equatable, Sendable {
    case senderInfo(RTCPSenderInfo)
    /// From a sender or a receiver report: what `from` says about one of the streams it receives.
    case report(from: UInt32, RTCPReportBlock)
    /// The canonical name as offsets into the compound.
    case cname(ssrc: UInt32, Range<Int>)
    case bye(ssrc: UInt32)
    case nack(media: UInt32, RTCPNack)
    case pictureLoss(media: UInt32)
    /// RFC 5104 §4.3.1: a new `sequence` is a new request, the same one a repetition.
    case fullIntra(media: UInt32, sequence: UInt8)
    /// A receiver's estimate for the whole transport; the SSRCs it lists do not matter for that.
    case remb(bitsPerSecond: UInt64)
    /// Where the feedback lies in the compound: `TransportFeedback` reads it.
    case transportFeedback(Range<Int>)
    /// XR (RFC 3611 §4.4): a receiver's clock; a sender answers it with `.receiverDelay`.
    case referenceTime(ssrc: UInt32, NTPTime)
    /// XR (RFC 3611 §4.5) about `ssrc`: the same as `lastReport` and `delay` of a report block.
    case receiverDelay(ssrc: UInt32, lastReport: UInt32, delay: UInt32)
}

/// NTP time as RTCP has it: seconds since 1900 in 32.32.
package struct NTPTime: Equatable, Sendable {
    package var bits: UInt64

    package init(bits: UInt64) { self.bits = bits }

    /// The middle 32 bits: what report blocks call "last SR".
    package var middle: UInt32 { UInt32(truncatingIfNeeded: bits >> 16) }

    /// - Parameter nanoseconds: Since 1970, as wall clocks count.
    package init(unixNanoseconds nanoseconds: Int64) {
        let second: Int64 = 1_000_000_000
        let floor = nanoseconds / second - (nanoseconds % second < 0 ? 1 : 0)
        let rest = UInt64(nanoseconds &- floor &* second)
        // 70 years with 17 leap days lie between the two epochs.
        let seconds = UInt64(bitPattern: floor &+ 2_208_988_800)
        bits = seconds << 32 | (rest << 32) / UInt64(second)
    }

    package var unixNanoseconds: Int64 {
        let seconds = Int64(bits >> 32) - 2_208_988_800
        return seconds * 1_000_000_000 + Int64(((bits & 0xffff_ffff) * 1_000_000_000) >> 32)
    }
}

/// The sender's half of a sender report (RFC 3550 §6.4.1).
package struct RTCPSenderInfo: Equatable, Sendable {
    package var ssrc: UInt32
    package var ntp: NTPTime
    package var timestamp: UInt32
    package var packets: UInt32
    package var octets: UInt32

    package init(
        ssrc: UInt32, ntp: NTPTime, timestamp: UInt32, packets: UInt32, octets: UInt32
    ) {
        self.ssrc = ssrc
        self.ntp = ntp
        self.timestamp = timestamp
        self.packets = packets
        self.octets = octets
    }
}

/// How one stream arrives (RFC 3550 §6.4.1).
package struct RTCPReportBlock: Equatable, Sendable {
    package var ssrc: UInt32
    /// Of 256 packets expected since the last report.
    package var fractionLost: UInt8
    /// 24 bits, signed: duplicates make it negative.
    package var cumulativeLost: Int32
    package var highestSequence: UInt32
    /// In the stream's ticks.
    package var jitter: UInt32
    /// The middle bits of the last sender report heard, and 1/65,536 s since then.
    package var lastReport: UInt32
    package var delay: UInt32

    package init(
        ssrc: UInt32, fractionLost: UInt8, cumulativeLost: Int32, highestSequence: UInt32,
        jitter: UInt32, lastReport: UInt32, delay: UInt32
    ) {
        self.ssrc = ssrc
        self.fractionLost = fractionLost
        self.cumulativeLost = cumulativeLost
        self.highestSequence = highestSequence
        self.jitter = jitter
        self.lastReport = lastReport
        self.delay = delay
    }
}

/// One item of a generic NACK (RFC 4585 §6.2.1): `first`, and bit `i` of `mask` stands for
/// `first + 1 + i`.
package struct RTCPNack: Equatable, Sendable {
    package var first: UInt16
    package var mask: UInt16

    package init(first: UInt16, mask: UInt16) {
        self.first = first
        self.mask = mask
    }

    package var count: Int { 1 + mask.nonzeroBitCount }

    /// Each number it names, in order.
    package func forEach(_ body: (UInt16) -> Void) {
        body(first)
        for bit: UInt16 in 0..<16 where mask & (1 << bit) != 0 { body(first &+ 1 &+ bit) }
    }
}
