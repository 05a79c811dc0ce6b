/// How far the packets of each table and track have been counted (ISO/IEC 13818-1 §2.4.3.3).
package struct TSContinuity: Equatable, Sendable {
    static let association = 0
    static let map = 1
    /// Behind the tables come the tracks.
    static let tables = 2
    private static let maximum = 16

    private var next: [16 of UInt8] = .init(repeating: 0)

    package init() {}

    mutating func take(_ lane: Int) -> UInt8 {
        let number = next[lane % Self.maximum]
        next[lane % Self.maximum] = (number &+ 1) & 15
        return number
    }

    package static func == (one: TSContinuity, other: TSContinuity) -> Bool {
        for lane in 0..<maximum where one.next[lane] != other.next[lane] { return false }
        return true
    }

    /// Leads a receiver who is at `self` over to `other`: a packet without content says that the
    /// numbers do not follow (discontinuity_indicator, §2.4.3.5), and which one comes next.
    func splice(to other: TSContinuity, into out: inout [UInt8]) {
        for lane in 0..<Self.maximum where next[lane] != other.next[lane] {
            let pid: UInt16
            switch lane {
            case Self.association: pid = TSTables.associationPID
            case Self.map: pid = TSTables.mapPID
            default: pid = TSTables.firstPID + UInt16(lane - Self.tables)
            }
            // Packets without a payload do not count: it has the number of the one before.
            let number = (other.next[lane] &+ 15) & 15
            out += [0x47, UInt8(pid >> 8), UInt8(pid & 0xff), 0x20 | number, 183, 0x80]
            out.append(contentsOf: repeatElement(0xff, count: TSMuxer.packetSize - 6))
        }
    }
}
