import Codecs
import Foundation
import Wire

/// A camera that packs pictures and sound into a program stream, with the habits of many makers.
struct CameraStream {
    enum Maps { case key, all, none }
    enum Markers { case frame, never, always }

    var isH265 = false
    /// The type the map says; nil: the right one.
    var saidVideo: UInt8?
    var audio: [[UInt8]] = []
    var audioType: UInt8 = 0x90
    var maps = Maps.key
    var markers = Markers.frame
    var hasBadChecksum = false
    var packetMaximum = 60_000
    var isPacketPerUnit = false
    var isUnbounded = false
    var stuffing: UInt8 = 0
    var hasBarePacks = false
    var hasPrivateStreams = false
    var startCode: [UInt8] = [0, 0, 0, 1]
    var audioHasPacks = true
    var trailingZeros = 0
    var payloadMaximum = 1400
    var firstStamp: UInt64 = 90_000

    struct Payload {
        var bytes: [UInt8]
        var isMarked: Bool
        /// Of which picture; nil: sound.
        var picture: Int?
        var isKey = false
    }

    static func vector(_ name: String) -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let data = try? Data(contentsOf: folder.appending(path: "Vectors/\(name)"))
        return data.map { [UInt8]($0) } ?? []
    }

    /// The units of each picture of the test file.
    var pictures: [[[UInt8]]] {
        let name = isH265 ? "codecs/h265-main.h265" : "codecs/h264-baseline-slices.h264"
        let bytes = Self.vector(name)
        var splitter = AccessUnitSplitter(isH265 ? .h265 : .h264)
        var units = AnnexBUnits(bytes.raw)
        var found: [[[UInt8]]] = [[]]
        while let range = units.next() {
            let unit = bytes.raw.extracting(range)
            if splitter.receive(unit, at: .start) { found.append([]) }
            found[found.count - 1].append([UInt8](copying: unit))
        }
        return found
    }

    private func isKey(_ picture: [[UInt8]]) -> Bool {
        picture.contains { NALUnit($0.raw, isH265 ? .h265 : .h264)?.role == .keySlice }
    }

    /// - Parameter rounds: How often the file is played.
    func payloads(rounds: Int = 1) -> [[Payload]] {
        var all: [[Payload]] = []
        var number = 0
        var sound = 0
        for _ in 0..<rounds {
            for picture in pictures {
                let stamp = firstStamp &+ UInt64(number) * 3600
                let key = isKey(picture)
                var frame = pack(stamp, isKey: key, isFirst: number == 0)
                frame += video(picture, stamp)
                all.append(cut(frame, picture: number, isKey: key))
                number += 1
                guard !audio.isEmpty else { continue }
                var packet = audioHasPacks ? packHeader(stamp) : []
                packet += pes(0xc0, audio[sound % audio.count], stamp)
                all.append(cut(packet, picture: nil, isKey: false))
                sound += 1
            }
        }
        return all
    }

    private func cut(_ bytes: [UInt8], picture: Int?, isKey: Bool) -> [Payload] {
        stride(from: 0, to: bytes.count, by: payloadMaximum).map { start in
            let end = min(bytes.count, start + payloadMaximum)
            let isLast = end == bytes.count
            return Payload(
                bytes: Array(bytes[start..<end]),
                isMarked: markers == .always || markers == .frame && isLast, picture: picture,
                isKey: isKey)
        }
    }

    // MARK: - The container

    private func pack(_ stamp: UInt64, isKey: Bool, isFirst: Bool) -> [UInt8] {
        var bytes = hasBarePacks && !isKey ? [0, 0, 1, 0xba] : packHeader(stamp)
        if isKey {
            bytes += [0, 0, 1, 0xbb, 0, 0x0c, 0x81, 0x86, 0xa1, 5, 0xe1, 0x7f]
            bytes += [0xe0, 0xe1, 0x90, 0xc0, 0xc0, 0x20]
        }
        if maps == .all || maps == .key && isKey { bytes += map }
        if hasPrivateStreams {
            bytes += pes(0xbd, [UInt8](repeating: 0x5a, count: 40), nil)
            bytes += [0, 0, 1, 0xbf, 0, 4, 1, 2, 3, 4]
        }
        return bytes
    }

    func packHeader(_ stamp: UInt64) -> [UInt8] {
        let scr = stamp & 0x1_ffff_ffff
        var value: UInt64 = 1 << 46 | (scr >> 30 & 7) << 43 | 1 << 42
        value |= (scr >> 15 & 0x7fff) << 27 | 1 << 26 | (scr & 0x7fff) << 11 | 1 << 10 | 1
        var bytes: [UInt8] = [0, 0, 1, 0xba]
        for shift: UInt64 in [40, 32, 24, 16, 8, 0] {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
        bytes += [0x03, 0x0d, 0x43, 0xf8 | stuffing]
        return bytes + [UInt8](repeating: 0xff, count: Int(stuffing))
    }

    private var map: [UInt8] {
        let video = saidVideo ?? (isH265 ? 0x24 : 0x1b)
        var entries: [UInt8] = [video, 0xe0, 0, 0]
        if !audio.isEmpty { entries += [audioType, 0xc0, 0, 0] }
        if hasPrivateStreams { entries += [0xbd, 0xbd, 0, 0] }
        let info: [UInt8] = hasPrivateStreams ? [0x40, 2, 0x48, 0x4b] : []
        let body: [UInt8] =
            [0xe1, 0xff, 0, UInt8(info.count)] + info + [0, UInt8(entries.count)] + entries
        var bytes: [UInt8] = [0, 0, 1, 0xbc, 0, UInt8(body.count + 4)] + body
        bytes += hasBadChecksum ? [1, 2, 3, 4] : [0, 0, 0, 0]
        return bytes
    }

    private func video(_ units: [[UInt8]], _ stamp: UInt64) -> [UInt8] {
        let coded = units.map { startCode + $0 }
        let packets = isPacketPerUnit ? coded : [coded.flatMap { $0 }]
        var bytes: [UInt8] = []
        var isFirst = true
        for packet in packets {
            let step = isUnbounded ? packet.count : packetMaximum
            for start in stride(from: 0, to: packet.count, by: step) {
                let part = Array(packet[start..<min(packet.count, start + step)])
                bytes += pes(0xe0, part, isFirst ? stamp : nil, isUnbounded: isUnbounded)
                bytes += [UInt8](repeating: 0, count: trailingZeros)
                isFirst = false
            }
        }
        return bytes
    }

    func pes(
        _ stream: UInt8, _ payload: [UInt8], _ stamp: UInt64?, isUnbounded: Bool = false
    ) -> [UInt8] {
        var header: [UInt8] = []
        if let stamp {
            let time = stamp & 0x1_ffff_ffff
            header = [
                0x21 | UInt8(time >> 30) << 1, UInt8(time >> 22 & 0xff),
                UInt8(time >> 15 & 0x7f) << 1 | 1, UInt8(time >> 7 & 0xff),
                UInt8(time & 0x7f) << 1 | 1,
            ]
        }
        let count = isUnbounded ? 0 : 3 + header.count + payload.count
        var bytes: [UInt8] = [0, 0, 1, stream, UInt8(count >> 8), UInt8(count & 0xff)]
        bytes += [0x84, stamp == nil ? 0 : 0x80, UInt8(header.count)]
        return bytes + header + payload
    }
}
