import Codecs
package import Media
import Wire

/// Bodies of tags and messages for media that goes out.
///
/// H.264 always goes by its old number: players refuse the letters for it. What has no number goes
/// by its letters.
package enum FLVBody {
    /// What stands before the frame in a body: one to eight bytes.
    package struct Prefix: Sendable {
        package private(set) var bytes: [8 of UInt8] = .init(repeating: 0)
        package private(set) var count = 0

        init() {}

        mutating func append(_ byte: UInt8) {
            bytes[count] = byte
            count += 1
        }

        mutating func append(letters: UInt32) {
            for shift: UInt32 in [24, 16, 8, 0] {
                append(UInt8(truncatingIfNeeded: letters >> shift))
            }
        }

        /// 24 bits with a sign.
        mutating func append(offset: Int32) {
            let limited = UInt32(bitPattern: min(max(offset, -0x80_0000), 0x7f_ffff))
            for shift: UInt32 in [16, 8, 0] {
                append(UInt8(truncatingIfNeeded: limited >> shift))
            }
        }
    }

    private enum Packet {
        static let sequenceStart: UInt8 = 0
        static let frames: UInt8 = 1
    }

    /// - Parameter offset: Milliseconds from decoding to presentation.
    package static func prefix(
        _ format: Format, isKey: Bool, offset: Int32, _ dialect: FLVDialect
    ) -> Prefix {
        var prefix = Prefix()
        if format.codec.kind == .audio {
            soundPrefix(format, Packet.frames, &prefix)
            return prefix
        }
        let frame: UInt8 = isKey ? 0x10 : 0x20
        if let number = videoNumber(format.codec, dialect) {
            prefix.append(frame | number)
            prefix.append(Packet.frames)
            prefix.append(offset: offset)
        } else if let letters = FLVCodec.letters(of: format.codec) {
            prefix.append(0x80 | frame | Packet.frames)
            prefix.append(letters: letters)
            if FLVCodec.hasCompositionOffset(letters) { prefix.append(offset: offset) }
        }
        return prefix
    }

    private static func videoNumber(_ codec: Codec, _ dialect: FLVDialect) -> UInt8? {
        switch codec {
        case .h264: 7
        case .h265 where dialect == .legacy: 12
        default: nil
        }
    }

    private static func soundPrefix(
        _ format: Format, _ packet: UInt8, _ prefix: inout Prefix
    ) {
        switch format.codec {
        // Rate and channels are constants for AAC: its configuration says them.
        case .aac:
            prefix.append(0xaf)
            prefix.append(packet)
        case .mp3: prefix.append(mp3Head(format))
        case .pcma: prefix.append(0x72 | (format.channels > 1 ? 1 : 0))
        case .pcmu: prefix.append(0x82 | (format.channels > 1 ? 1 : 0))
        default:
            guard let letters = FLVCodec.letters(of: format.codec) else { return }
            prefix.append(0x90 | packet)
            prefix.append(letters: letters)
        }
    }

    /// Number 2, or 14 at 8 kHz; two bits of rate, 16-bit samples, one bit of channels.
    private static func mp3Head(_ format: Format) -> UInt8 {
        let channels: UInt8 = format.channels > 1 ? 1 : 0
        return switch format.sampleRate {
        case 8000: 0xe2 | channels
        case ..<8000: 0x22 | channels
        case ..<16_000: 0x26 | channels
        case ..<32_000: 0x2a | channels
        default: 0x2e | channels
        }
    }

    /// The body that tells a decoder what comes; nil: this codec needs none, or it is not known
    /// yet.
    package static func configuration(_ format: Format, _ dialect: FLVDialect) -> [UInt8]? {
        var record: [UInt8] = []
        switch format.codec {
        case .h264:
            guard let made = format.avcConfiguration else { return nil }
            made.write(into: &record)
        case .h265:
            guard let made = format.hevcConfiguration else { return nil }
            made.write(into: &record)
        case .av1:
            guard let unit = format.parameterSets.first else { return nil }
            AV1Configuration(sequenceHeader: unit).write(into: &record)
        case .vp9, .aac:
            guard !format.configuration.isEmpty else { return nil }
            record = format.configuration
        case .opus: record = opusHead(format)
        default: return nil
        }
        return head(of: format.codec, dialect) + record
    }

    private static func head(of codec: Codec, _ dialect: FLVDialect) -> [UInt8] {
        if codec == .aac { return [0xaf, Packet.sequenceStart] }
        if let number = videoNumber(codec, dialect) {
            return [0x10 | number, Packet.sequenceStart, 0, 0, 0]
        }
        var prefix = Prefix()
        // Of audio the mark of the format; of video the mark and a key frame: the same bits.
        prefix.append(0x90 | Packet.sequenceStart)
        if let letters = FLVCodec.letters(of: codec) { prefix.append(letters: letters) }
        return (0..<prefix.count).map { prefix.bytes[$0] }
    }

    private static func opusHead(_ format: Format) -> [UInt8] {
        var head = OpusHead(channels: UInt8(clamping: max(1, format.channels)))
        if let family = format.configuration.first {
            head.mappingFamily = family
            head.mapping = Array(format.configuration.dropFirst())
        }
        var bytes: [UInt8] = []
        head.write(into: &bytes)
        return bytes
    }

    /// `onMetaData`, with the keys that players look at.
    package static func metadata(_ formats: [Format], _ dialect: FLVDialect) -> [UInt8] {
        var fields: [AMFValue.Field] = [.init("duration", .number(0))]
        let video = formats.first { $0.codec.kind == .video }
        let audio = formats.first { $0.codec.kind == .audio }
        if let video {
            if video.width > 0 {
                fields.append(.init("width", .number(Double(video.width))))
                fields.append(.init("height", .number(Double(video.height))))
            }
            let number = videoNumber(video.codec, dialect).map { Double($0) }
            let letters = FLVCodec.letters(of: video.codec).map { Double($0) }
            fields.append(.init("videocodecid", .number(number ?? letters ?? 0)))
        }
        if let audio {
            fields.append(.init("audiocodecid", .number(audioNumber(audio.codec))))
            fields.append(.init("audiosamplerate", .number(Double(audio.sampleRate))))
            fields.append(.init("audiosamplesize", .number(16)))
            fields.append(.init("audiochannels", .number(Double(audio.channels))))
            fields.append(.init("stereo", .boolean(audio.channels > 1)))
        }
        // mpegts.js believes these over the flags of the file's header.
        fields.append(.init("hasVideo", .boolean(video != nil)))
        fields.append(.init("hasAudio", .boolean(audio != nil)))
        fields.append(.init("encoder", .string("gateway")))
        var body: [UInt8] = []
        AMF0Writer.write([.string("onMetaData"), .ecmaArray(fields)], into: &body)
        return body
    }

    private static func audioNumber(_ codec: Codec) -> Double {
        switch codec {
        case .aac: 10
        case .mp3: 2
        case .pcma: 7
        case .pcmu: 8
        default: FLVCodec.letters(of: codec).map { Double($0) } ?? 0
        }
    }
}
