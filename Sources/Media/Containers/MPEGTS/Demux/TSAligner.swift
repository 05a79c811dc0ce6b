import Wire

/// Finds the packets of a transport stream in bytes that may be cut anywhere, and finds back to
/// them where bytes were lost, added or damaged.
///
/// Datagrams usually hold whole packets, but some senders cut at sizes that are no multiple of 188.
struct TSAligner: Sendable {
    /// So many in a row at the right distance are packets and no accident of the payload.
    private static let proof = 3

    /// Never more than what proves an alignment.
    private(set) var rest: [UInt8] = []
    private var isAligned = true
    /// Bytes that belonged to no packet.
    private(set) var skipped: UInt64 = 0
    /// How often the packets were lost and found again.
    private(set) var losses: UInt64 = 0

    /// The next packet at or behind `at`, which moves behind it.
    ///
    /// - Returns: nil: the bytes from `at` on are too few to tell.
    mutating func next(in bytes: RawSpan, at: inout Int) -> Range<Int>? {
        while at + TSMuxer.packetSize <= bytes.byteCount {
            if isAligned, bytes.byte(at: at) == TSPacketHead.sync {
                defer { at += TSMuxer.packetSize }
                return at..<at + TSMuxer.packetSize
            }
            if isAligned {
                isAligned = false
                losses &+= 1
            }
            guard let found = Self.find(in: bytes, &at, &skipped) else { return nil }
            isAligned = found
        }
        return nil
    }

    /// - Returns: True: packets begin at `at`. nil: more bytes are needed to say so.
    private static func find(
        in bytes: RawSpan, _ at: inout Int, _ skipped: inout UInt64
    ) -> Bool? {
        let reach = (proof - 1) * TSMuxer.packetSize
        while at + reach < bytes.byteCount {
            var isThere = true
            for number in 0..<proof
            where bytes.byte(at: at + number * TSMuxer.packetSize) != TSPacketHead.sync {
                isThere = false
            }
            if isThere { return true }
            at += 1
            skipped &+= 1
        }
        return nil
    }

    /// Keeps what is left for the bytes that follow.
    mutating func keep(_ bytes: RawSpan, from at: Int) {
        rest.removeAll(keepingCapacity: true)
        rest.append(copying: bytes.extracting(at..<bytes.byteCount))
    }

    /// What was kept, with new bytes behind it. Give the array back by `keep`.
    mutating func join(_ bytes: RawSpan) -> [UInt8] {
        var joined: [UInt8] = []
        swap(&joined, &rest)
        joined.append(copying: bytes)
        return joined
    }
}
