import Crypto
package import Wire

/// What left towards one viewer lately: one small record for each packet, found by its
/// transport-wide number, and for media also by its outgoing sequence number.
///
/// A NACK names an outgoing number; the record says which source packet that was, so a repair reads
/// the shared history again and nothing is kept twice. Feedback on arrival (TWCC) names transport
/// numbers; the record says when they left and how large they were.
@safe package struct SentRing: ~Copyable {
    package enum Kind: UInt8, Sendable { case media, repair, probe }

    /// 16 bytes, four to a cache line.
    package struct Record: Sendable {
        /// The high bits of the transport number: tells this turn of the ring from the one before.
        fileprivate var turn: UInt8
        fileprivate var slotAndKind: UInt8
        package var size: UInt16
        package var outIndex: UInt32
        package var sourceIndex: UInt32
        /// In units of 250 µs, as TWCC counts.
        package var sentAt: UInt32

        package var slot: Int { Int(slotAndKind >> 2) }
        package var kind: Kind { Kind(rawValue: slotAndKind & 3) ?? .media }
    }

    /// Powers of two from 512 (audio and a small video: over 2 s) to 2,048 (2 s of 10 Mbit/s).
    package static let capacities = 512...2048

    private let records: UnsafeMutablePointer<Record>
    /// The transport number of the last packet of each outgoing number: NACK → record. Only for
    /// peers to whom packets are repeated as they were: a repetition with a stream of its own needs
    /// no record, and each packet that is noted would touch one more page of memory.
    private let transportOfOut: UnsafeMutablePointer<UInt16>
    private let mask: Int
    private let slots: Int

    /// - Parameter slots: How many slots find their packets by outgoing numbers, each in a table of
    ///   its own; 0: `media` finds nothing.
    package init(capacity: Int, slots: Int) {
        precondition(capacity.nonzeroBitCount == 1 && Self.capacities.contains(capacity))
        precondition((0...4).contains(slots), "video0, audio0, and a second of each at most")
        unsafe records = .allocate(capacity: capacity)
        unsafe records.initialize(
            repeating: Record(
                turn: 0, slotAndKind: 3, size: 0, outIndex: 0, sourceIndex: 0, sentAt: 0),
            count: capacity)
        unsafe transportOfOut = .allocate(capacity: capacity * slots)
        unsafe transportOfOut.initialize(repeating: 0, count: capacity * slots)
        mask = capacity - 1
        self.slots = slots
    }

    deinit {
        unsafe records.deallocate()
        unsafe transportOfOut.deallocate()
    }

    package static func stamp(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 250_000)
    }

    package mutating func note(
        transport: UInt16, slot: Int, kind: Kind, outIndex: UInt64, sourceIndex: Int64, size: Int,
        at stamp: UInt32
    ) {
        let index = Int(transport) & mask
        unsafe records[index] = Record(
            turn: UInt8(truncatingIfNeeded: transport >> 9),
            slotAndKind: UInt8(slot) << 2 | kind.rawValue, size: UInt16(clamping: size),
            outIndex: UInt32(truncatingIfNeeded: outIndex),
            sourceIndex: UInt32(truncatingIfNeeded: sourceIndex), sentAt: stamp)
        if slot < slots, kind == .media {
            unsafe transportOfOut[slot * (mask + 1) + Int(truncatingIfNeeded: outIndex) & mask] =
                transport
        }
    }

    /// Where the next packets will be noted comes nearer.
    func prefetch(_ transport: UInt16) {
        let place = unsafe records + Int(transport) & mask
        unsafe Crypto.prefetch(place)
        unsafe Crypto.prefetch(place + 4)
    }

    /// What left under this transport number, unless it has been overwritten.
    package func record(transport: UInt16) -> Record? {
        let record = unsafe records[Int(transport) & mask]
        guard record.size > 0, record.turn == UInt8(truncatingIfNeeded: transport >> 9) else {
            return nil
        }
        return record
    }

    /// What left as media under this outgoing number (its low 16 bits come in a NACK), and under
    /// which transport number: a byte-identical resend needs both.
    package func media(slot: Int, outIndex: UInt64) -> (record: Record, transport: UInt16)? {
        guard slot >= 0, slot < slots else { return nil }
        let place = slot * (mask + 1) + Int(truncatingIfNeeded: outIndex) & mask
        let transport = unsafe transportOfOut[place]
        guard let record = record(transport: transport), record.kind == .media,
            record.slot == slot, record.outIndex == UInt32(truncatingIfNeeded: outIndex)
        else { return nil }
        return (record, transport)
    }
}
