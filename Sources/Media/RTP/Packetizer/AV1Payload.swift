import Media
import Wire

/// AV1 in RTP (AOM "RTP Payload Format For AV1", v1.0): OBUs without sizes, in elements.
enum AV1Payload {
    static let sequenceHeader: UInt8 = 1
    /// Temporal delimiters, tile lists and padding are not sent (§5).
    private static func isUnsent(_ type: UInt8) -> Bool { type == 2 || type == 8 || type == 15 }

    /// The aggregation header (§4.4): Z and Y say that the first and the last element go on from
    /// the packet before and in the next one; W counts elements, of which the last has no length.
    struct Aggregation {
        var continues: Bool
        var isContinued: Bool
        var count: Int
        var startsSequence: Bool

        init(_ byte: UInt8) {
            continues = byte & 0x80 != 0
            isContinued = byte & 0x40 != 0
            count = Int(byte >> 4 & 3)
            startsSequence = byte & 0x08 != 0
        }
    }

    /// Takes OBUs with sizes; elements with their lengths fill each packet to the end, so that all
    /// packets but the last have one size.
    static func packetize(
        _ unit: RawSpan, _ meta: ItemMeta, _ maximum: Int, into out: inout ItemBatch
    ) {
        precondition(maximum < 16_384, "element lengths are written in two bytes")
        var packets = PacketFiller(meta: meta, maximum: maximum)
        var reader = ByteReader(unit)
        while reader.remaining > 0 {
            do throws(ParseError) {
                let obu = try OBU(&reader)
                if !isUnsent(obu.type) { packets.add(obu, of: unit, into: &out) }
            } catch { break }
        }
        packets.finish(continued: false, into: &out)
    }

    static func depacketize(
        _ packet: RawSpan, to draft: inout FrameDraft
    ) throws(ParseError) {
        var reader = ByteReader(packet)
        let aggregation = Aggregation(try reader.read(UInt8.self))
        var index = 0
        while reader.remaining > 0 {
            index += 1
            let isLast = aggregation.count > 0 && index == aggregation.count
            let count = isLast ? reader.remaining : try readLEB128(&reader)
            let element = try reader.read(count: count)
            let continues = index == 1 && aggregation.continues
            let isContinued = reader.remaining == 0 && aggregation.isContinued
            try take(element, continues: continues, isContinued: isContinued, to: &draft)
        }
    }

    private static func take(
        _ element: RawSpan, continues: Bool, isContinued: Bool, to draft: inout FrameDraft
    ) throws(ParseError) {
        if continues {
            guard draft.openCount > 0 else {
                throw .invalid("AV1 element without a start", value: 0, at: 0)
            }
        } else {
            draft.beginPlainUnit()
        }
        try draft.append(element)
        if !isContinued { try finishOBU(&draft) }
    }

    /// A whole OBU lies at the end of the draft: it gets the size that the normal form wants.
    private static func finishOBU(_ draft: inout FrameDraft) throws(ParseError) {
        let count = draft.openCount
        let start = draft.bytes.count - count
        guard count > 0 else { return draft.dropUnit() }
        var whole = ByteReader(draft.bytes.raw.extracting(start..<start + count))
        let obu = try OBU(&whole)
        if isUnsent(obu.type) { return draft.dropUnit() }
        if obu.type == sequenceHeader { draft.flags.insert(.key) }
        draft.endPlainUnit()
        if !obu.hasSize {
            draft.replace(draft.byte(at: start) | 0x02, at: start)
            var size = count - obu.headerCount
            var offset = start + obu.headerCount
            repeat {
                let more: UInt8 = size > 0x7f ? 0x80 : 0
                draft.insert(UInt8(size & 0x7f) | more, at: offset)
                (size, offset) = (size >> 7, offset + 1)
            } while size > 0
        }
        if obu.type == sequenceHeader { draft.sequenceHeader = start..<draft.bytes.count }
    }

    /// At most eight bytes of seven bits; nothing we accept needs more than four.
    static func readLEB128(_ reader: inout ByteReader) throws(ParseError) -> Int {
        var value = 0
        for index in 0..<8 {
            let byte = try reader.read(UInt8.self)
            value |= Int(byte & 0x7f) << (7 * index)
            if byte & 0x80 == 0 { return value }
        }
        throw .invalid("leb128", value: UInt64(value), at: reader.offset)
    }
}

/// One OBU: what its header says and where its payload lies (AV1 specification §5.3).
struct OBU {
    var type: UInt8
    /// One, or two with an extension.
    var headerCount: Int
    var hasSize: Bool
    var first: UInt8
    var second: UInt8 = 0
    /// Offsets into what the reader reads.
    var payload: Range<Int>

    /// Without a size it takes all that is left.
    init(_ reader: inout ByteReader) throws(ParseError) {
        let start = reader.offset
        first = try reader.read(UInt8.self)
        guard first & 0x80 == 0 else { throw .invalid("OBU header", value: 1, at: start) }
        type = first >> 3 & 15
        hasSize = first & 0x02 != 0
        headerCount = 1
        if first & 0x04 != 0 {
            second = try reader.read(UInt8.self)
            headerCount = 2
        }
        let count = hasSize ? try AV1Payload.readLEB128(&reader) : reader.remaining
        payload = reader.offset..<reader.offset &+ max(0, count)
        try reader.skip(count)
    }
}

/// Fills packets with elements, each behind its length (W = 0): no element waits for a packet of
/// its own.
private struct PacketFiller {
    let meta: ItemMeta
    let maximum: Int
    private var isFirst = true
    /// The aggregation header of the open packet.
    private var header: UInt8 = 0

    init(meta: ItemMeta, maximum: Int) {
        self.meta = meta
        self.maximum = maximum
    }

    mutating func add(_ obu: OBU, of unit: RawSpan, into out: inout ItemBatch) {
        let count = obu.headerCount + obu.payload.count
        var sent = 0
        while sent < count {
            // Less room than this is not worth the lengths.
            if out.openCount > 0, maximum - out.openCount < 16 {
                finish(continued: sent > 0, into: &out)
            }
            if out.openCount == 0 { open(continues: sent > 0, into: &out) }
            let room = maximum - out.openCount
            let part = min(count - sent, count - sent < 128 ? room - 1 : room - 2)
            write(length: part, into: &out)
            write(obu, of: unit, sent..<sent + part, into: &out)
            sent += part
        }
    }

    private func write(length: Int, into out: inout ItemBatch) {
        if length < 128 { return out.write(UInt8(length)) }
        out.write(0x80 | UInt8(length & 0x7f))
        out.write(UInt8(length >> 7))
    }

    /// A part of header and payload as if they lay together, without the size between them.
    private func write(
        _ obu: OBU, of unit: RawSpan, _ part: Range<Int>, into out: inout ItemBatch
    ) {
        for index in part.lowerBound..<max(part.lowerBound, min(part.upperBound, obu.headerCount)) {
            out.write(index == 0 ? obu.first & ~0x02 : obu.second)
        }
        let start = max(0, part.lowerBound - obu.headerCount)
        let end = max(0, part.upperBound - obu.headerCount)
        let base = obu.payload.lowerBound
        out.write(unit.extracting(base + start..<base + end))
    }

    private mutating func open(continues: Bool, into out: inout ItemBatch) {
        out.begin()
        // N: with a key frame a new coded video sequence begins.
        let startsSequence = isFirst && meta.isKey
        header = (continues ? 0x80 : 0) | (startsSequence ? 0x08 : 0)
        out.write(header)
        isFirst = false
    }

    mutating func finish(continued: Bool, into out: inout ItemBatch) {
        guard out.openCount > 0 else { return }
        if continued { out.patch(header | 0x40, at: 0) }
        out.end(meta)
    }
}
