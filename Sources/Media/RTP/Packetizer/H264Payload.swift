import Wire

/// H.264: the numbers of RFC 6184 §5.2 and ITU-T H.264 table 7-1.
enum H264Payload {
    static let aggregateType: UInt8 = 24  // STAP-A
    static let fragmentType: UInt8 = 28  // FU-A

    static func role(of type: UInt8) -> NALRole {
        switch type {
        case 1...4: .slice(key: false)
        case 5: .slice(key: true)
        case 7, 8, 13, 15: .parameterSet
        case 9, 10, 11: .delimiter
        case 12: .filler
        case aggregateType: .aggregate
        case fragmentType: .fragment
        case 6, 14, 16...23: .other
        default: .unknown  // STAP-B, MTAP and FU-B are for interleaving, which nobody negotiates.
        }
    }

    /// A slice of a B picture: its header begins with first_mb_in_slice and slice_type (§7.3.3).
    /// - Parameter slice: What follows the unit's header byte.
    static func isBidirectional(_ slice: RawSpan) -> Bool {
        var bits = BitReader(slice)
        do throws(ParseError) {
            _ = try bits.unsignedGolomb()
            return try bits.unsignedGolomb() % 5 == 1
        } catch { return false }
    }

    /// The slice begins with the first macroblock: so does its picture.
    static func isFirst(_ slice: RawSpan) -> Bool {
        slice.byteCount > 0 && slice.byte(at: 0) & 0x80 != 0
    }
}
