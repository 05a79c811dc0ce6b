package import Media
package import Wire

/// What the first bytes of an Opus packet say (RFC 6716 §3.1): how long it plays. The frames
/// themselves are the decoder's business.
package struct OpusPacket: Equatable, Sendable {
    package var configuration: UInt8
    package var isStereo: Bool
    package var frames: Int
    /// Of one frame, at 48 kHz.
    package var frameSamples: Int

    /// 120 ms: the longest packet there may be (§3.2.5).
    static let samplesMaximum = 5760

    package init(_ packet: RawSpan) throws(ParseError) {
        var reader = ByteReader(packet)
        let head = try reader.read(UInt8.self)
        configuration = head >> 3
        isStereo = head & 4 != 0
        frameSamples = Self.frameSamples(configuration)
        switch head & 3 {
        case 0: frames = 1
        case 1:
            frames = 2
            guard packet.byteCount & 1 == 1 else {
                throw .invalid("Opus packet of two equal frames", value: 1, at: 0)
            }
        case 2: frames = 2
        default: frames = Int(try reader.read(UInt8.self) & 63)
        }
        guard frames > 0, frames * frameSamples <= Self.samplesMaximum else {
            throw .invalid("Opus frame count", value: UInt64(frames), at: 1)
        }
    }

    package var samples: Int { frames * frameSamples }

    /// The encoder pauses: at most a header and a byte come every 400 ms, and the time stamps go
    /// on.
    package static func isPause(_ packet: RawSpan) -> Bool { packet.byteCount <= 2 }

    /// Table 2.
    private static func frameSamples(_ configuration: UInt8) -> Int {
        switch configuration {
        case 0..<12: [480, 960, 1920, 2880][Int(configuration & 3)]
        case 12..<16: configuration & 1 == 0 ? 480 : 960
        default: 120 << Int(configuration & 3)
        }
    }
}

/// The identification header of Opus (RFC 7845 §5.1): sequence start of Enhanced RTMP, and the
/// source of MP4's `dOps`.
package struct OpusHead: Equatable, Sendable {
    package var channels: UInt8
    package var preSkip: UInt16
    /// What was encoded; playback is at 48 kHz whatever it says.
    package var inputRate: UInt32
    package var gain: Int16 = 0
    package var mappingFamily: UInt8 = 0
    /// Families other than 0: stream count, coupled count, one index a channel.
    package var mapping: [UInt8] = []

    private static let magic: [UInt8] = Array("OpusHead".utf8)

    package init(channels: UInt8, preSkip: UInt16 = 0, inputRate: UInt32 = 48_000) {
        self.channels = channels
        self.preSkip = preSkip
        self.inputRate = inputRate
    }

    package init(_ bytes: RawSpan) throws(ParseError) {
        var reader = ByteReader(bytes)
        for expected in Self.magic {
            let byte = try reader.read(UInt8.self)
            guard byte == expected else {
                throw .invalid("OpusHead", value: UInt64(byte), at: reader.offset - 1)
            }
        }
        let version = try reader.read(UInt8.self)
        guard version >> 4 == 0 else {
            throw .invalid("OpusHead version", value: UInt64(version), at: 8)
        }
        channels = try reader.read(UInt8.self)
        preSkip = try reader.read(UInt16.self).byteSwapped
        inputRate = try reader.read(UInt32.self).byteSwapped
        gain = try reader.read(Int16.self).byteSwapped
        mappingFamily = try reader.read(UInt8.self)
        guard channels > 0, mappingFamily != 0 || channels <= 2 else {
            throw .invalid("Opus channels", value: UInt64(channels), at: 9)
        }
        guard mappingFamily != 0 else { return }
        mapping = [UInt8](copying: try reader.read(count: 2 + Int(channels)))
        let streams = Int(mapping[0])
        let coupled = Int(mapping[1])
        guard streams > 0, coupled <= streams, streams + coupled <= 255,
            mapping.dropFirst(2).allSatisfy({ $0 == 255 || Int($0) < streams + coupled })
        else { throw .invalid("Opus channel mapping", value: UInt64(streams), at: 19) }
    }

    package func write(into out: inout [UInt8]) {
        out.append(contentsOf: Self.magic)
        out.append(contentsOf: [1, channels])
        out.append(contentsOf: [UInt8(preSkip & 0xff), UInt8(preSkip >> 8)])
        for shift: UInt32 in [0, 8, 16, 24] {
            out.append(UInt8(truncatingIfNeeded: inputRate >> shift))
        }
        let gain = UInt16(bitPattern: gain)
        out.append(contentsOf: [UInt8(gain & 0xff), UInt8(gain >> 8), mappingFamily])
        out.append(contentsOf: mapping)
    }
}

extension Format {
    package static let opusClockRate: Int32 = 48_000

    /// `configuration` is the mapping, family first, if it is not family 0.
    package init(_ head: OpusHead) {
        self.init(codec: .opus, clockRate: Self.opusClockRate)
        sampleRate = Self.opusClockRate
        channels = Int32(head.channels)
        if head.mappingFamily != 0 { configuration = [head.mappingFamily] + head.mapping }
    }

    /// Of a plain stream, as RTP has it.
    package init(opusChannels channels: Int32) {
        self.init(codec: .opus, clockRate: Self.opusClockRate)
        sampleRate = Self.opusClockRate
        self.channels = channels
    }
}
