package import Media
package import Wire

/// The uncompressed header of a VP9 frame (§6.2), to the end of the size.
package struct VP9FrameHeader: Equatable, Sendable {
    package var profile: UInt8
    /// Shows a frame decoded before; nothing else follows.
    package var showsExisting = false
    package var isKey = false
    package var isShown = true
    /// Key frames only.
    package var bitDepth = 8
    package var colourSpace: UInt8 = 0
    package var isFullRange = false
    package var subsamplesWidth = true
    package var subsamplesHeight = true
    package var width = 0
    package var height = 0

    package init(_ frame: RawSpan) throws(ParseError) {
        var bits = BitReader(frame)
        let marker = try bits.read(2)
        guard marker == 2 else { throw .invalid("VP9 frame marker", value: marker, at: 0) }
        let low = UInt8(try bits.read(1))
        profile = UInt8(try bits.read(1)) << 1 | low
        if profile == 3 { try bits.skip(1) }
        showsExisting = try bits.flag()
        guard !showsExisting else { return }
        isKey = try !bits.flag()
        isShown = try bits.flag()
        try bits.skip(1)  // error_resilient_mode
        guard isKey else { return }
        let sync = try bits.read(24)
        guard sync == 0x49_8342 else { throw .invalid("VP9 sync code", value: sync, at: 1) }
        try readColour(&bits)
        width = 1 + (try bits.bits(16))
        height = 1 + (try bits.bits(16))
        guard PictureSize.range.contains(width), PictureSize.range.contains(height) else {
            throw .tooMuch("picture size", limit: PictureSize.range.upperBound)
        }
    }

    /// §6.2.2.
    private mutating func readColour(_ bits: inout BitReader) throws(ParseError) {
        if profile >= 2 { bitDepth = try bits.flag() ? 12 : 10 }
        colourSpace = UInt8(try bits.read(3))
        let hasSubsampling = profile & 1 == 1
        if colourSpace == 7 {  // RGB.
            isFullRange = true
            guard hasSubsampling else {
                throw .invalid("VP9 colour space", value: 7, at: bits.offset / 8)
            }
            subsamplesWidth = false
            subsamplesHeight = false
            try bits.skip(1)
            return
        }
        isFullRange = try bits.flag()
        guard hasSubsampling else { return }
        subsamplesWidth = try bits.flag()
        subsamplesHeight = try bits.flag()
        try bits.skip(1)
    }
}

/// The index at the end of a superframe (VP9 annex B): several frames behind each other, of which
/// usually the last is shown.
package struct VP9Superframe: Equatable, Sendable {
    /// One to eight; a frame without index is a superframe of itself.
    package var frames: [8 of Int] = .init(repeating: 0)
    package var count = 1

    /// Sizes that do not fit are refused: a decoder would read past the end.
    package init(_ bytes: RawSpan) throws(ParseError) {
        frames[0] = bytes.byteCount
        guard bytes.byteCount > 0 else { throw .truncated(at: 0, needed: 1) }
        let marker = bytes.byte(at: bytes.byteCount - 1)
        guard marker & 0xe0 == 0xc0 else { return }
        let sizeCount = Int(marker >> 3 & 3) + 1
        let total = Int(marker & 7) + 1
        let start = bytes.byteCount - 2 - sizeCount * total
        // Compressed data may end in such a byte by chance; then it does not stand there twice.
        guard start >= 0, bytes.byte(at: start) == marker else { return }
        var sum = 0
        for index in 0..<total {
            var size = 0
            for byte in 0..<sizeCount {
                size |= Int(bytes.byte(at: start + 1 + index * sizeCount + byte)) << (8 * byte)
            }
            frames[index] = size
            sum += size
        }
        count = total
        guard sum <= start else {
            throw .invalid("VP9 superframe size", value: UInt64(sum), at: start)
        }
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.count == b.count && (0..<8).allSatisfy { a.frames[$0] == b.frames[$0] }
    }
}

extension VP9FrameHeader {
    /// The header of the first frame of a superframe: what its index does not tell.
    package init(superframe bytes: RawSpan) throws(ParseError) {
        let index = try VP9Superframe(bytes)
        try self.init(bytes.extracting(..<min(index.frames[0], bytes.byteCount)))
    }
}

extension Format {
    /// - Parameter vp9: A key frame, or a superframe that begins with one.
    package init(vp9 frame: RawSpan) throws(ParseError) {
        let header = try VP9FrameHeader(superframe: frame)
        guard header.isKey else { throw .invalid("VP9 key frame", value: 1, at: 0) }
        self.init(codec: .vp9, clockRate: Self.videoClockRate)
        width = Int32(header.width)
        height = Int32(header.height)
        profile = UInt32(header.profile)
        VPConfiguration(header).write(into: &configuration)
    }
}
