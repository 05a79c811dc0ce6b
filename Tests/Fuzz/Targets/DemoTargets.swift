import Demo
import Media
import Stream
import Wire

/// One file of any kind: what is accepted must play, once around and on.
func fuzzDemoFile(_ bytes: RawSpan) {
    play(try? DemoTrack(ivf: bytes))
    play(try? DemoTrack(h264: bytes, framesPerSecond: 25))
    play(try? DemoTrack(ogg: bytes))
}

private func play(_ track: DemoTrack?) {
    guard let track, var source = try? DemoSource([track]) else { return }
    precondition(track.period > 0 && track.frames.count > 0)
    precondition(source.slots.count == 1 && source.deadline == .distantFuture)
    source.expireOnce()
}

extension DemoSource {
    fileprivate mutating func expireOnce() {
        var effects = Effects()
        advance(to: .start, channel: 0, into: &effects)
        precondition(!effects.media.isEmpty && deadline > .start)
        effects.clear()
        advance(to: deadline, channel: 0, into: &effects)
        precondition(!effects.media.isEmpty)
    }
}
