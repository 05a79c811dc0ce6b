package import Media
import Wire

/// A frame in the making: what a depacketizer has gathered so far. Its memory is used again and
/// again; it belongs to one encoding.
package struct FrameDraft: Sendable {
    /// RTP frame assembly of any ingest: a larger frame is an attack or a broken source.
    package static let bytesMaximum = 8 << 20

    /// Where a complete audio frame ends, and how many ticks after its packet it begins. Several
    /// may be in one packet; video has none: its frames end with a marker or a new time stamp.
    package struct Cut: Equatable, Sendable {
        package var end: Int
        package var ticks: Int64
    }

    package private(set) var bytes: [UInt8] = []
    package internal(set) var cuts: [Cut] = []
    /// AV1: where the sequence header lies, the OBU with its size. It stays in the frame, too.
    package internal(set) var sequenceHeader: Range<Int>?
    /// `.key` and `.discardable`, of codecs other than H.264 and H.265: of those all units are
    /// here, and `AccessUnitBuilder` judges them.
    package internal(set) var flags: ItemMeta.Flags = []
    package internal(set) var temporal: UInt8 = 0
    package internal(set) var spatial: UInt8 = 0
    /// VP8 and AV1 key frames, JPEG: the picture says its own size. 0: not seen.
    package internal(set) var width: Int32 = 0
    package internal(set) var height: Int32 = 0
    /// A piece is missing.
    package internal(set) var isDamaged = false
    /// Where the unit begins whose fragments are coming in.
    private(set) var open: Int?

    package init() {}

    package var isEmpty: Bool { bytes.isEmpty }

    /// Keeps the memory, unless one huge frame has taken too much of it.
    package mutating func clear() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
        cuts.removeAll(keepingCapacity: true)
        sequenceHeader = nil
        flags = []
        (temporal, spatial, width, height) = (0, 0, 0, 0)
        (isDamaged, open) = (false, nil)
    }

    mutating func append(_ span: RawSpan) throws(ParseError) {
        guard bytes.count + span.byteCount <= Self.bytesMaximum else {
            throw .tooMuch("bytes of a frame", limit: Self.bytesMaximum)
        }
        bytes.append(copying: span)
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }

    /// A whole unit behind its length.
    mutating func appendUnit(_ unit: RawSpan) throws(ParseError) {
        appendLength(unit.byteCount)
        try append(unit)
    }

    private mutating func appendLength(_ count: Int) {
        bytes.append(UInt8(truncatingIfNeeded: count >> 24))
        bytes.append(UInt8(truncatingIfNeeded: count >> 16))
        bytes.append(UInt8(truncatingIfNeeded: count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: count))
    }
}

// MARK: - Units that come in fragments

extension FrameDraft {
    /// Room for the length, which is known at the end; what is written next is the unit.
    mutating func beginUnit() {
        cancelUnit()
        open = bytes.count
        appendLength(0)
    }

    /// For units that have their length elsewhere.
    mutating func beginPlainUnit() {
        cancelUnit()
        open = bytes.count
    }

    /// Bytes of the open unit, its length field included.
    var openCount: Int { open.map { bytes.count - $0 } ?? 0 }

    mutating func endUnit() {
        guard let start = open else { return }
        open = nil
        let count = bytes.count - start - 4
        for index in 0..<4 {
            bytes[start + index] = UInt8(truncatingIfNeeded: count >> (24 - 8 * index))
        }
    }

    /// The open unit ends and needs no length.
    mutating func endPlainUnit() { open = nil }

    /// The fragments that have come are a unit that never ended.
    mutating func cancelUnit() {
        guard let start = open else { return }
        open = nil
        isDamaged = true
        bytes.removeSubrange(start...)
    }

    mutating func dropUnit() {
        guard let start = open else { return }
        open = nil
        bytes.removeSubrange(start...)
    }

    /// The complete frames have left; what is open stays.
    mutating func removeCuts() {
        guard let start = open else { return clear() }
        bytes.removeSubrange(..<start)
        cuts.removeAll(keepingCapacity: true)
        open = 0
    }

    mutating func insert(_ byte: UInt8, at offset: Int) { bytes.insert(byte, at: offset) }
    mutating func replace(_ byte: UInt8, at offset: Int) { bytes[offset] = byte }

    func byte(at offset: Int) -> UInt8 { bytes[offset] }
}
