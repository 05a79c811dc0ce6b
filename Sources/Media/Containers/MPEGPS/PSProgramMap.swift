package import Media
package import Wire

/// The map of a program stream (ISO/IEC 13818-1 §2.5.4): what each of its streams is said to be.
///
/// Its checksum is not looked at, for makers send wrong ones (ZLMediaKit #324), and lengths inside
/// it that contradict its own length are cut to fit (#2325).
package struct PSProgramMap: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var streamType: UInt8
        package var streamID: UInt8

        /// nil: nothing that anybody here can be given, or a maker's private matter.
        package var codec: Codec? {
            switch streamType {
            case 0x1b: .h264
            case 0x24: .h265
            case 0x0f: .aac
            case 0x90: .pcma
            case 0x91: .pcmu
            case 0x9c: .opus
            default: nil
            }
        }

        package var name: String {
            switch streamType {
            case 0x01, 0x02: "MPEG-2 video"
            case 0x10: "MPEG-4 Visual"
            case 0x80: "SVAC video"
            case 0x92: "G.722.1"
            case 0x93: "G.723.1"
            case 0x99: "G.729"
            case 0x9b: "SVAC audio"
            default: codec?.name ?? "stream type \(streamType)"
            }
        }
    }

    package var version: UInt8
    package var entries: [Entry] = []

    /// §2.5.4.1: more is no map.
    static let countMaximum = 1018
    private static let entriesMaximum = 32
    private static let checksumCount = 4

    /// - Parameter body: What follows the length, with the checksum.
    package init(_ body: RawSpan) throws(ParseError) {
        var reader = ByteReader(body)
        version = try reader.read(UInt8.self) & 31
        try reader.skip(1)
        let information = Int(try reader.read(UInt16.self))
        // A length beyond the end is no length: then nothing is skipped.
        if information <= reader.remaining - 2 { try reader.skip(information) }
        let said = Int(try reader.read(UInt16.self))
        let room = max(0, reader.remaining - Self.checksumCount)
        let end = reader.offset + (said > 0 ? min(said, room) : room)
        while reader.offset + 4 <= end, entries.count < Self.entriesMaximum {
            let type = try reader.read(UInt8.self)
            let stream = try reader.read(UInt8.self)
            let descriptors = Int(try reader.read(UInt16.self))
            entries.append(Entry(streamType: type, streamID: stream))
            try reader.skip(min(descriptors, max(0, end - reader.offset)))
        }
    }
}
