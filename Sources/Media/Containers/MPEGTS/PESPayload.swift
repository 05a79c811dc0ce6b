import Codecs
import Media
import Wire

/// One PES packet (ISO/IEC 13818-1 §2.4.3.6): its header and a frame as the codec's mapping has it.
/// Kept and used again.
struct PESPayload: Sendable {
    private(set) var bytes: [UInt8] = []
    private var isUnbounded = false

    static func carries(_ codec: Codec) -> Bool {
        switch codec {
        case .h264, .h265, .aac, .mp2, .mp3, .ac3, .eac3, .opus: true
        default: false
        }
    }

    /// - Parameter isUnbounded: The length is left 0, as it may be for pictures: they do not fit
    ///   into 16 bits.
    mutating func begin(
        _ streamID: UInt8, presentation: Int64, decoding: Int64, isUnbounded: Bool
    ) {
        bytes.removeAll(keepingCapacity: true)
        self.isUnbounded = isUnbounded
        let hasBoth = presentation != decoding
        bytes += [0, 0, 1, streamID, 0, 0]
        // The data begins with a unit (data_alignment_indicator).
        bytes += [0x84, hasBoth ? 0xc0 : 0x80, hasBoth ? 10 : 5]
        write(presentation, mark: hasBoth ? 3 : 2)
        if hasBoth { write(decoding, mark: 1) }
    }

    /// 33 bits with markers between them.
    private mutating func write(_ time: Int64, mark: UInt8) {
        let time = UInt64(truncatingIfNeeded: time) & 0x1_ffff_ffff
        bytes.append(mark << 4 | UInt8(time >> 30) << 1 | 1)
        bytes.append(UInt8(time >> 22 & 0xff))
        bytes.append(UInt8(time >> 15 & 0x7f) << 1 | 1)
        bytes.append(UInt8(time >> 7 & 0xff))
        bytes.append(UInt8(time & 0x7f) << 1 | 1)
    }

    /// - Returns: False for a frame that cannot be said in this mapping.
    mutating func add(_ frame: RawSpan, _ format: Format, isKey: Bool) -> Bool {
        switch format.codec {
        case .h264:
            bytes += [0, 0, 0, 1, 0x09, 0xf0]
            return addUnits(frame, format, isKey: isKey)
        case .h265:
            bytes += [0, 0, 0, 1, 0x46, 0x01, 0x50]
            return addUnits(frame, format, isKey: isKey)
        case .aac:
            guard let configuration = try? AACConfiguration(format.configuration.raw),
                ADTSHeader.write(configuration, payload: frame.byteCount, into: &bytes)
            else { return false }
        case .opus: addControlHeader(frame.byteCount)
        default: break
        }
        bytes.append(copying: frame)
        return true
    }

    private mutating func addUnits(_ frame: RawSpan, _ format: Format, isKey: Bool) -> Bool {
        if isKey {
            for set in format.parameterSets { NALFraming.append(annexB: set.raw, to: &bytes) }
        }
        return (try? NALFraming.annexB(lengthPrefixed: frame, into: &bytes)) != nil
    }

    /// TS 103 491 §5.2: how long the Opus packet is, 255 at a time.
    private mutating func addControlHeader(_ count: Int) {
        bytes += [0x7f, 0xe0]
        var rest = count
        while rest >= 255 {
            bytes.append(255)
            rest -= 255
        }
        bytes.append(UInt8(rest))
    }

    /// All is there: the length is known.
    mutating func end() {
        let count = bytes.count - 6
        guard !isUnbounded, count <= 0xffff else { return }
        bytes[4] = UInt8(count >> 8)
        bytes[5] = UInt8(count & 0xff)
    }
}
