import Wire

/// H.265: the numbers of RFC 7798 §4.4 and ITU-T H.265 table 7-1.
enum H265Payload {
    static let aggregateType: UInt8 = 48  // AP
    static let fragmentType: UInt8 = 49  // FU

    static func role(of type: UInt8) -> NALRole {
        switch type {
        case 0...15: .slice(key: false)
        case 16...23: .slice(key: true)  // IRAP: IDR, CRA, BLA.
        case 32, 33, 34: .parameterSet
        case 35, 36, 37: .delimiter
        case 38: .filler
        case aggregateType: .aggregate
        case fragmentType: .fragment
        case 24...31, 39...47: .other
        default: .unknown  // PACI (50) carries a packet inside a packet; nobody sends it.
        }
    }

    /// Sub-layer non-reference pictures: the even ones of the types below 16.
    static func isDiscardable(_ type: UInt8) -> Bool { type < 16 && type & 1 == 0 }

    /// first_slice_segment_in_pic_flag (§7.3.6.1).
    static func isFirst(_ slice: RawSpan) -> Bool {
        slice.byteCount > 0 && slice.byte(at: 0) & 0x80 != 0
    }
}
