package import Media
package import Wire

/// The uncompressed beginning of a VP8 frame (RFC 6386 §9.1).
package struct VP8FrameHeader: Equatable, Sendable {
    package var isKey: Bool
    package var isShown: Bool
    package var version: UInt8
    package var firstPartition: Int
    /// Key frames only; 0 otherwise.
    package var width = 0
    package var height = 0

    package init(_ frame: RawSpan) throws(ParseError) {
        var reader = ByteReader(frame)
        let first = try reader.read(UInt8.self)
        let second = try reader.read(UInt8.self)
        let third = try reader.read(UInt8.self)
        isKey = first & 1 == 0
        version = first >> 1 & 7
        isShown = first & 0x10 != 0
        firstPartition = Int(first >> 5) | Int(second) << 3 | Int(third) << 11
        guard isKey else { return }
        let start = try reader.readUInt24()
        guard start == 0x9d_012a else {
            throw .invalid("VP8 start code", value: UInt64(start), at: 3)
        }
        // Little-endian, the upper two bits of each are the scaling, which players ignore.
        width = Int(try reader.read(UInt16.self).byteSwapped & 0x3fff)
        height = Int(try reader.read(UInt16.self).byteSwapped & 0x3fff)
        guard width > 0, height > 0 else { throw .invalid("VP8 picture size", value: 0, at: 6) }
    }
}

extension Format {
    /// - Parameter vp8: A key frame.
    package init(vp8 frame: RawSpan) throws(ParseError) {
        let header = try VP8FrameHeader(frame)
        guard header.isKey else { throw .invalid("VP8 key frame", value: 1, at: 0) }
        self.init(codec: .vp8, clockRate: Self.videoClockRate)
        width = Int32(header.width)
        height = Int32(header.height)
        profile = UInt32(header.version)
    }
}
