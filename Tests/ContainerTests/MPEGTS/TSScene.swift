import Codecs
import Containers
import Foundation
import Media
import Stream
import Testing
import Wire

/// What an intake has made of a transport stream.
struct TSScene {
    var intake = TSIntake(channel: 1)
    var effects = Effects()
    var now = Instant.start + .seconds(100)

    static func file(_ name: String) -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let data = try? Data(contentsOf: folder.appending(path: "Vectors/ts/\(name).ts"))
        return data.map { [UInt8]($0) } ?? []
    }

    /// In pieces, each so much later than the one before.
    mutating func take(
        _ bytes: [UInt8], piece: Int = 7 * 188, every interval: Interval = .milliseconds(5)
    ) throws(Refusal) {
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + piece)
            try intake.receive(Array(bytes[start..<end]).raw, at: now, into: &effects)
            now = now + interval
            start = end
        }
    }

    /// As fast as it plays.
    mutating func take(_ bytes: [UInt8], lasting time: Interval) throws(Refusal) {
        let piece = 2 * 188
        try take(bytes, piece: piece, every: time / Int64(max(1, bytes.count / piece)))
    }

    func metas(_ slot: SlotName) -> [ItemMeta] { items(slot).map { effects.media.items[$0].meta } }

    func frames(_ slot: SlotName) -> [[UInt8]] {
        items(slot).map { [UInt8](copying: effects.media.bytes(of: $0)) }
    }

    private func items(_ slot: SlotName) -> [Int] {
        effects.list.flatMap { effect -> [Int] in
            guard case .media(_, slot, layer: _, let items) = effect else { return [] }
            return Array(items)
        }
    }

    var announced: [Format] {
        effects.list.compactMap { if case .announce(_, let slot) = $0 { slot.format } else { nil } }
    }

    var formats: [Format] {
        effects.list.compactMap {
            if case .format(_, _, _, let format) = $0 { format } else { nil }
        }
    }
}

/// A transport stream made by hand.
struct TSMaker {
    var muxer: TSMuxer
    let formats: [Format]
    var bytes: [UInt8] = []

    static let sps = Hex.decode("6742c00cda05067e7c0440000003004000000ca3c50aa8") ?? []
    static let pps = Hex.decode("68eae3cb22c0") ?? []

    static func h264() throws -> Format {
        try Format(h264: sps, parameterSets: [sps, pps])
    }

    static func aac() throws -> Format {
        try Format(AACConfiguration(sampleRate: 48_000, channels: 2))
    }

    init(_ formats: [Format]? = nil) throws {
        self.formats = try formats ?? [Self.h264(), Self.aac()]
        muxer = try TSMuxer(self.formats)
    }

    /// A unit of a slice behind its length. No byte of it is 0, and none is 0x47.
    static func picture(_ count: Int, key: Bool, seed: UInt8 = 0) -> [UInt8] {
        let unit =
            [key ? 0x65 : 0x41, 0x88]
            + (0..<count).map { UInt8(truncatingIfNeeded: $0) &+ seed | 0x80 }
        var bytes: [UInt8] = []
        NALFraming.append(lengthPrefixed: unit.raw, to: &bytes)
        return bytes
    }

    mutating func write(
        _ frame: [UInt8], _ track: Int, at decoding: Int64, key: Bool = false,
        composition: Int32 = 0
    ) {
        let meta = ItemMeta(
            ticks: 0, arrival: .start, length: frame.count, flags: key ? .key : [],
            compositionOffset: composition)
        muxer.write(
            frame.raw, meta, formats[track], decoding: decoding, track: track, into: &bytes)
    }

    /// So many pictures at 25 a second, with the sound that plays meanwhile.
    mutating func writeSeconds(_ seconds: Int64, from start: Int64 = 0) {
        var sound = start
        for number in 0..<25 * seconds {
            let time = start + number * 3600
            let isKey = number % 25 == 0
            write(
                Self.picture(isKey ? 2000 : 500, key: isKey, seed: UInt8(number & 63)), 0,
                at: time, key: isKey)
            while formats.count > 1, sound < time + 3600 {
                write([UInt8](repeating: UInt8(number & 63) | 0x80, count: 200), 1, at: sound)
                sound += 1920
            }
        }
    }

    /// The packets of a PID, by their places.
    static func packets(of pid: Int, in bytes: [UInt8]) -> [Int] {
        stride(from: 0, to: bytes.count, by: 188).filter {
            Int(bytes[$0 + 1] & 31) << 8 | Int(bytes[$0 + 2]) == pid
        }
    }

    /// A section in one packet, with its checksum.
    static func table(
        _ section: [UInt8], pid: Int, continuity: UInt8 = 0
    ) -> [UInt8] {
        var section = section
        let sum = MPEGCheck.remainder(section[...])
        for shift: UInt32 in [24, 16, 8, 0] {
            section.append(UInt8(truncatingIfNeeded: sum >> shift))
        }
        let packet =
            [0x47, 0x40 | UInt8(pid >> 8), UInt8(pid & 255), 0x10 | continuity, 0] + section
        return packet + [UInt8](repeating: 0xff, count: 188 - packet.count)
    }

    /// A map of program 1 at 0x1000: types, PIDs and descriptors of its streams.
    static func map(
        _ streams: [(type: UInt8, pid: Int, descriptors: [UInt8])], version: UInt8 = 0,
        continuity: UInt8 = 0
    ) -> [UInt8] {
        var body: [UInt8] = [0xe1, 0, 0xf0, 0]
        for stream in streams {
            body += [stream.type, 0xe0 | UInt8(stream.pid >> 8), UInt8(stream.pid & 255)]
            body += [0xf0, UInt8(stream.descriptors.count)] + stream.descriptors
        }
        let head: [UInt8] = [
            2, 0xb0, UInt8(body.count + 9), 0, 1, 0xc1 | version << 1, 0, 0,
        ]
        return table(head + body, pid: 0x1000, continuity: continuity)
    }

    static let association = table(
        [0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0], pid: 0)
}
