import Codecs
package import Media
package import Stream
package import Wire

/// One track of a loop: its frames in the normal form of the house, with ticks from the beginning
/// of the loop, and how long the loop is.
package struct DemoTrack: Sendable {
    package let slot: SlotName
    package let format: Format
    /// At least one; the first is one where decoding can begin.
    package let frames: ItemBatch
    /// In ticks of the format's clock rate. No frame lies behind it.
    package let period: Int64

    /// Files of this kind are minutes, not hours: what is larger is something else.
    static let fileMaximum = 16 << 20
    static let frameMaximum = 10_000
    static let secondsMaximum: Int64 = 3600

    init(slot: SlotName, format: Format, frames: ItemBatch, period: Int64) throws(ParseError) {
        guard frames.items.first?.meta.isKey == true else {
            throw .invalid("beginning of the loop: no key frame", value: 0, at: 0)
        }
        guard period <= Self.secondsMaximum * Int64(format.clockRate) else {
            throw .tooMuch("seconds of a loop", limit: Int(Self.secondsMaximum))
        }
        var before: Int64 = -1
        for item in frames.items {
            guard item.meta.ticks > before, item.meta.ticks < period else {
                throw .invalid(
                    "time of a frame", value: UInt64(clamping: item.meta.ticks),
                    at: item.range.lowerBound)
            }
            before = item.meta.ticks
        }
        self.slot = slot
        self.format = format
        self.frames = frames
        self.period = period
    }

    /// VP8 in IVF.
    package init(ivf bytes: RawSpan) throws(ParseError) {
        let file = try IVFFile(bytes)
        guard file.fourCC == IVFFile.vp8 else {
            throw .invalid("IVF codec", value: UInt64(file.fourCC), at: 8)
        }
        let format = try Format(vp8: bytes.extracting(file.frames[0].range))
        var frames = ItemBatch()
        for frame in file.frames {
            let span = bytes.extracting(frame.range)
            let header = try VP8FrameHeader(span)
            frames.append(
                span, Self.meta(file.ticks(frame.time, rate: format.clockRate), header.isKey))
        }
        try self.init(
            slot: .video, format: format, frames: frames,
            period: file.ticks(file.end, rate: format.clockRate))
    }

    /// H.264 as an Annex B byte stream, at an even frame rate: the stream itself tells no time.
    package init(h264 bytes: RawSpan, framesPerSecond: Int32) throws(ParseError) {
        try Self.checkSize(bytes)
        guard (1...240).contains(framesPerSecond) else {
            throw .invalid("frames a second", value: UInt64(clamping: framesPerSecond), at: 0)
        }
        var builder = AccessUnitBuilder(.h264)
        var splitter = AccessUnitSplitter(.h264)
        var frames = ItemBatch()
        var units = AnnexBUnits(bytes)
        while let range = units.next() {
            let unit = bytes.extracting(range)
            if splitter.receive(unit, at: .start) {
                builder.finish(Self.meta(Int64(frames.count), false), into: &frames)
            }
            builder.add(unit, into: &frames)
            try Self.checkCount(frames.count)
        }
        builder.finish(Self.meta(Int64(frames.count), false), into: &frames)
        guard let format = builder.parameterSets.format else {
            throw .invalid("H.264 parameter sets: missing or broken", value: 0, at: 0)
        }
        let rate = Int64(format.clockRate)
        for index in 0..<frames.count {
            frames.update(index) { $0.ticks = $0.ticks * rate / Int64(framesPerSecond) }
        }
        try self.init(
            slot: .video, format: format, frames: frames,
            period: Int64(frames.count) * rate / Int64(framesPerSecond))
    }

    /// Opus in Ogg.
    package init(ogg bytes: RawSpan) throws(ParseError) {
        let file = try OggOpusFile(bytes)
        var frames = ItemBatch()
        var ticks: Int64 = 0
        for packet in file.packets {
            let samples = try OpusPacket(packet.raw).samples
            frames.append(packet.raw, Self.meta(ticks, true))
            ticks += Int64(samples)
        }
        try self.init(slot: .audio, format: Format(file.head), frames: frames, period: ticks)
    }

    static func checkSize(_ bytes: RawSpan) throws(ParseError) {
        guard bytes.byteCount <= fileMaximum else {
            throw .tooMuch("bytes of a demo file", limit: fileMaximum)
        }
    }

    static func checkCount(_ count: Int) throws(ParseError) {
        guard count < frameMaximum else {
            throw .tooMuch("frames of a demo file", limit: frameMaximum)
        }
    }

    private static func meta(_ ticks: Int64, _ isKey: Bool) -> ItemMeta {
        ItemMeta(
            ticks: ticks, arrival: .start, length: 0,
            flags: isKey ? [.frameStart, .frameEnd, .key] : [.frameStart, .frameEnd])
    }
}
