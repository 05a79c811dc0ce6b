import Wire

/// Puts the sections of a table together from the packets of its PID (ISO/IEC 13818-1 §2.4.4).
///
/// Tables come several times a second and hardly ever change: one that is known to the checksum
/// costs a look at four bytes.
struct TSSections: Sendable {
    /// §2.4.4.9: of the tables read here.
    private static let countMaximum = 1024
    /// Before the checksum: the long header of a section.
    private static let headCount = 8

    private var bytes: [UInt8] = []
    /// The section that came last, by its checksum.
    private var known: UInt32?
    private(set) var damaged: UInt64 = 0

    /// Some of what was begun is missing.
    mutating func reset() { bytes.removeAll(keepingCapacity: true) }

    /// - Returns: Whole sections that differ from the last one, without their checksums.
    mutating func receive(_ payload: RawSpan, startsUnit: Bool) -> [[UInt8]] {
        guard startsUnit else {
            guard !bytes.isEmpty else { return [] }
            return take(payload)
        }
        guard payload.byteCount > 0 else { return [] }
        // The pointer: what belongs to the section before.
        let begin = 1 + Int(payload.byte(at: 0))
        guard begin <= payload.byteCount else {
            reset()
            return []
        }
        var found: [[UInt8]] = []
        if !bytes.isEmpty { found = take(payload.extracting(1..<begin)) }
        reset()
        return found + take(payload.extracting(begin..<payload.byteCount))
    }

    private mutating func take(_ payload: RawSpan) -> [[UInt8]] {
        var found: [[UInt8]] = []
        bytes.append(copying: payload)
        while bytes.count >= 3, bytes[0] != 0xff {
            let count = 3 + (Int(bytes[1] & 0x0f) << 8 | Int(bytes[2]))
            guard count <= Self.countMaximum, count >= Self.headCount + 4 else {
                damaged &+= 1
                reset()
                return found
            }
            guard bytes.count >= count else { return found }
            if let section = checked(count) { found.append(section) }
            bytes.removeFirst(count)
        }
        if let first = bytes.first, first == 0xff { reset() }
        return found
    }

    private mutating func checked(_ count: Int) -> [UInt8]? {
        let checksum = bytes[count - 4..<count].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard checksum != known else { return nil }
        guard MPEGChecksum.value(of: bytes[0..<count]) == 0 else {
            damaged &+= 1
            return nil
        }
        // Those that are announced for later are looked at when they hold.
        guard bytes[5] & 1 == 1 else { return nil }
        known = checksum
        return Array(bytes[0..<count - 4])
    }
}
