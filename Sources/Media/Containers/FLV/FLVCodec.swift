package import Media

/// How FLV and RTMP name codecs: a number of four bits, or four letters (Enhanced RTMP).
package enum FLVCodec: Equatable, Sendable {
    case known(Codec)
    /// A number that nobody here decodes: Sorenson, VP6, Nellymoser, Speex …
    case number(UInt8)
    /// Letters of a codec that is unknown.
    case letters(UInt32)

    package var codec: Codec? {
        if case .known(let codec) = self { codec } else { nil }
    }

    /// As a refusal names it.
    package var name: String {
        switch self {
        case .known(let codec): codec.name
        case .number(let number): "codec number \(number)"
        case .letters(let letters):
            String(
                String.UnicodeScalarView(
                    [24, 16, 8, 0].map { shift in
                        let byte = UInt8(truncatingIfNeeded: letters >> UInt32(shift))
                        return Unicode.Scalar((32...126).contains(byte) ? byte : 63)
                    }))
        }
    }

    static func video(number: UInt8) -> FLVCodec {
        switch number {
        case 7: .known(.h264)
        case 12: .known(.h265)
        case 13: .known(.av1)
        default: .number(number)
        }
    }

    static func audio(number: UInt8) -> FLVCodec {
        switch number {
        case 2, 14: .known(.mp3)
        case 7: .known(.pcma)
        case 8: .known(.pcmu)
        case 10: .known(.aac)
        case 11: .known(.speex)
        default: .number(number)
        }
    }

    static func named(_ letters: UInt32) -> FLVCodec {
        fourCCs.first { $0.letters == letters }.map { .known($0.codec) } ?? .letters(letters)
    }

    /// The letters of a codec that Enhanced RTMP names.
    package static func letters(of codec: Codec) -> UInt32? {
        fourCCs.first { $0.codec == codec }?.letters
    }

    private static let fourCCs: [(codec: Codec, letters: UInt32)] = [
        (.h264, 0x6176_6331), (.h265, 0x6876_6331), (.av1, 0x6176_3031),
        (.vp8, 0x7670_3038), (.vp9, 0x7670_3039),
        (.opus, 0x4f70_7573), (.aac, 0x6d70_3461), (.mp3, 0x2e6d_7033), (.flac, 0x664c_6143),
        (.ac3, 0x6163_2d33), (.eac3, 0x6563_2d33),
    ]

    /// Its frames carry a composition offset (Enhanced RTMP, `CodedFrames`); VVC's too.
    static func hasCompositionOffset(_ letters: UInt32) -> Bool {
        letters == 0x6176_6331 || letters == 0x6876_6331 || letters == 0x7676_6331
    }
}
