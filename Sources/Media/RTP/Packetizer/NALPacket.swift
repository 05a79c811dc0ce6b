import Codecs
import Media
import Wire

/// What an RTP payload with NAL units is: the numbers of RFC 6184 §5.2 for H.264, and of RFC 7798
/// §4.4 for H.265. Everything else about the two formats is the same code.
enum NALPacket: Equatable, Sendable {
    case unit(NALUnit)
    /// Several units (STAP-A, AP); a piece of one (FU-A, FU).
    case aggregate, fragment

    /// Refuses the packets of interleaved modes, which nobody negotiates, and PACI.
    init(_ payload: RawSpan, _ codec: NALCodec) throws(ParseError) {
        guard payload.byteCount >= codec.headerCount else {
            throw .truncated(at: payload.byteCount, needed: codec.headerCount)
        }
        let type = codec.type(of: payload)
        if type == codec.aggregateType {
            self = .aggregate
        } else if type == codec.fragmentType {
            self = .fragment
        } else if type > 0 || codec == .h265, type < codec.aggregateType,
            let unit = NALUnit(payload, codec)
        {
            self = .unit(unit)
        } else {
            throw .invalid("NAL packet type", value: UInt64(type), at: 0)
        }
    }
}

extension NALCodec {
    var aggregateType: UInt8 { self == .h264 ? 24 : 48 }
    var fragmentType: UInt8 { self == .h264 ? 28 : 49 }

    /// - Parameter payload: At least as long as a header.
    func type(of payload: RawSpan) -> UInt8 {
        self == .h264 ? payload.byte(at: 0) & 0x1f : payload.byte(at: 0) >> 1 & 0x3f
    }

    /// The slice is its picture's first: first_mb_in_slice of 0 (H.264 §7.3.3) is a single one
    /// bit, as is first_slice_segment_in_pic_flag (H.265 §7.3.6.1).
    /// - Parameter slice: A unit; or a first fragment less its first byte, so that the fragment
    ///   header lies where the unit's own would.
    func startsPicture(_ slice: RawSpan) -> Bool {
        slice.byteCount > headerCount && slice.byte(at: headerCount) & 0x80 != 0
    }

    /// H.265 says "bidirectional" of pictures that only look back: it cannot be told from a slice.
    func isBidirectional(_ slice: RawSpan) -> Bool {
        guard self == .h264, slice.byteCount > headerCount else { return false }
        // Not `try?`: it would box the error of each slice that cannot be read.
        do throws(ParseError) {
            return try SliceHeader(slice, .h264).prediction == .bidirectional
        } catch { return false }
    }

    /// The unit that says nothing and may stand anywhere: it can carry a marker whose own packet is
    /// gone.
    var filler: [UInt8] { self == .h264 ? [0x0c, 0xff, 0x80] : [0x4c, 0x01, 0xff, 0x80] }
}

/// What the fragments of one unit begin with: FU indicator and FU header (RFC 6184 §5.8), payload
/// header and FU header (RFC 7798 §4.4.3).
struct FragmentHeader: Sendable {
    private let codec: NALCodec
    private let first: UInt8
    private let second: UInt8
    /// Of the unit that is cut.
    let type: UInt8

    /// - Parameter unit: A whole unit.
    init(of unit: RawSpan, _ codec: NALCodec) {
        self.codec = codec
        type = codec.type(of: unit)
        switch codec {
        case .h264: (first, second) = (unit.byte(at: 0) & 0xe0 | codec.fragmentType, 0)
        case .h265:
            first = unit.byte(at: 0) & 0x81 | codec.fragmentType << 1
            second = unit.byte(at: 1)
        }
    }

    /// - Parameter packet: A fragment, at least `count` long.
    init(fromFragment packet: RawSpan, _ codec: NALCodec) {
        self.codec = codec
        first = packet.byte(at: 0)
        second = codec == .h264 ? 0 : packet.byte(at: 1)
        type = packet.byte(at: codec.headerCount) & (codec == .h264 ? 0x1f : 0x3f)
    }

    var count: Int { codec.headerCount + 1 }

    func write(start: Bool, end: Bool, into out: inout ItemBatch) {
        out.write(first)
        if codec == .h265 { out.write(second) }
        out.write((start ? 0x80 : 0) | (end ? 0x40 : 0) | type)
    }

    /// The header of the unit that was cut.
    var unitHeader: (first: UInt8, second: UInt8?) {
        switch codec {
        case .h264: (first & 0xe0 | type, nil)
        case .h265: (first & 0x81 | type << 1, second)
        }
    }

    var unit: NALUnit? {
        switch codec {
        case .h264: NALUnit(h264: unitHeader.first)
        case .h265: NALUnit(h265: unitHeader.first, second)
        }
    }
}
