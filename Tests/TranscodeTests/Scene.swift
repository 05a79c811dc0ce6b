import Codecs
import Media
import Transcode
import Wire

/// A publisher, a bridge and a player on a clock that a test holds.
struct Scene: ~Copyable {
    var bridge: AudioBridge
    let ear: Ear
    var batch = ItemBatch()
    let source: Recording
    /// Of the next frame.
    var ticks: Int64
    var next = 0
    /// When what came out was needed least, and latest, after its first sample went in.
    private(set) var latency = Interval.zero
    /// Off: what comes out is counted and not decoded.
    var isListening = true

    init(
        _ source: Recording, to codec: Codec, _ options: AudioBridge.Options = .init(),
        from ticks: Int64 = 0
    ) throws {
        let ear = try Ear(source.format.transcoded(to: codec))
        bridge = try AudioBridge(from: source.format, to: codec, options)
        self.ear = ear
        self.source = source
        self.ticks = ticks
    }

    /// When the last sample of a frame has been taken, it is sent.
    static func arrival(_ ticks: Int64, _ source: Recording) -> Instant {
        Instant(
            nanoseconds: Timebase.nanoseconds(
                ticks + source.step, rate: source.format.clockRate))
    }

    var now: Instant { Self.arrival(ticks, source) }

    /// Sends frames of the recording, over and over.
    mutating func play(_ count: Int) {
        for _ in 0..<count {
            send(source.frames[next % source.frames.count])
            next += 1
        }
    }

    mutating func playAll() { play(source.frames.count) }

    mutating func send(_ frame: [UInt8], stamp: Int64? = nil) {
        let meta = ItemMeta(
            ticks: stamp ?? ticks, arrival: now, length: frame.count,
            flags: [.frameStart, .frameEnd, .key])
        bridge.receive(frame.raw, meta, into: &batch)
        ticks += source.step
        listen()
    }

    /// Frames that never come.
    mutating func lose(_ count: Int = 1) {
        ticks += source.step * Int64(count)
        next += count
    }

    /// Others go on until then.
    mutating func wait(until now: Instant) {
        bridge.advance(at: now, into: &batch)
        listen()
    }

    private mutating func listen() {
        let rate = bridge.format.clockRate
        for index in 0..<batch.count {
            let meta = batch.items[index].meta
            let heard = Instant(nanoseconds: Timebase.nanoseconds(meta.ticks, rate: rate))
            latency = max(latency, meta.arrival - heard)
        }
        ear.hear(batch, decoding: isListening)
        batch.clear()
    }
}
