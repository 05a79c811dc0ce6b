import Codecs
import Wire

/// Opus in Ogg (RFC 7845): pages (RFC 3533) of one logical stream, two head packets, then audio.
struct OggOpusFile: Sendable {
    let head: OpusHead
    private(set) var packets: [[UInt8]] = []

    /// The largest Opus packet of 120 ms; RFC 7845 §6 lets nothing larger be asked of players.
    static let packetMaximum = 61_440

    init(_ bytes: RawSpan) throws(ParseError) {
        try DemoTrack.checkSize(bytes)
        var pages = OggPages()
        var all: [[UInt8]] = []
        var open: [UInt8] = []
        var isOpen = false
        while let page = try pages.next(of: bytes) {
            guard page.continuesPacket == isOpen else {
                throw .invalid("Ogg page: continued packet", value: isOpen ? 1 : 0, at: page.start)
            }
            var at = page.body
            for index in 0..<page.segmentCount {
                let size = Int(bytes.byte(at: page.table + index))
                open.append(copying: bytes.extracting(at..<at + size))
                at += size
                guard open.count <= Self.packetMaximum else {
                    throw .tooMuch("bytes of an Opus packet", limit: Self.packetMaximum)
                }
                // 255: the packet goes on, if need be on the next page (RFC 3533 §5).
                isOpen = size == 255
                guard !isOpen else { continue }
                all.append(open)
                open.removeAll(keepingCapacity: true)
                try DemoTrack.checkCount(all.count)
            }
        }
        guard all.count > 2, !isOpen else { throw .truncated(at: bytes.byteCount, needed: 1) }
        let identification = all[0]
        head = try OpusHead(identification.raw)
        packets = Array(all.dropFirst(2))  // The second holds comments.
    }
}

/// Walks the pages of one logical stream, in order and undamaged.
private struct OggPages {
    struct Page {
        var start: Int
        /// Offset of the segment table, and of the body behind it.
        var table: Int
        var segmentCount: Int
        var body: Int
        var continuesPacket: Bool
    }

    private var offset = 0
    private var serial: UInt32?
    private var sequence: UInt32?

    mutating func next(of bytes: RawSpan) throws(ParseError) -> Page? {
        guard offset < bytes.byteCount else { return nil }
        let start = offset
        var reader = ByteReader(bytes.extracting(start..<bytes.byteCount))
        let magic = try reader.read(UInt32.self)
        let version = try reader.read(UInt8.self)
        guard magic == 0x4f67_6753, version == 0 else {
            throw .invalid("Ogg page", value: UInt64(magic), at: start)
        }
        let flags = try reader.read(UInt8.self)
        try reader.skip(8)  // The position: packets say how long they are.
        let serial = try reader.read(UInt32.self)
        let sequence = try reader.read(UInt32.self).byteSwapped
        guard self.serial ?? serial == serial else {
            throw .invalid("Ogg stream: there are several", value: UInt64(serial), at: start + 14)
        }
        guard self.sequence.map({ $0 &+ 1 == sequence }) ?? true else {
            throw .invalid("Ogg page number", value: UInt64(sequence), at: start + 18)
        }
        let sum = try reader.read(UInt32.self).byteSwapped
        let count = Int(try reader.read(UInt8.self))
        let table = start + reader.offset
        var size = 0
        for _ in 0..<count { size += Int(try reader.read(UInt8.self)) }
        let body = start + reader.offset
        try reader.skip(size)
        offset = body + size
        guard Self.checksum(bytes.extracting(start..<offset)) == sum else {
            throw .invalid("Ogg checksum", value: UInt64(sum), at: start + 22)
        }
        self.serial = serial
        self.sequence = sequence
        return Page(
            start: start, table: table, segmentCount: count, body: body,
            continuesPacket: flags & 1 != 0)
    }

    /// RFC 3533 §6: CRC-32 of 0x04c11db7, highest bit first, from 0; its own field counts as 0.
    private static func checksum(_ page: RawSpan) -> UInt32 {
        var sum: UInt32 = 0
        for offset in 0..<page.byteCount {
            let byte = (22..<26).contains(offset) ? 0 : page.byte(at: offset)
            sum ^= UInt32(byte) << 24
            for _ in 0..<8 { sum = sum & 0x8000_0000 != 0 ? sum << 1 ^ 0x04c1_1db7 : sum << 1 }
        }
        return sum
    }
}
