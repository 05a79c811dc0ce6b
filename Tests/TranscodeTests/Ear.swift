import COpus
import CTranscodeShims
import Codecs
import Media
import Transcode
import Wire

/// A player: decodes what a bridge has made, and puts it where its time stamps say.
@safe final class Ear {
    let rate: Int
    /// Left and right; mono is heard on both.
    private(set) var left: [Float] = []
    private(set) var right: [Float] = []
    /// The media time of the first sample.
    private(set) var base: Int64 = 0
    private(set) var steps: Set<Int64> = []
    private(set) var discontinuities = 0
    private var last: Int64?
    /// The time stamp of the newest frame.
    var end: Int64 { last ?? base }
    private let opus: OpaquePointer?
    private let aac: OpaquePointer?
    private let converter: OpaquePointer

    init(_ format: Format) throws {
        rate = Int(format.sampleRate)
        guard let converter = unsafe transcode_converter_open(format.sampleRate, 2) else {
            throw TranscodeError.libraryMissing("the player's")
        }
        unsafe self.converter = converter
        if format.codec == .opus {
            unsafe opus = opus_decoder_create(48_000, 2, nil)
            unsafe aac = nil
        } else {
            let config = format.configuration
            unsafe aac = transcode_decoder_open(
                TRANSCODE_AAC, format.sampleRate, format.channels, 0, config, config.count)
            unsafe opus = nil
        }
    }

    deinit {
        if let opus = unsafe opus { unsafe opus_decoder_destroy(opus) }
        if let aac = unsafe aac { unsafe transcode_decoder_close(aac) }
        unsafe transcode_converter_close(converter)
    }

    func hear(_ batch: ItemBatch, decoding: Bool = true) {
        for index in 0..<batch.count {
            let meta = batch.items[index].meta
            if meta.flags.contains(.discontinuity) { discontinuities += 1 }
            if let last { steps.insert(meta.ticks - last) } else { base = meta.ticks }
            last = meta.ticks
            guard decoding else { continue }
            let bytes = [UInt8](copying: batch.bytes(of: index))
            put(decode(bytes), at: Int(meta.ticks - base))
        }
    }

    private func decode(_ bytes: [UInt8]) -> [Float] {
        var pcm = [Float](repeating: 0, count: 2 * 5760)
        if let opus = unsafe opus {
            let count = unsafe opus_decode_float(opus, bytes, Int32(bytes.count), &pcm, 5760, 0)
            return Array(pcm.prefix(2 * Int(max(0, count))))
        }
        guard let aac = unsafe aac, unsafe transcode_decoder_send(aac, bytes, bytes.count) else {
            return []
        }
        var sound = transcode_sound()
        guard unsafe transcode_decoder_receive(aac, &sound) else { return [] }
        let count = unsafe transcode_convert(converter, &sound, &pcm, 5760)
        return Array(pcm.prefix(2 * Int(max(0, count))))
    }

    private func put(_ samples: [Float], at place: Int) {
        // A player overwrites what a later frame says about the same time.
        let place = max(0, place)
        let end = place + samples.count / 2
        if left.count < end {
            left.append(contentsOf: repeatElement(0, count: end - left.count))
            right.append(contentsOf: repeatElement(0, count: end - right.count))
        }
        for at in 0..<samples.count / 2 {
            left[place + at] = samples[2 * at]
            right[place + at] = samples[2 * at + 1]
        }
    }

    /// Samples of a stretch of media time, in milliseconds of it.
    func left(_ from: Int64, _ to: Int64) -> ArraySlice<Float> { cut(left, from, to) }
    func right(_ from: Int64, _ to: Int64) -> ArraySlice<Float> { cut(right, from, to) }

    private func cut(_ samples: [Float], _ from: Int64, _ to: Int64) -> ArraySlice<Float> {
        let start = Int(from * Int64(rate) / 1000 - base)
        let end = Int(to * Int64(rate) / 1000 - base)
        return samples[min(max(0, start), samples.count)..<min(max(0, end), samples.count)]
    }
}

/// What of a sound is one tone (Goertzel), and how loud it is.
enum Measure {
    static func power(_ samples: ArraySlice<Float>) -> Double {
        guard !samples.isEmpty else { return 0 }
        return samples.reduce(0) { $0 + Double($1) * Double($1) } / Double(samples.count)
    }

    /// The mean power of the part that is this frequency.
    static func power(_ samples: ArraySlice<Float>, at frequency: Double, rate: Int) -> Double {
        guard !samples.isEmpty else { return 0 }
        let angle = 2 * Double.pi * frequency / Double(rate)
        var (real, imaginary) = (0.0, 0.0)
        for (at, sample) in samples.enumerated() {
            real += Double(sample) * cosine(angle * Double(at))
            imaginary += Double(sample) * cosine(angle * Double(at) - Double.pi / 2)
        }
        let count = Double(samples.count)
        return 2 * (real * real + imaginary * imaginary) / (count * count)
    }

    /// Of all power, the share that is this frequency.
    static func share(_ samples: ArraySlice<Float>, of frequency: Double, rate: Int) -> Double {
        power(samples, at: frequency, rate: rate) / max(1e-12, power(samples))
    }

    /// The largest bend between neighbours, as a multiple of what a tone of this amplitude has: a
    /// click is a multiple of ten or more.
    static func roughness(
        _ samples: ArraySlice<Float>, frequency: Double, amplitude: Double, rate: Int
    ) -> Double {
        var largest = 0.0
        for at in samples.indices.dropFirst().dropLast() {
            let bend = samples[at + 1] - 2 * samples[at] + samples[at - 1]
            largest = max(largest, Double(abs(bend)))
        }
        let angle = 2 * Double.pi * frequency / Double(rate)
        return largest / (2 * amplitude * (1 - cosine(angle)))
    }

    static func cosine(_ angle: Double) -> Double { CosineTable.value(angle) }
}
