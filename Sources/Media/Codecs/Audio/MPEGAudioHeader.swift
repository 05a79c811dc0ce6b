package import Media
package import Wire

/// The header of an MPEG audio frame, layers I to III (ISO/IEC 11172-3 §2.4.1.3 and 13818-3).
package struct MPEGAudioHeader: Equatable, Sendable {
    package var layer: UInt8
    package var sampleRate: Int
    package var bitrate: Int
    package var channels: Int
    package var samples: Int
    /// Header included.
    package var frameCount: Int

    package init(_ frame: RawSpan) throws(ParseError) {
        var reader = ByteReader(frame)
        let head = try reader.read(UInt32.self)
        guard head >> 21 == 0x7ff else {
            throw .invalid("MPEG audio sync", value: UInt64(head >> 21), at: 0)
        }
        let version = Int(head >> 19 & 3)  // 0: 2.5, 2: 2, 3: 1.
        let layerBits = Int(head >> 17 & 3)
        let bitrateIndex = Int(head >> 12 & 15)
        let rateIndex = Int(head >> 10 & 3)
        guard version != 1, layerBits > 0, rateIndex < 3, (1...14).contains(bitrateIndex) else {
            // Free format (index 0) has no length: nobody streams it.
            throw .invalid("MPEG audio header", value: UInt64(head), at: 0)
        }
        layer = UInt8(4 - layerBits)
        sampleRate =
            [44_100, 48_000, 32_000][rateIndex] >> (version == 3 ? 0 : version == 2 ? 1 : 2)
        bitrate = 1000 * Self.kilobits(isVersion1: version == 3, layer: layer, bitrateIndex)
        channels = head >> 6 & 3 == 3 ? 1 : 2
        samples = layer == 1 ? 384 : layer == 3 && version != 3 ? 576 : 1152
        let padding = Int(head >> 9 & 1)
        frameCount =
            layer == 1
            ? (12 * bitrate / sampleRate + padding) * 4
            : samples / 8 * bitrate / sampleRate + padding
    }

    private static func kilobits(isVersion1: Bool, layer: UInt8, _ index: Int) -> Int {
        switch (isVersion1, layer) {
        case (true, 1): index * 32
        case (true, 2):
            [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384][index - 1]
        case (true, _):
            [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320][index - 1]
        case (false, 1):
            [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256][index - 1]
        case (false, _):
            [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160][index - 1]
        }
    }
}

extension Format {
    /// - Parameter mpegAudio: A frame. Layer I is carried as MP2: every decoder of II reads it.
    package init(mpegAudio frame: RawSpan) throws(ParseError) {
        let header = try MPEGAudioHeader(frame)
        self.init(codec: header.layer == 3 ? .mp3 : .mp2, clockRate: Int32(header.sampleRate))
        sampleRate = Int32(header.sampleRate)
        channels = Int32(header.channels)
    }
}
