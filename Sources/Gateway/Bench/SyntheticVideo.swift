import Codecs
import Wire

/// Pictures that nobody can decode, and that look to every server like an encoder's: H.264 with
/// right parameter sets and slice headers, a key frame per group, and filler for the bit rate. Each
/// carries the time at which it was made.
struct SyntheticVideo {
    /// How much larger a key frame is, as encoders of cameras make them.
    private static let keyWeight = 6

    let framesPerSecond: Int
    let framesPerGroup: Int
    private let deltaBytes: Int
    private var dice: SplitMix64
    private(set) var number: UInt32 = 0

    init(bitsPerSecond: Int, framesPerSecond: Int, framesPerGroup: Int, seed: UInt64) {
        self.framesPerSecond = framesPerSecond
        self.framesPerGroup = framesPerGroup
        let group = bitsPerSecond / 8 * framesPerGroup / framesPerSecond
        deltaBytes = max(64, group / (framesPerGroup - 1 + Self.keyWeight))
        dice = SplitMix64(seed: seed)
    }

    /// 1280x720, baseline, level 3.1, every picture shown as it is decoded.
    static let sequenceSet: [UInt8] = {
        var bits = Bits([0x67, 66, 0xc0, 31])
        // Id, frame numbers of 4 bits, order of kind 2, one reference, no gaps.
        for value in [0, 0, 2, 1] { bits.exponential(value) }
        bits.append(0, count: 1)
        bits.exponential(1280 / 16 - 1)
        bits.exponential(720 / 16 - 1)
        bits.append(0b1100, count: 4)  // Frames only, 8x8 inference, no cropping, no usability.
        return bits.finished
    }()

    static let pictureSet: [UInt8] = {
        var bits = Bits([0x68])
        bits.exponential(0)
        bits.exponential(0)
        bits.append(0, count: 2)
        for value in [0, 0, 0] { bits.exponential(value) }
        bits.append(0, count: 3)
        for value in [0, 0, 0] { bits.exponential(value) }
        bits.append(0, count: 3)
        return bits.finished
    }()

    static var configuration: [UInt8] {
        var record: [UInt8] = []
        AVCConfiguration(sequenceSets: [sequenceSet], pictureSets: [pictureSet])
            .write(into: &record)
        return record
    }

    struct Frame {
        /// NAL units behind lengths of four bytes.
        var bytes: [UInt8]
        var isKey: Bool
        var number: UInt32
    }

    /// - Parameter utc: Now: what is written into it.
    mutating func next(at utc: Int64) -> Frame {
        let place = Int(number) % framesPerGroup
        let isKey = place == 0
        // Sizes vary by a third, as those of pictures do.
        let base = isKey ? deltaBytes * Self.keyWeight : deltaBytes
        let size = base * (83 + Int(dice.next() % 35)) / 100
        var slice = Bits([isKey ? 0x65 : 0x41])
        slice.exponential(0)
        slice.exponential(isKey ? 7 : 5)
        slice.exponential(0)
        slice.append(UInt64(place & 15), count: 4)
        if isKey { slice.exponential(0) }
        var unit = slice.finished
        let filler = UInt8(truncatingIfNeeded: number) | 0x80
        unit += [UInt8](repeating: filler, count: max(0, size - unit.count))
        let stamp = FrameStamp(time: utc, number: number).unit
        var frame = Frame(bytes: [], isKey: isKey, number: number)
        for unit in [stamp, unit] {
            frame.bytes.append(bigEndian: UInt32(unit.count))
            frame.bytes += unit
        }
        number &+= 1
        return frame
    }

    /// Single bits, the first one highest.
    private struct Bits {
        private var bytes: [UInt8]
        private var free = 0

        init(_ lead: [UInt8]) { bytes = lead }

        mutating func append(_ value: UInt64, count: Int) {
            for shift in (0..<count).reversed() {
                if free == 0 {
                    bytes.append(0)
                    free = 8
                }
                free -= 1
                bytes[bytes.count - 1] |= UInt8(value >> UInt64(shift) & 1) << UInt8(free)
            }
        }

        /// Exp-Golomb (H.264 §9.1).
        mutating func exponential(_ value: Int) {
            let code = UInt64(value + 1)
            let width = UInt64.bitWidth - code.leadingZeroBitCount
            append(0, count: width - 1)
            append(code, count: width)
        }

        /// With the bit that ends it.
        var finished: [UInt8] {
            var bits = self
            bits.append(1, count: 1)
            return bits.bytes
        }
    }
}
