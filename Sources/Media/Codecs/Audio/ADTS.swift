package import Wire

/// The header before each AAC frame in program streams, transport streams and HLS audio (ISO/IEC
/// 13818-7 §6.2): seven bytes, nine with a checksum.
///
/// Cameras lie here: the rate may be half or double of what arrives. Durations are for
/// `TimestampRepair` to judge.
package struct ADTSHeader: Equatable, Sendable {
    package var objectType: UInt8
    package var rateIndex: UInt8
    package var channelConfiguration: UInt8
    package var headerCount: Int
    /// Header and payload.
    package var frameCount: Int
    /// Raw data blocks, 1 to 4; nearly always 1.
    package var blocks: Int

    package static let count = 7

    package init(_ bytes: RawSpan) throws(ParseError) {
        var reader = ByteReader(bytes)
        let sync = try reader.read(UInt16.self)
        // 12 bits of sync, version, layer 0.
        guard sync & 0xfff6 == 0xfff0 else {
            throw .invalid("ADTS sync", value: UInt64(sync), at: 0)
        }
        let rest = UInt64(try reader.read(UInt32.self)) << 8 | UInt64(try reader.read(UInt8.self))
        objectType = UInt8(rest >> 38 & 3) + 1
        rateIndex = UInt8(rest >> 34 & 15)
        channelConfiguration = UInt8(rest >> 30 & 7)
        frameCount = Int(rest >> 13 & 0x1fff)
        blocks = Int(rest & 3) + 1
        headerCount = sync & 1 == 1 ? 7 : 9
        guard SampleRates.rate(index: Int(rateIndex)) != nil else {
            throw .invalid("ADTS rate", value: UInt64(rateIndex), at: 2)
        }
        guard frameCount > headerCount else {
            throw .invalid("ADTS frame length", value: UInt64(frameCount), at: 3)
        }
    }

    package var sampleRate: Int { SampleRates.rate(index: Int(rateIndex)) ?? 0 }

    package var configuration: AACConfiguration {
        var configuration = AACConfiguration(
            sampleRate: sampleRate,
            channels: channelConfiguration == 7 ? 8 : Int(channelConfiguration))
        configuration.objectType = objectType
        return configuration
    }

    /// The header for a raw access unit of ours; `nil` where ADTS has no words for it: other object
    /// types than four, odd rates, frames above 8 KiB.
    package static func write(
        _ configuration: AACConfiguration, payload count: Int, into out: inout [UInt8]
    ) -> Bool {
        guard (1...4).contains(configuration.objectType), configuration.channelConfiguration < 8,
            let index = SampleRates.index(of: configuration.sampleRate), count + 7 <= 0x1fff
        else { return false }
        let channels = configuration.channelConfiguration
        let length = count + 7
        out.append(contentsOf: [0xff, 0xf1])
        out.append((configuration.objectType - 1) << 6 | index << 2 | channels >> 2)
        out.append((channels & 3) << 6 | UInt8(length >> 11))
        out.append(UInt8(length >> 3 & 0xff))
        // Buffer fullness 0x7ff: variable rate.
        out.append(UInt8(length & 7) << 5 | 0x1f)
        out.append(0xfc)
        return true
    }
}

/// Walks ADTS frames; gives their payloads as ranges. Between frames it looks for the next sync, so
/// a damaged frame costs itself only.
package struct ADTSFrames: ~Escapable {
    private let bytes: RawSpan
    private var at = 0
    /// Bytes that belonged to no frame.
    package private(set) var skipped = 0

    @_lifetime(copy bytes)
    package init(_ bytes: RawSpan) { self.bytes = bytes }

    package struct Frame: Equatable, Sendable {
        package var header: ADTSHeader
        package var payload: Range<Int>
    }

    /// `nil`: no whole frame is left; `rest` is what a carrier keeps for its next bytes.
    @_lifetime(self: copy self)
    package mutating func next() -> Frame? {
        while at + ADTSHeader.count <= bytes.byteCount {
            guard let header = try? ADTSHeader(bytes.extracting(at..<bytes.byteCount)) else {
                at += 1
                skipped += 1
                continue
            }
            guard header.frameCount <= bytes.byteCount - at else { return nil }
            let start = at
            at += header.frameCount
            return Frame(header: header, payload: start + header.headerCount..<at)
        }
        return nil
    }

    package var rest: Range<Int> { at..<bytes.byteCount }

    /// Whether these bytes are ADTS rather than something else that begins alike: a second header
    /// stands where the first one says, or the bytes end there (G.711 tracks that hold AAC).
    package static func isADTS(_ bytes: RawSpan) -> Bool {
        guard let first = try? ADTSHeader(bytes), first.frameCount <= bytes.byteCount else {
            return false
        }
        guard first.frameCount < bytes.byteCount else { return true }
        let second = try? ADTSHeader(bytes.extracting(first.frameCount..<bytes.byteCount))
        return second?.rateIndex == first.rateIndex
    }
}
