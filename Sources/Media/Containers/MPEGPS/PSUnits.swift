import Codecs
import Wire

/// The NAL units in a sequence of packets, each with the time stamp of the packet it began in; and
/// which of the two codecs they are of, whatever the map says.
struct PSUnits: Sendable {
    private static let startCodeCount = 3
    private static let doubtsMaximum = 4

    private(set) var codec: NALCodec?
    /// Begins with the start code of a unit, if `hasStart`; more of it may come.
    private var tail: [UInt8] = []
    private var hasStart = false
    private var scanned = 0
    /// The unit that was found: what lies in the tail before this.
    private var found: Int?
    private var spare: [UInt8] = []

    /// Of the packet that is being read, until a frame takes it.
    private var stamp: PSStamp?
    /// The packet that is being read has a stamp of its own.
    private(set) var ownStamp: PSStamp?
    /// Where in the tail that packet began; below zero: before it.
    private var packetBegan = 0
    private var awaitsFirstBytes = false

    private var tailStamp: PSStamp?
    private var tailBeganPacket = false
    private var unitStamp: PSStamp?
    /// The unit that was taken last began with its packet.
    private(set) var unitBeganPacket = false
    /// Units that contradict the codec, for the next builder.
    private var doubts: [[UInt8]] = []

    init(_ codec: NALCodec?) { self.codec = codec }

    var isEmpty: Bool { !hasStart }
    var isTooLarge: Bool { tail.count > AccessUnitBuilder.countMaximum }

    // MARK: - Packets

    mutating func beginPacket(_ stamp: PSStamp?) {
        ownStamp = stamp
        if let stamp { self.stamp = stamp }
        awaitsFirstBytes = true
    }

    /// - Returns: Of the first bytes of a packet: whether a unit begins with them.
    mutating func firstBytes(_ bytes: RawSpan) -> Bool? {
        guard awaitsFirstBytes, bytes.byteCount > 0 else { return nil }
        awaitsFirstBytes = false
        packetBegan = tail.count
        guard bytes.byteCount >= 4, bytes.byte(at: 0) == 0, bytes.byte(at: 1) == 0 else {
            return false
        }
        return bytes.byte(at: 2) == 1 || bytes.byte(at: 2) == 0 && bytes.byte(at: 3) == 1
    }

    mutating func append(_ bytes: RawSpan) { tail.append(copying: bytes) }

    mutating func reset() {
        tail.removeAll(keepingCapacity: true)
        (hasStart, scanned, found, packetBegan) = (false, 0, nil, 0)
        (stamp, ownStamp, tailStamp) = (nil, nil, nil)
        doubts = []
    }

    // MARK: - Units

    /// - Returns: True: a whole unit is there to be taken.
    mutating func findNext() -> Bool {
        while let code = AnnexBUnits.startCode(in: tail.raw, from: scanned) {
            if hasStart {
                found = code
                return true
            }
            drop(code)
        }
        // The last two bytes may be half of a start code.
        scanned = max(hasStart ? Self.startCodeCount : 0, tail.count - 2)
        if !hasStart, tail.count > 2 {
            packetBegan -= tail.count - 2
            tail.removeSubrange(..<(tail.count - 2))
            scanned = 0
        }
        return false
    }

    /// What lies before a start code; a unit begins there.
    private mutating func drop(_ code: Int) {
        tail.removeSubrange(..<code)
        packetBegan -= code
        (hasStart, scanned) = (true, Self.startCodeCount)
        tailStamp = packetBegan <= 0 ? stamp : nil
        tailBeganPacket = packetBegan == 0 || packetBegan == -1
    }

    /// Nothing more will come of the last unit.
    ///
    /// - Returns: True: it is there to be taken.
    mutating func closeTail() -> Bool {
        guard hasStart else { return false }
        found = tail.count
        return true
    }

    /// What has come of the last unit.
    var wholeTail: [UInt8]? {
        guard hasStart, tail.count > Self.startCodeCount else { return nil }
        return Array(tail[Self.startCodeCount...])
    }

    mutating func takeUnit(_ unit: inout [UInt8]) {
        swap(&unit, &spare)
        unit.removeAll(keepingCapacity: true)
        guard let code = found else { return }
        found = nil
        var end = code
        while end > Self.startCodeCount, tail[end - 1] == 0 { end -= 1 }
        if end > Self.startCodeCount {
            unit.append(copying: tail.raw.extracting(Self.startCodeCount..<end))
        }
        (unitStamp, unitBeganPacket) = (tailStamp, tailBeganPacket)
        if code == tail.count {
            packetBegan -= code
            tail.removeAll(keepingCapacity: true)
            (hasStart, scanned) = (false, 0)
        } else {
            drop(code)
        }
    }

    mutating func giveBack(_ unit: inout [UInt8]) { swap(&unit, &spare) }

    /// The stamp of the unit that was taken last: no other frame gets it.
    mutating func takeStamp() -> PSStamp? {
        defer {
            if unitStamp == stamp { stamp = nil }
            if unitStamp == tailStamp { tailStamp = nil }
            unitStamp = nil
        }
        return unitStamp
    }

    // MARK: - The codec

    /// Sets of one codec are nothing in the other one: `67` and `27` are reserved units of H.265,
    /// and no encoder makes data partitions, as which H.264 would see H.265's sets.
    ///
    /// - Returns: True: the codec is another one from this unit on.
    mutating func sniff(_ unit: RawSpan, hasPictures: Bool) -> Bool {
        guard let seen = Self.codec(of: unit) else { return false }
        guard seen != codec else {
            doubts = []
            return false
        }
        doubts.append([UInt8](copying: unit))
        if doubts.count > Self.doubtsMaximum { doubts.removeFirst() }
        // A stream that has shown pictures was right once: then one unit is no proof.
        guard codec == nil || !hasPictures || doubts.count >= 2 else { return false }
        codec = seen
        return true
    }

    mutating func takeDoubts() -> [[UInt8]] {
        defer { doubts = [] }
        return doubts
    }

    private static func codec(of unit: RawSpan) -> NALCodec? {
        guard unit.byteCount >= 4 else { return nil }
        let (first, second) = (unit.byte(at: 0), unit.byte(at: 1))
        switch (first, second) {
        case (0x40, 0x01), (0x42, 0x01), (0x44, 0x01): return .h265
        case (0x27, _), (0x47, _), (0x67, _):
            // A profile of H.264 §A.2 or of its annexes.
            let profiles: [UInt8] = [44, 66, 77, 83, 86, 88, 100, 110, 118, 122, 128, 138, 244]
            return profiles.contains(second) ? .h264 : nil
        default: return nil
        }
    }
}
