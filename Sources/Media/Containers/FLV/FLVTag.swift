package import Wire

/// The frame around media in FLV (Adobe Video File Format 10.1, annex E); RTMP's messages have the
/// same kinds and the same bodies.
package enum FLVTag {
    package enum Kind: UInt8, Sendable { case audio = 8, video = 9, script = 18 }

    package static let headerCount = 11
    /// Behind each tag: how long it was.
    package static let trailerCount = 4
    /// The body of a tag has a length of 24 bits; ours is what an RTMP message may be (numbers.md).
    package static let bodyMaximum = 8 << 20
    package static let fileHeaderCount = 13

    package struct Header: Equatable, Sendable {
        /// Nil: a kind that nobody knows, to be skipped.
        package var kind: Kind?
        package var count: Int
        /// Milliseconds.
        package var stamp: UInt32

        package init(_ bytes: RawSpan) throws(ParseError) {
            var reader = ByteReader(bytes)
            // The upper bits say that the body is encrypted, which nobody does.
            let first = try reader.read(UInt8.self)
            kind = Kind(rawValue: first)
            count = Int(try reader.readUInt24())
            let low = try reader.readUInt24()
            stamp = UInt32(try reader.read(UInt8.self)) << 24 | low
            try reader.skip(3)  // The stream's number is always 0.
            guard count <= FLVTag.bodyMaximum else {
                throw .tooMuch("FLV tag", limit: FLVTag.bodyMaximum)
            }
        }
    }

    /// Signature, version, flags, the length of this; then the length of the tag before the first.
    package static func fileHeader(hasAudio: Bool, hasVideo: Bool) -> [UInt8] {
        let flags: UInt8 = (hasAudio ? 4 : 0) | (hasVideo ? 1 : 0)
        return [0x46, 0x4c, 0x56, 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
    }

    package static func writeHeader(
        _ kind: Kind, count: Int, stamp: UInt32, into window: inout MutableRawSpan
    ) {
        var writer = ByteWriter(window._mutatingExtracting(first: headerCount))
        writer.write(kind.rawValue)
        writer.writeUInt24(UInt32(truncatingIfNeeded: count))
        writer.writeUInt24(stamp & 0xff_ffff)
        writer.write(UInt8(stamp >> 24))
        writer.writeUInt24(0)
    }

    /// A whole tag whose body is at hand, for what is not media.
    package static func append(
        _ kind: Kind, _ body: [UInt8], stamp: UInt32, to out: inout [UInt8]
    ) {
        out.append(kind.rawValue)
        appendUInt24(UInt32(truncatingIfNeeded: body.count), to: &out)
        appendUInt24(stamp & 0xff_ffff, to: &out)
        out.append(UInt8(stamp >> 24))
        appendUInt24(0, to: &out)
        out += body
        let total = UInt32(truncatingIfNeeded: body.count + headerCount)
        out.append(UInt8(total >> 24))
        appendUInt24(total & 0xff_ffff, to: &out)
    }

    static func appendUInt24(_ value: UInt32, to out: inout [UInt8]) {
        out.append(UInt8(truncatingIfNeeded: value >> 16))
        out.append(UInt8(truncatingIfNeeded: value >> 8))
        out.append(UInt8(truncatingIfNeeded: value))
    }
}
