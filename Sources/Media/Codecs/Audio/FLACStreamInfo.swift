package import Media
package import Wire

/// The STREAMINFO block of FLAC (RFC 9639 §8.2), bare or behind `fLaC` and its block header, as
/// Enhanced RTMP sends it.
package struct FLACStreamInfo: Equatable, Sendable {
    package var blockMaximum: Int
    package var sampleRate: Int
    package var channels: Int
    package var bitsPerSample: Int
    /// The 34 bytes themselves.
    package var bytes: [UInt8]

    package init(_ block: RawSpan) throws(ParseError) {
        var reader = ByteReader(block)
        let hasMagic = block.byteCount >= 4 && block.byte(at: 0) == 0x66
        if hasMagic {
            let magic = try reader.read(UInt32.self)
            let type = try reader.read(UInt8.self) & 0x7f
            guard magic == 0x664c_6143, type == 0, try reader.readUInt24() == 34 else {
                throw .invalid("FLAC first block", value: UInt64(type), at: 4)
            }
        }
        let body = try reader.read(count: 34)
        bytes = [UInt8](copying: body)
        var bits = BitReader(body)
        try bits.skip(16)
        blockMaximum = try bits.bits(16)
        try bits.skip(48)
        sampleRate = try bits.bits(20)
        channels = 1 + (try bits.bits(3))
        bitsPerSample = 1 + (try bits.bits(5))
        guard sampleRate > 0, blockMaximum >= 16, bitsPerSample >= 4 else {
            throw .invalid("FLAC sample rate", value: UInt64(sampleRate), at: 10)
        }
    }
}

extension Format {
    /// `configuration` is the bare block.
    package init(_ info: FLACStreamInfo) {
        self.init(codec: .flac, clockRate: Int32(info.sampleRate))
        sampleRate = Int32(info.sampleRate)
        channels = Int32(info.channels)
        configuration = info.bytes
    }
}
