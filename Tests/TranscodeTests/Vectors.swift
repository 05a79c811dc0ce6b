import Codecs
import Foundation
import Media
import Wire

enum CosineTable {
    static func value(_ angle: Double) -> Double { cos(angle) }
}

/// One second of sound as a publisher would send it: frames in the normal form of the house.
struct Recording {
    var format: Format
    var frames: [[UInt8]] = []
    /// Of one frame, in ticks of the format.
    var step: Int64

    static func load(_ name: String) throws -> [UInt8] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/audio")
        return [UInt8](try Data(contentsOf: folder.appending(path: name)))
    }

    init(_ format: Format, step: Int64, frames: [[UInt8]]) {
        self.format = format
        self.step = step
        self.frames = frames
    }

    /// By its ending: what a demultiplexer would make of it.
    init(_ name: String) throws {
        let bytes = try Self.load(name)
        switch name.split(separator: ".").last {
        case "aac": try self.init(adts: bytes)
        case "loas": try self.init(loas: bytes)
        case "mp3", "mp2": try self.init(mpeg: bytes)
        case "ac3", "eac3": try self.init(ac3: bytes)
        case "flac": try self.init(flac: bytes)
        case "g722": self.init(.g722, step: 160, frames: Self.split(bytes, 160))
        default: self.init(Format(g726Bits: 4), step: 160, frames: Self.split(bytes, 80))
        }
    }

    private init(adts bytes: [UInt8]) throws {
        var walk = ADTSFrames(bytes.raw)
        var frames: [[UInt8]] = []
        var format: Format?
        while let frame = walk.next() {
            if format == nil { format = try Format(frame.header.configuration) }
            frames.append(Array(bytes[frame.payload]))
        }
        guard let format else { throw ParseError.truncated(at: 0, needed: 7) }
        self.init(format, step: 1024, frames: frames)
    }

    private init(loas bytes: [UInt8]) throws {
        var latm = LATM()
        var batch = ItemBatch()
        var at = 0
        while at + 3 < bytes.count {
            let rest = Array(bytes[at...])
            let range = try LATM.loasFrame(rest.raw)
            let meta = ItemMeta(ticks: 0, arrival: .start, length: 0, flags: [])
            try latm.read(rest.raw.extracting(range), hasConfig: true, meta: meta, into: &batch)
            at += range.upperBound
        }
        guard let configuration = latm.configuration else {
            throw ParseError.truncated(at: 0, needed: 3)
        }
        self.init(
            try Format(configuration), step: Int64(configuration.samples),
            frames: (0..<batch.count).map { [UInt8](copying: batch.bytes(of: $0)) })
    }

    private init(mpeg bytes: [UInt8]) throws {
        var frames: [[UInt8]] = []
        var at = 0
        var samples = 0
        while at + 4 < bytes.count {
            let header = try MPEGAudioHeader(Array(bytes[at...]).raw)
            guard at + header.frameCount <= bytes.count else { break }
            samples = header.samples
            frames.append(Array(bytes[at..<at + header.frameCount]))
            at += header.frameCount
        }
        self.init(try Format(mpegAudio: bytes.raw), step: Int64(samples), frames: frames)
    }

    private init(ac3 bytes: [UInt8]) throws {
        let header = try AC3Header(bytes.raw)
        self.init(
            try Format(ac3: bytes.raw), step: Int64(header.samples),
            frames: Self.split(bytes, header.frameCount))
    }

    private init(flac bytes: [UInt8]) throws {
        let info = try FLACStreamInfo(bytes.raw)
        let starts = bytes.indices.dropLast(4).filter {
            bytes[$0] == 0xff && bytes[$0 + 1] == 0xf8 && $0 > 42
        }
        let frames = zip(starts, starts.dropFirst() + [bytes.count]).map {
            Array(bytes[$0..<$1])
        }
        self.init(Format(info), step: Int64(info.blockMaximum), frames: frames)
    }

    private static func split(_ bytes: [UInt8], _ size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count - size + 1, by: size).map {
            Array(bytes[$0..<$0 + size])
        }
    }

    // MARK: Made here

    /// A tone, or silence, as 16-bit samples in frames of 20 ms.
    static func linear(
        rate: Int32, channels: Int32 = 1, seconds: Double,
        _ value: (Double) -> Double = tone
    ) -> Recording {
        var format = Format(codec: .l16, clockRate: rate)
        format.sampleRate = rate
        format.channels = channels
        let size = Int(rate) / 50
        let frames = (0..<Int(seconds * 50)).map { frame in
            (0..<size).flatMap { at -> [UInt8] in
                let time = Double(frame * size + at) / Double(rate)
                let sample = Int16(clamping: Int(value(time) * 32_767))
                let bytes = [
                    UInt8(truncatingIfNeeded: sample >> 8), UInt8(truncatingIfNeeded: sample),
                ]
                return channels == 2 ? bytes + bytes : bytes
            }
        }
        return Recording(format, step: Int64(size), frames: frames)
    }

    /// 1 kHz at a quarter of full scale.
    static func tone(_ time: Double) -> Double { 0.25 * sin(2 * Double.pi * 1000 * time) }

    /// In the law of Europe or America, from a table searched backwards.
    static func law(_ codec: Codec, seconds: Double) -> Recording {
        let linear = linear(rate: 8000, seconds: seconds)
        let frames = linear.frames.map { frame in
            stride(from: 0, to: frame.count, by: 2).map { at in
                let sample = Int16(bitPattern: UInt16(frame[at]) << 8 | UInt16(frame[at + 1]))
                return codec == .pcmu ? Self.ulaw(sample) : Self.alaw(sample)
            }
        }
        return Recording(Format(g711: codec), step: 160, frames: frames)
    }

    /// ITU-T G.711, as the reference code of the recommendation does it.
    private static func ulaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(Int(sample.magnitude) + 132, 32_635)
        let segment = (0..<8).last { magnitude >> ($0 + 7) > 0 } ?? 0
        let code = segment << 4 | (magnitude >> (segment + 3)) & 15
        return ~UInt8(code | (sample < 0 ? 0x80 : 0))
    }

    private static func alaw(_ sample: Int16) -> UInt8 {
        let magnitude = min(Int(sample < 0 ? ~sample : sample), 32_767) >> 4
        let segment = (1..<8).last { magnitude >> ($0 + 3) > 0 } ?? 0
        let mantissa = segment == 0 ? magnitude & 15 : magnitude >> (segment - 1) & 15
        let plain = magnitude < 32 ? UInt8(magnitude) : UInt8(segment << 4 | mantissa)
        return (plain | (sample < 0 ? 0 : 0x80)) ^ 0x55
    }
}
