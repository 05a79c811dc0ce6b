package import Media
import Wire

/// The two codecs whose streams are NAL units.
package enum NALCodec: UInt8, Sendable {
    case h264, h265

    package init?(_ codec: Codec) {
        switch codec {
        case .h264: self = .h264
        case .h265: self = .h265
        default: return nil
        }
    }

    package var codec: Codec { self == .h264 ? .h264 : .h265 }
    package var headerCount: Int { self == .h264 ? 1 : 2 }
}

/// What the header of a NAL unit says (H.264 §7.3.1, H.265 §7.3.1.2), in words that hold for both
/// codecs. It does not own the bytes and looks at one or two of them.
package struct NALUnit: Equatable, Sendable {
    package enum Role: UInt8, Sendable {
        /// A picture from which decoding can begin: IDR; H.265 also CRA and BLA.
        case keySlice
        case slice
        case videoParameterSet, sequenceParameterSet, pictureParameterSet
        case information, suffixInformation
        case delimiter, filler
        /// End of sequence or of stream.
        case end
        /// Reserved for, or known to belong to, the beginning of an access unit.
        case otherPrefix
        case other
    }

    package var type: UInt8
    package var role: Role
    /// H.264: nal_ref_idc is not 0. H.265: not one of the sub-layer non-reference types.
    package var isReference: Bool
    /// H.265 only: TemporalId; 0 in H.264.
    package var temporal: UInt8

    /// `nil` for what is no unit at all: too short, the forbidden bit set, no temporal id.
    package init?(_ unit: RawSpan, _ codec: NALCodec) {
        guard unit.byteCount > codec.headerCount - 1, unit.byteCount > 0 else { return nil }
        let first = unit.byte(at: 0)
        guard first & 0x80 == 0 else { return nil }
        switch codec {
        case .h264: self.init(h264: first)
        case .h265: self.init(h265: first, unit.byte(at: 1))
        }
    }

    package init(h264 header: UInt8) {
        type = header & 31
        isReference = header & 0x60 != 0
        temporal = 0
        role =
            switch type {
            case 5: .keySlice
            // 2 is partition A, which carries the slice header; 3 and 4 continue it.
            case 1, 2: .slice
            case 6: .information
            case 7: .sequenceParameterSet
            case 8: .pictureParameterSet
            case 9: .delimiter
            case 10, 11: .end
            case 12: .filler
            case 14...18: .otherPrefix
            default: .other
            }
    }

    package init?(h265 first: UInt8, _ second: UInt8) {
        guard second & 7 > 0 else { return nil }
        type = first >> 1 & 63
        temporal = (second & 7) - 1
        isReference = type > 15 || type & 1 == 1
        // Layers above 0 are for scalable and multiview decoders; to all others they are filler.
        guard first & 1 == 0, second >> 3 == 0 else {
            role = .other
            return
        }
        role =
            switch type {
            case 0...9: .slice
            case 16...21: .keySlice
            case 32: .videoParameterSet
            case 33: .sequenceParameterSet
            case 34: .pictureParameterSet
            case 35: .delimiter
            case 36, 37: .end
            case 38: .filler
            case 39: .information
            case 40: .suffixInformation
            case 41...44, 48...55: .otherPrefix
            default: .other
            }
    }

    package var isSlice: Bool { role == .slice || role == .keySlice }

    package var isParameterSet: Bool {
        switch role {
        case .videoParameterSet, .sequenceParameterSet, .pictureParameterSet: true
        default: false
        }
    }

    /// H.265 RASL: refers to pictures before its CRA, undecodable for who joined there
    /// (§3.111, types 8 and 9).
    package static func isSkippedLeading(h265 type: UInt8) -> Bool { type == 8 || type == 9 }
}
