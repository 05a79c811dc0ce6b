import Media
import Wire

/// What the packets of a transport stream are about (ISO/IEC 13818-1 §2.4.4).
enum TSTables {
    static let associationPID: UInt16 = 0
    static let mapPID: UInt16 = 0x1000
    /// Elementary streams count from here, pictures first.
    static let firstPID: UInt16 = 0x100

    /// One elementary stream as the map names it.
    struct Entry {
        var pid: UInt16
        var format: Format
    }

    /// The association of programs: there is one.
    static func association(version: UInt8) -> [UInt8] {
        section(0x00, identifier: 1, version: version) { body in
            body += [0x00, 0x01, 0xe0 | UInt8(mapPID >> 8), UInt8(mapPID & 0xff)]
        }
    }

    /// The map of the program: which stream is what.
    static func map(_ entries: [Entry], clockPID: UInt16, version: UInt8) -> [UInt8] {
        section(0x02, identifier: 1, version: version) { body in
            body += [0xe0 | UInt8(clockPID >> 8), UInt8(clockPID & 0xff), 0xf0, 0]
            for entry in entries {
                let descriptors = descriptors(of: entry.format)
                body.append(streamType(of: entry.format.codec))
                body += [0xe0 | UInt8(entry.pid >> 8), UInt8(entry.pid & 0xff)]
                body += [0xf0, UInt8(truncatingIfNeeded: descriptors.count)]
                body += descriptors
            }
        }
    }

    static func streamType(of codec: Codec) -> UInt8 {
        switch codec {
        case .h264: 0x1b
        case .h265: 0x24
        case .aac: 0x0f
        case .mp2, .mp3: 0x03
        case .ac3: 0x81
        case .eac3: 0x87
        default: 0x06  // Private: the descriptors say what.
        }
    }

    private static func descriptors(of format: Format) -> [UInt8] {
        switch format.codec {
        case .h265: registration("HEVC")
        case .ac3: registration("AC-3")
        // The ETSI mapping of Opus (TS 103 491): a name, and how many channels.
        case .opus:
            registration("Opus") + [0x7f, 2, 0x80, UInt8(clamping: max(1, format.channels))]
        default: []
        }
    }

    private static func registration(_ name: StaticString) -> [UInt8] {
        [5, 4] + Array("\(name)".utf8)
    }

    /// §2.4.4.10, with the pointer field before it and the checksum behind.
    private static func section(
        _ table: UInt8, identifier: UInt16, version: UInt8, _ write: (inout [UInt8]) -> Void
    ) -> [UInt8] {
        var body: [UInt8] = []
        write(&body)
        let length = body.count + 9
        var bytes: [UInt8] = [
            table, 0xb0 | UInt8(length >> 8 & 0x0f), UInt8(length & 0xff),
            UInt8(identifier >> 8), UInt8(identifier & 0xff),
            0xc1 | (version & 31) << 1, 0, 0,
        ]
        bytes += body
        let checksum = MPEGChecksum.value(of: bytes)
        for shift: UInt32 in [24, 16, 8, 0] {
            bytes.append(UInt8(truncatingIfNeeded: checksum >> shift))
        }
        return [0] + bytes
    }
}

/// The CRC-32 of MPEG sections (ISO/IEC 13818-1 annex A): not reflected, not inverted.
enum MPEGChecksum {
    /// Over a section with its checksum it is zero.
    static func value(of bytes: some Sequence<UInt8>) -> UInt32 {
        var state = UInt32.max
        for byte in bytes {
            state ^= UInt32(byte) << 24
            for _ in 0..<8 {
                state = state & 0x8000_0000 != 0 ? state << 1 ^ 0x04c1_1db7 : state << 1
            }
        }
        return state
    }
}
