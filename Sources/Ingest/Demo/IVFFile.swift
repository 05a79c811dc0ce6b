import Media
import Wire

/// The container that encoders of the VP family write: a head of 32 bytes, then each frame behind
/// its size and time, all little-endian.
struct IVFFile: Sendable {
    struct Frame: Sendable {
        var time: Int64
        var range: Range<Int>
    }

    static let vp8: UInt32 = 0x5650_3830

    let fourCC: UInt32
    /// At least one.
    let frames: [Frame]
    /// When the last frame has been shown: in units of its own, as the times of frames are.
    let end: Int64
    private let unitsPerSecond: Int64
    private let unit: Int64

    init(_ bytes: RawSpan) throws(ParseError) {
        try DemoTrack.checkSize(bytes)
        var reader = ByteReader(bytes)
        let magic = try reader.read(UInt32.self)
        guard magic == 0x444b_4946 else { throw .invalid("IVF", value: UInt64(magic), at: 0) }
        let version = try reader.read(UInt16.self)
        guard version == 0 else { throw .invalid("IVF version", value: UInt64(version), at: 4) }
        let headSize = Int(try reader.read(UInt16.self).byteSwapped)
        guard headSize >= 32 else {
            throw .invalid("IVF head size", value: UInt64(headSize), at: 6)
        }
        fourCC = try reader.read(UInt32.self)
        try reader.skip(4)  // Width and height: the frames know better.
        unitsPerSecond = Int64(try reader.read(UInt32.self).byteSwapped)
        unit = Int64(try reader.read(UInt32.self).byteSwapped)
        // Bounds that keep every product of `ticks` inside 64 bits.
        guard (1...1_000_000).contains(unitsPerSecond), (1...1000).contains(unit) else {
            throw .invalid("IVF time base", value: UInt64(unitsPerSecond), at: 16)
        }
        try reader.skip(headSize - 24)

        var frames: [Frame] = []
        while reader.remaining > 0 {
            let size = Int(try reader.read(UInt32.self).byteSwapped)
            let time = try reader.read(UInt64.self).byteSwapped
            guard time < 1 << 31 else {
                throw .invalid("IVF frame time", value: time, at: reader.offset - 8)
            }
            let start = reader.offset
            try reader.skip(size)
            frames.append(Frame(time: Int64(time), range: start..<start + size))
            try DemoTrack.checkCount(frames.count)
        }
        guard let last = frames.last else { throw .truncated(at: reader.offset, needed: 12) }
        let step = frames.count > 1 ? last.time - frames[frames.count - 2].time : 1
        self.frames = frames
        end = last.time + step
    }

    /// Files begin at any time; ours begin at zero.
    func ticks(_ time: Int64, rate: Int32) -> Int64 {
        (time - frames[0].time) * unit * Int64(rate) / unitsPerSecond
    }
}
