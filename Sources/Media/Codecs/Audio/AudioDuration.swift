package import Media
import Wire

/// How long an audio frame plays, in ticks of its format's clock: what a timeline is made of when
/// time stamps cannot be trusted.
package enum AudioDuration {
    /// `nil`: the codec does not tell, or the bytes are broken.
    package static func ticks(of frame: RawSpan, _ format: Format) -> Int64? {
        switch format.codec {
        case .opus: return (try? OpusPacket(frame)).map { Int64($0.samples) }
        case .aac:
            let configuration = try? AACConfiguration(format.configuration.raw)
            return configuration.map { Int64($0.samples) } ?? 1024
        case .mp2, .mp3: return (try? MPEGAudioHeader(frame)).map { Int64($0.samples) }
        case .ac3, .eac3: return (try? AC3Header(frame)).map { Int64($0.samples) }
        case .pcma, .pcmu: return Int64(frame.byteCount) / Int64(max(1, format.channels))
        // 16,000 samples a second in 4 bits each; the clock says 8,000 (RFC 3551 §4.5.2).
        case .g722: return Int64(frame.byteCount) / Int64(max(1, format.channels))
        case .g726:
            let bits = Int64(max(2, format.profile))
            return Int64(frame.byteCount) * 8 / bits
        case .l16: return Int64(frame.byteCount) / Int64(2 * max(1, format.channels))
        default: return nil
        }
    }
}

extension Format {
    /// G.711: 8 kHz unless somebody says otherwise; then no browser plays it.
    package init(g711 codec: Codec, sampleRate: Int32 = 8000, channels: Int32 = 1) {
        precondition(codec == .pcma || codec == .pcmu, "G.711 is A-law or µ-law")
        self.init(codec: codec, clockRate: sampleRate)
        self.sampleRate = sampleRate
        self.channels = channels
    }

    /// G.722 samples at 16 kHz, but its clock is 8 kHz by a historic mistake (RFC 3551 §4.5.2).
    package static var g722: Format {
        var format = Format(codec: .g722, clockRate: 8000)
        format.sampleRate = 16_000
        format.channels = 1
        return format
    }

    /// - Parameter bits: 2 to 5 a sample, kept in `profile`: 16, 24, 32 or 40 kbit/s.
    package init(g726Bits bits: UInt32) {
        self.init(codec: .g726, clockRate: 8000)
        sampleRate = 8000
        channels = 1
        profile = min(max(bits, 2), 5)
    }
}
