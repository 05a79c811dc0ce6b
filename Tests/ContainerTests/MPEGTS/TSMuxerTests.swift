import Codecs
import Containers
import Media
import Testing
import Wire

/// A transport stream as a receiver takes it apart.
private struct Packets {
    struct Packet {
        var pid: Int
        var starts: Bool
        var continuity: UInt8
        var field: [UInt8]
        var payload: [UInt8]
    }

    var packets: [Packet] = []

    init(_ bytes: [UInt8]) throws {
        try #require(bytes.count % 188 == 0)
        for start in stride(from: 0, to: bytes.count, by: 188) {
            let packet = Array(bytes[start..<start + 188])
            try #require(packet[0] == 0x47)
            var at = 4
            var field: [UInt8] = []
            if packet[3] & 0x20 != 0 {
                at = 5 + Int(packet[4])
                field = Array(packet[5..<at])
            }
            packets.append(
                Packet(
                    pid: Int(packet[1] & 31) << 8 | Int(packet[2]), starts: packet[1] & 0x40 != 0,
                    continuity: packet[3] & 15, field: field, payload: Array(packet[at...])))
        }
    }

    func of(_ pid: Int) -> [Packet] { packets.filter { $0.pid == pid } }

    /// The bytes of each PES packet of a stream.
    func units(_ pid: Int) -> [[UInt8]] {
        var units: [[UInt8]] = []
        for packet in of(pid) {
            if packet.starts { units.append([]) }
            units[units.count - 1] += packet.payload
        }
        return units
    }
}

@Suite struct TSMuxerTests {
    private static let sps =
        Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    private static let pps = Hex.decode("68eae3cb22c0") ?? []

    private static func time(_ bytes: ArraySlice<UInt8>) -> Int64 {
        let b = bytes.map(Int64.init)
        return (b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1
    }

    private func makeMuxer() throws -> (TSMuxer, [Format]) {
        let formats = [
            try Format(h264: Self.sps, parameterSets: [Self.sps, Self.pps]),
            try Format(AACConfiguration(sampleRate: 48_000, channels: 2)),
        ]
        return (try TSMuxer(formats), formats)
    }

    private func write(
        _ frame: [UInt8], key: Bool = false, composition: Int32 = 0, at decoding: Int64,
        _ track: Int, _ muxer: inout TSMuxer, _ formats: [Format], into out: inout [UInt8]
    ) {
        let meta = ItemMeta(
            ticks: 0, arrival: .start, length: frame.count, flags: key ? .key : [],
            compositionOffset: composition)
        muxer.write(frame.raw, meta, formats[track], decoding: decoding, track: track, into: &out)
    }

    private func picture(_ count: Int, _ head: UInt8) -> [UInt8] {
        let unit = [head] + (0..<count).map { UInt8(truncatingIfNeeded: $0 | 1) }
        var bytes: [UInt8] = []
        NALFraming.append(lengthPrefixed: unit.raw, to: &bytes)
        return bytes
    }

    @Test func aKeyFrameComesWithTablesClockAndParameterSets() throws {
        var (muxer, formats) = try makeMuxer()
        var out: [UInt8] = []
        write(picture(1000, 0x65), key: true, at: 0, 0, &muxer, formats, into: &out)
        let stream = try Packets(out)
        #expect(stream.packets[0].pid == 0 && stream.packets[1].pid == 0x1000)
        for table in stream.packets[0...1] {
            let length = Int(table.payload[2] & 15) << 8 | Int(table.payload[3])
            #expect(MPEGCheck.remainder(table.payload[1..<4 + length]) == 0)
        }
        let first = try #require(stream.of(0x100).first)
        #expect(first.starts && first.field[0] & 0x50 == 0x50, "random access, and a clock")
        let unit = try #require(stream.units(0x100).first)
        #expect(unit[0..<4].elementsEqual([0, 0, 1, 0xe0]))
        let decoding = Self.time(unit[9..<14])
        #expect(decoding == TSMuxer.origin)
        let clock = first.field[1..<6].reduce(Int64(0)) { $0 << 8 | Int64($1) } >> 7
        #expect(clock == decoding - 63_000, "the clock runs behind")
        let body = Array(unit[14...])
        #expect(body.starts(with: [0, 0, 0, 1, 9, 0xf0, 0, 0, 0, 1] + Self.sps))
    }

    @Test func bothTimesAreWrittenWhereTheyDiffer() throws {
        var (muxer, formats) = try makeMuxer()
        var out: [UInt8] = []
        write(
            picture(10, 0x41), composition: 6000, at: 90_000, 0, &muxer, formats, into: &out)
        let unit = try #require(try Packets(out).units(0x100).first)
        #expect(unit[7] == 0xc0)
        #expect(Self.time(unit[9..<14]) == 96_000 + TSMuxer.origin)
        #expect(Self.time(unit[14..<19]) == 90_000 + TSMuxer.origin)
    }

    @Test func numbersFollowAndLengthsFitWhateverTheSize() throws {
        var (muxer, formats) = try makeMuxer()
        var out: [UInt8] = []
        // Every way in which the last packet can be filled, and one more.
        for size in 1...400 {
            write(
                picture(size, size == 1 ? 0x65 : 0x41), key: size == 1, at: Int64(size) * 3000, 0,
                &muxer, formats, into: &out)
            let sound = [UInt8](repeating: UInt8(size & 255), count: size)
            write(sound, at: Int64(size) * 3000, 1, &muxer, formats, into: &out)
        }
        let stream = try Packets(out)
        for pid in [0, 0x1000, 0x100, 0x101] {
            let numbers = stream.of(pid).map(\.continuity)
            #expect(numbers.indices.allSatisfy { numbers[$0] == UInt8($0 & 15) })
        }
        let sounds = stream.units(0x101)
        try #require(sounds.count == 400)
        for (place, unit) in sounds.enumerated() {
            #expect(Int(unit[4]) << 8 | Int(unit[5]) == unit.count - 6)
            // The header, the ADTS header, and the frame as it was.
            #expect(unit.count == 14 + 7 + place + 1)
        }
        let pictures = stream.units(0x100)
        #expect(pictures.count == 400)
        #expect(pictures[399].count == 14 + 6 + 4 + 401)
        // Tables with the first frame after each quarter of a second: every eighth.
        #expect(stream.of(0).count == 50)
    }

    @Test func opusIsNamedAndMeasured() throws {
        let format = Format(opusChannels: 2)
        var muxer = try TSMuxer([format])
        var out: [UInt8] = []
        write([UInt8](repeating: 7, count: 300), at: 0, 0, &muxer, [format], into: &out)
        let stream = try Packets(out)
        let map = try #require(stream.of(0x1000).first).payload
        #expect(map.firstRange(of: [5, 4] + Array("Opus".utf8) + [0x7f, 2, 0x80, 2]) != nil)
        let unit = try #require(stream.units(0x100).first)
        #expect(Array(unit[14..<18]) == [0x7f, 0xe0, 255, 45])
        #expect(unit.count == 14 + 4 + 300)
    }

    @Test func aReturningPublisherIsMarked() throws {
        var (muxer, formats) = try makeMuxer()
        var out: [UInt8] = []
        write(picture(10, 0x65), key: true, at: 0, 0, &muxer, formats, into: &out)
        out = []
        muxer.noteDiscontinuity()
        write(picture(10, 0x65), key: true, at: 5000, 0, &muxer, formats, into: &out)
        let first = try #require(try Packets(out).of(0x100).first)
        #expect(first.field[0] & 0x80 != 0)
        out = []
        write(picture(10, 0x41), at: 8000, 0, &muxer, formats, into: &out)
        #expect(try Packets(out).of(0x100)[0].field.first.map { $0 & 0x80 } ?? 0 == 0)
    }

    @Test func aCodecWithoutAPlaceIsRefused() {
        #expect(throws: TSError.unsupported(.vp8)) {
            try TSMuxer([Format(codec: .vp8, clockRate: 90_000)])
        }
    }
}

/// The checksum of MPEG sections, bit by bit as the standard draws it.
enum MPEGCheck {
    static func remainder(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var state = UInt32.max
        for byte in bytes {
            for bit in (0..<8).reversed() {
                let isSet = (state >> 31) ^ UInt32(byte >> UInt8(bit) & 1) == 1
                state <<= 1
                if isSet { state ^= 0x04c1_1db7 }
            }
        }
        return state
    }
}
