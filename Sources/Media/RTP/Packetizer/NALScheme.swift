import Wire

/// What NAL units of H.264 and H.265 are for, as far as carrying them is concerned.
enum NALRole: Equatable, Sendable {
    /// A piece of a picture; `key`: decoding can begin with its picture.
    case slice(key: Bool)
    case parameterSet
    /// Access unit delimiters and ends of sequence: RTP has time stamps and markers for that.
    case delimiter
    case filler
    /// SEI and whatever else is passed on.
    case other
    /// Several units in one packet; a piece of one unit.
    case aggregate, fragment
    /// Not to be understood, or refused: interleaved packets, PACI.
    case unknown
}

/// The two ways to write NAL units, and their RTP packets: RFC 6184 for H.264, RFC 7798 for H.265.
/// Everything else about them is the same code.
enum NALScheme: Sendable {
    case h264, h265

    var headerCount: Int { self == .h264 ? 1 : 2 }

    /// - Parameter unit: At least as long as a header.
    func type(of unit: RawSpan) -> UInt8 {
        self == .h264 ? unit.byte(at: 0) & 0x1f : unit.byte(at: 0) >> 1 & 0x3f
    }

    func role(of type: UInt8) -> NALRole {
        switch self {
        case .h264: H264Payload.role(of: type)
        case .h265: H265Payload.role(of: type)
        }
    }

    /// The role of a whole unit or packet; too short to have one: unknown.
    func role(of unit: RawSpan) -> NALRole {
        unit.byteCount >= headerCount ? role(of: type(of: unit)) : .unknown
    }

    /// No picture refers to this slice's picture.
    func isDiscardable(_ unit: RawSpan) -> Bool {
        switch self {
        case .h264: unit.byte(at: 0) & 0x60 == 0  // nal_ref_idc
        case .h265: H265Payload.isDiscardable(type(of: unit))
        }
    }

    /// H.265 has it in each header; H.264 only in extensions that nobody sends us.
    func temporal(of unit: RawSpan) -> UInt8 {
        self == .h264 ? 0 : max(1, unit.byte(at: 1) & 7) - 1
    }

    /// The unit that says nothing and may stand anywhere: it can carry a marker that has lost its
    /// own packet.
    var filler: [UInt8] { self == .h264 ? [0x0c, 0xff, 0x80] : [0x4c, 0x01, 0xff, 0x80] }
}
