package import Media
import Wire

extension Format {
    /// Codecs whose frames can be turned into samples: the decoders that bytes of strangers may
    /// reach.
    package static let decodableSound: Set<Codec> = [
        .opus, .aac, .pcma, .pcmu, .g722, .g726, .mp2, .mp3, .ac3, .eac3, .flac, .l16,
    ]

    /// Codecs that sound can be made into.
    package static let encodableSound: Set<Codec> = [.opus, .aac]

    /// What this sound is after conversion.
    ///
    /// Opus counts at 48 kHz whatever it was. AAC keeps 44.1 and 48 kHz; everything else becomes
    /// 48 kHz, because iOS and Media Source Extensions are not to be trusted with less.
    ///
    /// - Parameter codec: One of `encodableSound`.
    package func transcoded(to codec: Codec) -> Format {
        // Opus may change from packet to packet, and is always decoded to two.
        let channels = self.codec == .opus ? 2 : min(2, max(1, channels))
        guard codec == .aac else { return Format(opusChannels: channels) }
        let rate = sampleRate == 44_100 ? 44_100 : 48_000
        let configuration = AACConfiguration(sampleRate: rate, channels: Int(channels))
        var format = Format(codec: .aac, clockRate: Int32(rate))
        format.sampleRate = Int32(rate)
        format.channels = channels
        format.profile = UInt32(configuration.signalledType)
        configuration.write(into: &format.configuration)
        return format
    }
}
