import Wire

/// Stands in front of OpenSSL and lets through only the records that can belong to this handshake.
///
/// Before the handshake is done nothing is authenticated: whoever can put the peer's address on a
/// datagram can send an alert, or fragments that fill memory. OpenSSL believes alerts, keeps a
/// hundred records of 18 KB that came too early and reassembles what it is told. This does not.
struct DTLSGuard {
    /// The longest handshake has 7 messages from one side.
    static let messagesMaximum = 8
    /// Of all messages of one side together.
    static let reassemblyMaximum = 16_384
    /// Encrypted records that overtook the unencrypted ones: Finished, and a repeat or two.
    static let earlyMaximum = 4

    static let headerCount = 13
    private static let messageHeaderCount = 12

    /// The length that each message claimed when its first fragment came.
    private var claimed = [8 of Int](repeating: -1)
    private var early = 0
    private var admitted: UInt64 = 0
    /// The message that ended the peer's last flight, as far as seen.
    private var flightEnd = -1
    /// All messages up to this one are answered by our last flight.
    private var answered = -1

    /// The peer has ended a flight since our last one.
    var awaitsAnswer: Bool { flightEnd > answered }

    /// We have sent a flight: what the peer sent before it is from now on a repeat.
    mutating func flightWasSent() {
        answered = flightEnd
        early = 0
    }

    /// - Parameter kept: The records that may go on, as one datagram.
    /// - Returns: Whether the peer repeats its last flight: it has not got ours.
    mutating func filter(_ datagram: RawSpan, isOpen: Bool, into kept: inout [UInt8]) -> Bool {
        var start = 0
        var isRepeat = false
        while start + Self.headerCount <= datagram.byteCount {
            let count = Self.number(datagram, at: start + 11, bytes: 2)
            let end = start + Self.headerCount + count
            guard end <= datagram.byteCount, datagram.byte(at: start + 1) == 0xfe else { break }
            let record = datagram.extracting(start..<end)
            if admit(record, isOpen: isOpen, &isRepeat) { keep(record, in: &kept) }
            start = end
        }
        return isRepeat
    }

    /// Records in the clear get numbers of ours. OpenSSL drops what it takes for a replay, and one
    /// forged record with a high number would make all of the peer's too old.
    private mutating func keep(_ record: RawSpan, in kept: inout [UInt8]) {
        let start = kept.count
        kept.append(copying: record)
        guard record.byte(at: 4) == 0 else { return }
        for offset in 0..<6 {
            kept[start + 5 + offset] = UInt8(truncatingIfNeeded: admitted >> (40 - 8 * offset))
        }
        admitted += 1
    }

    private mutating func admit(
        _ record: RawSpan, isOpen: Bool, _ isRepeat: inout Bool
    ) -> Bool {
        let kind = record.byte(at: 0)
        switch (Self.number(record, at: 3, bytes: 2), kind) {
        case (0, 22): return admitMessages(record, isOpen: isOpen, &isRepeat)
        case (0, 20): return !isOpen && record.byteCount == Self.headerCount + 1
        case (1, 20...23) where isOpen: return true
        case (1, 21), (1, 22):
            early += 1
            return early <= Self.earlyMaximum
        // Alerts and data of epoch 0 are anybody's; data of epoch 1 before the handshake is done
        // will be sent again by SCTP.
        default: return false
        }
    }

    /// A record holds one or more fragments of messages (RFC 6347 §4.2.3).
    private mutating func admitMessages(
        _ record: RawSpan, isOpen: Bool, _ isRepeat: inout Bool
    ) -> Bool {
        var at = Self.headerCount
        var hasNew = false
        guard at < record.byteCount else { return false }
        while at < record.byteCount {
            guard record.byteCount - at >= Self.messageHeaderCount else { return false }
            let kind = record.byte(at: at)
            let length = Self.number(record, at: at + 1, bytes: 3)
            let index = Self.number(record, at: at + 4, bytes: 2)
            let offset = Self.number(record, at: at + 6, bytes: 3)
            let count = Self.number(record, at: at + 9, bytes: 3)
            at += Self.messageHeaderCount + count
            guard at <= record.byteCount, offset + count <= length, count > 0 || length == 0,
                index < Self.messagesMaximum
            else { return false }
            let isLast = offset + count == length
            if index <= answered {
                if index == answered && isLast { isRepeat = true }
                continue
            }
            guard !isOpen, claim(length, for: index) else { return false }
            hasNew = true
            if isLast && Self.endsFlight(kind) { flightEnd = index }
        }
        return hasNew
    }

    private mutating func claim(_ length: Int, for index: Int) -> Bool {
        if claimed[index] >= 0 { return claimed[index] == length }
        var sum = length
        for other in claimed.indices { sum += max(0, claimed[other]) }
        guard sum <= Self.reassemblyMaximum else { return false }
        claimed[index] = length
        return true
    }

    /// ClientHello, HelloVerifyRequest, ServerHelloDone, CertificateVerify.
    private static func endsFlight(_ kind: UInt8) -> Bool {
        kind == 1 || kind == 3 || kind == 14 || kind == 15
    }

    static func number(_ bytes: RawSpan, at offset: Int, bytes count: Int) -> Int {
        (offset..<offset + count).reduce(0) { $0 << 8 | Int(bytes.byte(at: $1)) }
    }
}
